"""A wall clock that is wrong under the engine, by libfaketime; service, CA and judge have the right one.

A round is one of (`--only`): `behind` (by 400 days) and `ahead` (by ten years), from the start or after
a while of right time; `steps` (the clock of a running engine is set to and fro, by seconds to years);
`fast` (it runs a hundred times too fast). Then the time is right again and the queue must drain.

Accepted: that little is done under a wrong clock, and that a request fails because its end has passed
on it, if the engine says so. Never: a request lost, a second result, a surplus certificate. Only the
wall clock is lied about: CLOCK_MONOTONIC and CLOCK_BOOTTIME cannot be set on a Linux machine either.
Each round must show the wrong time in the engine's log, and `behind` and `ahead` that it was noticed.
"""
import datetime
import glob
import json
import os
import random
import shutil
import sys
import time

from campaigns.disk import last_words, says_why, size_of
from campaigns.instances import NOT_LET_IN, SETTINGS, Connector, drain
from campaigns.stage import Stage, rounds_of, say, totals

LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
KINDS = ("steps", "behind", "fast", "ahead")
REQUESTS_PER_SECOND = 10
RIGHT_SECONDS, WRONG_SECONDS = 1.5, 4
DRAIN_SECONDS = 120
STEPS = ["+0", "-400d", "+3650d", "-1h", "+1h", "-40", "+40", "-3", "+3", "+2d"]
FAR = ["-400d", "+3650d", "-1h", "+1h", "+2d"]  # the first step, so that each round has one that shows
SLACK_SECONDS = 5          # between two clocks that are both right
NAMES = ("lost", "second_results", "surplus_certificates", "shared_keys")
# what an engine says of times that do not fit
WORDS = ("expired", "not yet valid", "expiresDateTime passed", "has passed", "not valid yet")


class Timed(Connector):
    """A connector with a clock of its own."""

    def __init__(self, stage):
        super().__init__(stage, os.path.dirname(stage.config))
        self.hand = os.path.join(stage.folder, "clock")
        self.set("+0")

    def set(self, offset):
        with open(self.hand + ".new", "w") as file:
            file.write(offset + "\n")
        os.replace(self.hand + ".new", self.hand)

    def start_wrong(self, offset):
        self.set(offset)
        library = glob.glob(LIBRARY)[0]
        env = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": self.hand, "FAKETIME_CACHE_DURATION": "1",
               "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        self.process = self.stage.run(self.config, self.log, env=env, ends=(NOT_LET_IN,))
        return self


def showed(text, began):
    """True if a line of a log was written at a time that was not then."""
    earliest, latest = began - SLACK_SECONDS, time.time() + SLACK_SECONDS
    for line in text.splitlines():
        if line.startswith('{"time"') and line.endswith("}"):  # not one that a kill cut
            at = datetime.datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00")).timestamp()
            if not earliest <= at <= latest:
                return True
    return False


def run_right(engine):
    engine.start()
    time.sleep(RIGHT_SECONDS)


def end(engine, dice):
    engine.kill() if dice.random() < 0.5 else engine.stop()


def constant(engine, dice, offset):
    if dice.random() < 0.6:
        run_right(engine)
        end(engine, dice)
    engine.start_wrong(offset)
    time.sleep(WRONG_SECONDS)


def behind(engine, dice):
    constant(engine, dice, "-400d")


def ahead(engine, dice):
    constant(engine, dice, "+3650d")


def steps(engine, dice):
    engine.start_wrong("+0")
    time.sleep(1)
    until, choice = time.monotonic() + 2 * WRONG_SECONDS, FAR
    while time.monotonic() < until:
        engine.set(dice.choice(choice))
        choice = STEPS
        time.sleep(dice.uniform(1, 2.5))
    engine.set("+0")


def fast(engine, dice):
    engine.start_wrong("+0 x100")
    time.sleep(WRONG_SECONDS)


def one_round(options, sub, seed, kind, faults):
    """What a round showed; its text of the engine under a wrong clock."""
    dice = random.Random(seed)
    stage = Stage(options.program, sub,
                  ["--requests", str(5 * REQUESTS_PER_SECOND), "--rate", str(REQUESTS_PER_SECOND), "--lease", "5",
                   "--devices", "10", "--redeliver-share", "0.2", "--pending-answers", "3", "--pending-share", "0.4",
                   "--seed", str(seed), "--mix", "create-ec=30,create-rsa=1,import=5"], SETTINGS)
    engine, began = Timed(stage), time.time()
    globals()[kind](engine, dice)
    ended = engine.ended()
    if ended is None and (kind != "steps" or dice.random() < 0.5):
        end(engine, dice)
    text = last_words(engine.log, 0)
    if not showed(text, began):
        faults.append("the engine's log is of the right time: its clock was not wrong")
    if kind in ("behind", "ahead") and not any(word in text for word in WORDS):
        faults.append("no word about a clock that is wrong by more than a year")
    if ended is not None and not says_why(text):
        faults.append(f"ended with {ended} and without a word")
    from_here = size_of(engine.log)
    if engine.ended() is not None:
        engine.start()
    drained = drain(stage, [engine], DRAIN_SECONDS)
    result = totals(stage.verdict())
    if not drained:
        result["lost"] = max(1, result["lost"])
        faults.append("not drained: " + last_words(engine.log, from_here)[-300:])
    faults += stage.crashes()
    said = any(word in last_words(engine.log, 0) for word in WORDS)
    if result["failed"] and not said:
        faults.append(f"{result['failed']} failures, and no word of a time that passed")
    result["faults"] = [one for one in result["faults"] if "failed" not in one] + faults
    return result, said, ended


def clock(options, folder):
    if not glob.glob(LIBRARY):
        sys.exit("no libfaketime: install faketime")
    started, bad, rounds, ends = time.monotonic(), [], {}, {}
    kinds = options.only.split(",") if options.only else KINDS
    total = {name: 0 for name in (*NAMES, "requests", "delivered", "imported", "failed")}
    said_in = 0
    for number in rounds_of(options):
        kind, seed = kinds[number % len(kinds)], options.seed * 10_000 + number
        sub = os.path.join(folder, f"{kind}-{number}")
        os.mkdir(sub)
        result, said, ended = one_round(options, sub, seed, kind, [])
        rounds[kind] = rounds.get(kind, 0) + 1
        said_in += said
        word = "went on" if ended is None else f"exit code {ended}"
        ends[word] = ends.get(word, 0) + 1
        for name in total:
            total[name] += result[name]
        clean = not any(result[name] for name in NAMES) and not result["faults"]
        say(f"round {number + 1}/{options.rounds} {kind} seed {seed} {word} failed {result['failed']}"
            + ("" if clean else f" bad: {result}"))
        if not clean:
            bad.append({"round": number, "kind": kind, "seed": seed, **{n: result[n] for n in NAMES},
                        "faults": result["faults"][:5]})
        elif not options.keep:
            shutil.rmtree(sub, ignore_errors=True)
    print(json.dumps({"campaign": "clock", "seed": options.seed, "rounds": rounds, **total, "said_in": said_in,
                      "ends": dict(sorted(ends.items())), "bad_rounds": bad[:10],
                      "seconds": round(time.monotonic() - started, 1)}), flush=True)
    return not bad

"""Power cuts under load: everything of the connector lies on a file system that is shut down in the
middle of its work (tests/tools/power_cut.py) and comes back with what was synced.

One engine, an honest disk: it may never have to remember anything by asking the service, and no
request may get a second certificate. Then the same with a disk that swallows syncs
(tests/tools/no_sync.cpp): that must be reported, or the campaign proves nothing. A machine on which
the power cannot be cut fails the campaign.
"""
import json
import os
import random
import shutil
import subprocess
import sys
import time

from campaigns.disk import how_it_ended, last_words, size_of
from campaigns.instances import SETTINGS, Connector, drain
from campaigns.stage import ROOT, Child, Stage, rounds_of, say, totals

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import power_cut  # noqa: E402

ROUNDS_PER_STAGE = 10
REQUESTS_PER_SECOND = 10
ROUND_SECONDS = 2.5
LYING_ROUNDS = 10          # at most; it ends with the first thing that shows
LYING_SECONDS = 3          # long enough for a start to be heard of
DRAIN_SECONDS = 120
TORN = "the log of the store ended in the middle of a write"
NAMES = ("lost", "second_results", "surplus_certificates", "shared_keys", "failed")
SETTINGS = dict(SETTINGS, **{"service.leaseSeconds": 5})


class Plugged(Connector):
    """A connector whose whole folder (store, anchor, identity, keys) lies on one disk that can lose its power."""

    def __init__(self, stage, env):
        super().__init__(stage, os.path.dirname(stage.config))
        self.env, self.image = env, os.path.join(stage.folder, "image")
        aside = self.folder + ".aside"
        shutil.move(self.folder, aside)
        power_cut.make(self.image, self.folder)
        shutil.copytree(aside, self.folder, dirs_exist_ok=True)
        subprocess.run(["sync", "-f", self.folder], check=True)

    def start(self, *words):
        self.process = Child([self.stage.program, "run", "--config", self.config, *words], self.log, self.env)
        return self


def one_cut(engine, dice, faults, ends, seconds=0):
    """Runs, loses its power at a random moment, lives on a little without a disk, and is gone."""
    log_from = size_of(engine.log)
    engine.start()
    engine.process.wait(seconds or dice.uniform(0.2, ROUND_SECONDS))
    if engine.ended() is not None:
        faults.append(f"ended before the cut: {engine.ended()}: {last_words(engine.log, log_from)[-300:]}")
    power_cut.cut(engine.folder, dice.choice([power_cut.LOG_LOST, power_cut.LOG_LOST, power_cut.LOG_FLUSHED]),
                  engine.process.process.pid if engine.ended() is None else None)
    ended = engine.process.wait(dice.choice([0.01, 0.3, 1]))
    engine.kill()
    word = "killed" if ended is None else how_it_ended(engine, log_from, faults, "after the cut")
    ends[word] = ends.get(word, 0) + 1
    power_cut.again(engine.image, engine.folder)


def one_stage(options, sub, seed, rounds, env, drains=True):
    """What a stage of some rounds showed: totals, restarts without a memory, faults, ends."""
    os.mkdir(sub)
    dice, faults, ends = random.Random(seed), [], {}
    stage = Stage(options.program, sub,
                  ["--requests", str(int(rounds * ROUND_SECONDS * REQUESTS_PER_SECOND)), "--rate",
                   str(REQUESTS_PER_SECOND), "--lease", "5", "--devices", "10", "--redeliver-share", "0.3",
                   "--pending-answers", "3", "--pending-share", "0.4", "--seed", str(seed),
                   "--mix", "create-ec=30,create-rsa=1,import=5"], SETTINGS)
    engine = Plugged(stage, env)
    try:
        for _ in range(rounds):
            one_cut(engine, dice, faults, ends, 0 if drains else LYING_SECONDS)
            if not drains and shown(engine, faults):
                break
        drained = not drains
        if drains:
            engine.start()
            drained = drain(stage, [engine], DRAIN_SECONDS)
        result = totals(stage.verdict())
    finally:
        if engine.process is not None:
            engine.kill()
        power_cut.drop(engine.image, engine.folder)
    if not drained:
        result["lost"] = max(1, result["lost"])
    said = last_words(engine.log, 0)
    result["torn_logs"] = said.count(TORN)  # asked about as well, and nothing was lost by it
    result["lost_memory"] = said.count("reconciling: ") - result["torn_logs"]
    result["faults"] += faults
    return result, ends


def shown(engine, faults):
    return "reconciling: " in last_words(engine.log, 0) or any("amnesia" in one for one in faults)


def wrong(result):
    return {name: result[name] for name in (*NAMES, "lost_memory") if result[name]}


def lying(options, folder):
    """Rounds on a disk that swallows syncs: what they report. Not drained, so nothing counts as lost that
    was only not done yet."""
    library = os.path.join(os.path.dirname(options.program), "libno_sync.so")
    if not os.path.exists(library):
        sys.exit(f"no {library}: build the target no_sync")
    result, _ = one_stage(options, os.path.join(folder, "lying"), options.seed, LYING_ROUNDS, {"LD_PRELOAD": library},
                          drains=False)
    refused = sum("amnesia" in one for one in result["faults"])
    return {"starts_without_a_memory": result["lost_memory"] + result["torn_logs"], "starts_refused": refused,
            "second_results": result["second_results"]}


def cuts(options, folder):
    started, bad, ends = time.monotonic(), [], {}
    total = {name: 0 for name in (*NAMES, "lost_memory", "torn_logs", "requests", "delivered", "imported")}
    try:
        for first in rounds_of(options, ROUNDS_PER_STAGE):
            rounds, sub = min(ROUNDS_PER_STAGE, options.rounds - first), os.path.join(folder, f"from-{first}")
            seed = options.seed * 10_000 + first
            result, how = one_stage(options, sub, seed, rounds, {})
            for name in total:
                total[name] += result[name]
            for name, count in how.items():
                ends[name] = ends.get(name, 0) + count
            clean = not wrong(result) and not result["faults"]
            say(f"cut {first + rounds}/{options.rounds} seed {seed} {how}" + ("" if clean else f" bad: {result}"))
            if not clean:
                bad.append({"from": first, "seed": seed, **wrong(result), "faults": result["faults"][:5]})
            elif not options.keep:
                shutil.rmtree(sub, ignore_errors=True)
        reported = lying(options, folder)
    except power_cut.Unable as why:
        print(json.dumps({"campaign": "cuts", "failed": f"the power cannot be cut here: {why}"}), flush=True)
        return False
    print(json.dumps({"campaign": "cuts", "seed": options.seed, "rounds": options.done, **total,
                      "after_the_cut": dict(sorted(ends.items())), "bad_stages": bad[:10], "lying_disk": reported,
                      "seconds": round(time.monotonic() - started, 1)}), flush=True)
    caught = reported["starts_without_a_memory"] + reported["starts_refused"] + reported["second_results"]
    return not bad and caught > 0

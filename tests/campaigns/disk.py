"""The disk under the engine: calls that fail (`faults`, by libfiu), files that are damaged (`damage`),
and a small disk that is full (`disk`, a loop-mounted ext4; needs root).

What is accepted: the engine ends, or refuses to start, with a word in its log; or it goes on. What is
never accepted: a request lost, a second result, a surplus certificate, or an end without a word; in
`faults` and `disk`, where one engine forgets nothing, also every second certificate of a request. The
first round of each stage is certain: what is done to it there has to show, or nothing was done at all.
"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys
import time

from campaigns.instances import SETTINGS, Connector, drain, wrong_of
from campaigns.stage import Child, Stage, rounds_of, say

ROUNDS_PER_STAGE = 6
REQUESTS_PER_SECOND = 8
REFUSALS = (4, 5)          # app/exit_code.hpp: halted, the store failed
BAD_FILE, STORE_FAILED, ABORTED = 2, 5, -6
FAULT_ENDS = (BAD_FILE, STORE_FAILED, ABORTED)  # of an engine whose calls fail
FULL_ENDS = (STORE_FAILED, ABORTED)
DISK_SECONDS = 15          # for requests to come while the disk is small, roomy again, and full
FAULT_SECONDS = 4          # how long an engine runs with failing calls
OPEN_SECONDS = 60          # for an engine to read its store
OPEN_WORDS = ("keys announced", "reconciling: ")  # what it says after that
SIGNALS = (-6, -9)         # RocksDB aborts where it cannot write; a kill is ours
CALLS = [("posix/io/rw/write", 28), ("posix/io/rw/write", 28), ("posix/io/rw/write", 5),
         ("posix/io/sync/fdatasync", 5), ("posix/io/sync/fsync", 5), ("posix/io/oc/open", 24), ("posix/io/oc/open", 28),
         ("posix/io/rw/read", 5), ("posix/io/rw/pread", 5)]
CERTAIN = ("posix/io/sync/fdatasync", 5)  # each time: no engine can go on


def new_stage(options, folder, seed, requests):
    return Stage(options.program, folder,
                 ["--requests", str(requests), "--rate", str(REQUESTS_PER_SECOND), "--lease", "5", "--devices", "10",
                  "--redeliver-share", "0.3", "--pending-answers", "3", "--pending-share", "0.4", "--seed", str(seed),
                  "--mix", "create-ec=30,create-rsa=1,import=5"], dict(SETTINGS, **{"service.leaseSeconds": 5}))


def last_words(log, since):
    """What the engine wrote behind the offset `since`."""
    with open(log, errors="replace") as file:
        file.seek(since)
        return file.read()


def says_why(text):
    return any(word in text for word in ('"level":"error"', "rror", "cannot ", "ssert", "No space", "orruption", "terminate"))


class Rounds:
    """Rounds on stages of a few each, so that a bad one is told from the others."""

    def __init__(self, name, options, folder, ends=(), alone=False):
        self.name, self.options, self.folder, self.of_engine, self.alone = name, options, folder, ends, alone
        self.total = {"lost": 0, "second_results": 0, "surplus_certificates": 0, "shared_keys": 0, "failed": 0}
        self.ends, self.bad, self.requests = {}, [], 0

    def run(self, one_round):
        started, number = time.monotonic(), 0
        for number in rounds_of(self.options, ROUNDS_PER_STAGE):
            count = min(ROUNDS_PER_STAGE, self.options.rounds - number)
            seed = self.options.seed * 10_000 + number
            sub = os.path.join(self.folder, f"from-{number}")
            os.mkdir(sub)
            stage = new_stage(self.options, sub, seed, count * 6 * REQUESTS_PER_SECOND)
            engine, faults = Connector(stage, os.path.dirname(stage.config)), []
            engine.ends = self.of_engine
            for at in range(count):
                dice = random.Random(self.options.seed * 10_000 + number)
                end, what = one_round(engine, dice, faults, at == 0)
                self.ends[end] = self.ends.get(end, 0) + 1
                say(f"round {number + 1}/{self.options.rounds} {what}: {end}")
                number += 1
            engine.start()
            drained = drain(stage, [engine])
            if not drained and put_back(engine):
                self.ends["refused later"] = self.ends.get("refused later", 0) + 1
                drained = drain(stage, [engine.start()])
            if not drained and engine.ended() is not None:
                faults.append(f"does not start any more: exit code {engine.ended()}")
            self.judge(stage.verdict(), drained, faults + stage.crashes(), number, sub)
        print(json.dumps({"campaign": self.name, "seed": self.options.seed, "rounds": self.options.done, **self.total,
                          "requests": self.requests, "ends": dict(sorted(self.ends.items())),
                          "bad_stages": self.bad[:10], "seconds": round(time.monotonic() - started, 1)}), flush=True)
        return not self.bad

    def judge(self, verdict, drained, faults, number, sub):
        wrong, faults = wrong_of(verdict, drained, faults, self.alone)
        self.requests += verdict["requests"]
        for name, value in wrong.items():
            self.total[name] += value
        if drained and not faults and not any(wrong.values()):
            if not self.options.keep:
                shutil.rmtree(sub, ignore_errors=True)
            return
        self.bad.append({"until_round": number, "drained": drained, **wrong, "faults": faults[:5]})
        say(f"bad: {self.bad[-1]}")


def how_it_ended(engine, log_from, faults, what, accepted=(BAD_FILE, *REFUSALS, *SIGNALS)):
    """Waits for nothing: the engine has ended. A word for the end; a fault if nobody would understand it."""
    code = engine.ended()
    text = last_words(engine.log, log_from)
    if code not in accepted:
        faults.append(f"{what}: exit code {code}")
    if code != -9 and not says_why(text):
        faults.append(f"{what}: ended with {code} and without a word: {text[-300:]}")
    return "aborted" if code == -6 else f"exit code {code}"


def size_of(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


# -- faults: calls of the system that fail ------

def failing_calls(engine, dice, faults, certain):
    call, number = CERTAIN if certain else dice.choice(CALLS)
    odds = 1 if certain else dice.choice([0.3, 0.05, 0.01, 0.002])
    what = f"{call} errno {number} at {odds}"
    log_from = size_of(engine.log)
    front = ["fiu-run", "-x", "-f", "", "-c", f"enable_random name={call},probability={odds},failinfo={number}"]
    engine.process = engine.stage.run(engine.config, engine.log, ends=FAULT_ENDS, front=front)
    if engine.process.wait(FAULT_SECONDS if not certain else OPEN_SECONDS) is None:
        engine.kill()
        if certain:
            faults.append(f"{what}: went on, so no call failed")
        return "went on", what
    if certain and engine.ended() not in (STORE_FAILED, ABORTED):
        faults.append(f"{what}: ended with {engine.ended()}, which no failed sync explains")
    return how_it_ended(engine, log_from, faults, what, FAULT_ENDS), what


def faults(options, folder):
    if shutil.which("fiu-run") is None:
        sys.exit("no fiu-run: install fiu-utils")
    return Rounds("faults", options, folder, alone=True).run(failing_calls)


# -- damage: files of the store ------

def damage_one(store, dice, certain):
    """Damages one file of a store. A sentence."""
    pattern = "CURRENT" if certain else dice.choice(["*.log", "*.log", "*.log", "*.sst", "MANIFEST-*", "CURRENT", "IDENTITY", "OPTIONS-*"])
    files = sorted(one for one in glob.glob(os.path.join(store, "**", pattern), recursive=True))
    if not files:
        return None
    path = dice.choice(files)
    size, where = os.path.getsize(path), ""
    deed = "empty" if certain else dice.choice(["flip", "flip", "truncate", "delete", "zero the tail"])
    with open(path, "r+b") as file:
        if deed == "flip" and size > 0:
            for _ in range(dice.choice([1, 1, 8])):
                at = dice.randrange(size)
                file.seek(at)
                octet = file.read(1)[0]
                file.seek(at)
                file.write(bytes([octet ^ (1 << dice.randrange(8))]))
        elif deed == "empty":
            file.truncate(0)
        elif deed == "truncate":
            where = f" to {dice.randrange(size + 1)}"
            file.truncate(int(where[4:]))
        elif deed == "zero the tail" and size > 0:
            at = dice.randrange(size)
            where = f" from {at}"
            file.seek(at)
            file.write(bytes(size - at))
    if deed == "delete":
        os.unlink(path)
    return f"{deed} {os.path.basename(path)} of {size}{where}"


def put_back(engine):
    """A damaged table may be read hours later, by a compaction: the store refuses then, and an operator puts back
    the copy from before the first damage that nobody had noticed."""
    data = os.path.join(engine.folder, "data")
    if engine.ended() not in REFUSALS or not os.path.isdir(data + ".before"):
        return False
    shutil.rmtree(data)
    shutil.move(data + ".before", data)
    return True


def damaged_files(engine, dice, faults, certain):
    engine.start()
    time.sleep(dice.uniform(1.5, 4))
    engine.kill() if dice.random() < 0.7 else engine.stop()
    data, good = os.path.join(engine.folder, "data"), os.path.join(engine.folder, "data.good")
    shutil.rmtree(good, ignore_errors=True)
    shutil.copytree(data, good, ignore=shutil.ignore_patterns("*.sock"))
    what = damage_one(os.path.join(data, "store"), dice, certain)
    if what is None:
        what = "nothing there to damage"
        faults.append(what)
    log_from = size_of(engine.log)
    engine.start()
    until = time.monotonic() + OPEN_SECONDS
    while engine.ended() is None and not any(word in last_words(engine.log, log_from) for word in OPEN_WORDS) \
            and time.monotonic() < until:
        time.sleep(0.1)  # or a slow machine takes an engine that had not read its store yet for a content one
    if engine.process.wait(FAULT_SECONDS) is None:
        engine.kill()
        noticed = "reconciling" in last_words(engine.log, log_from)
        if certain:
            faults.append(f"{what}: went on")
        if not os.path.isdir(data + ".before"):
            shutil.move(good, data + ".before")
        return "noticed and went on" if noticed else "went on", what
    end = how_it_ended(engine, log_from, faults, what, REFUSALS)
    # An operator puts the last good copy back; it may be older than what was said from the damaged one.
    shutil.rmtree(data)
    shutil.move(good, data)
    return end, what


def damage(options, folder):
    return Rounds("damage", options, folder, REFUSALS).run(damaged_files)


# -- disk: a small one, full ------

def handed_out(stage):
    with open(os.path.join(stage.box, "journal.jsonl")) as file:
        return sum('"what":"handed_out"' in line for line in file)


class SmallDisk:
    def __init__(self, engine, mebibytes=96):
        self.folder, self.image = os.path.join(engine.folder, "data"), os.path.join(engine.stage.folder, "image")
        aside = self.folder + ".aside"
        shutil.move(self.folder, aside)
        os.mkdir(self.folder, 0o700)
        with open(self.image, "wb") as file:
            file.truncate(mebibytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", self.image], check=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.folder], check=True)
        shutil.copytree(aside, self.folder, dirs_exist_ok=True)
        os.chmod(self.folder, 0o700)
        self.ballast = os.path.join(self.folder, "ballast")

    def fill(self, leave_mebibytes):
        """True if the disk said that it is full."""
        free = os.statvfs(self.folder)
        space = free.f_bavail * free.f_frsize - (leave_mebibytes << 20)
        with open(self.ballast, "wb", buffering=0) as file:
            try:
                while space > 0:
                    space -= file.write(bytes(min(space, 1 << 18)))
                while leave_mebibytes == 0:
                    file.write(bytes(512))
            except OSError:
                return True
        return False

    def release(self):
        if os.path.exists(self.ballast):
            os.unlink(self.ballast)

    def drop(self):
        subprocess.run(["umount", "-l", self.folder], check=False)


def mount_works(folder):
    image, where = os.path.join(folder, "trial.image"), os.path.join(folder, "trial")
    os.mkdir(where)
    with open(image, "wb") as file:
        file.truncate(4 << 20)
    for words in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop", image, where]):
        if shutil.which(words[0]) is None or subprocess.run(words, capture_output=True).returncode != 0:
            return False
    subprocess.run(["umount", where], check=True)
    return True


def disk_round(options, sub, seed, dice, bad):
    """Below the floor it pauses and comes back by itself; a disk that is full at once may end it."""
    stage = new_stage(options, sub, seed, DISK_SECONDS * REQUESTS_PER_SECOND)
    engine = Connector(stage, os.path.dirname(stage.config))
    engine.ends = FULL_ENDS
    with open(engine.config) as file:
        content = json.load(file)
    content["limits"]["freeSpaceFloorMebibytes"] = 24
    with open(engine.config, "w") as file:
        json.dump(content, file)
    small = SmallDisk(engine)
    try:
        engine.start()
        time.sleep(dice.uniform(2, 4))
        small.fill(16)
        time.sleep(3)  # what was asked for before is still worked on
        before = handed_out(stage)
        time.sleep(3)
        if handed_out(stage) != before:
            bad.append("requests were asked for below the floor")
        if engine.ended() is not None:
            bad.append(f"ended below the floor: {engine.ended()}")
        small.release()
        until = time.monotonic() + 20
        while handed_out(stage) == before and time.monotonic() < until:
            time.sleep(0.2)
        if handed_out(stage) == before:
            bad.append("did not come back by itself")
        if engine.ended() is not None:
            bad.append(f"ended where there was room: {engine.ended()}")
        if not small.fill(0):
            bad.append("the disk was never full")
        time.sleep(dice.uniform(1, 3))
        ended = engine.ended()
        small.release()
        engine.ends = ()
        if engine.ended() is not None:
            engine.start()
        drained = drain(stage, [engine])
    finally:
        for child in Child.started:
            if child is engine.process:
                child.kill()
        small.drop()
    bad += stage.crashes()
    return stage.verdict(), drained, "went on" if ended is None else f"exit code {ended}"


def disk(options, folder):
    if not mount_works(folder):
        print(json.dumps({"campaign": "disk", "skipped": "no ext4 image can be mounted here (it takes root)"}))
        return os.geteuid() != 0  # for root there is no such excuse
    started, seen, ends = time.monotonic(), [], {}
    total = {"lost": 0, "second_results": 0, "surplus_certificates": 0, "shared_keys": 0, "failed": 0}
    for number in rounds_of(options):
        seed = options.seed * 10_000 + number
        sub, bad = os.path.join(folder, f"disk-{number}"), []
        os.mkdir(sub)
        verdict, drained, end = disk_round(options, sub, seed, random.Random(seed), bad)
        wrong, bad = wrong_of(verdict, drained, bad, alone=True)
        for name, value in wrong.items():
            total[name] += value
        ends[end] = ends.get(end, 0) + 1
        say(f"round {number + 1}/{options.rounds} full disk: {end} {bad}")
        if not drained or bad or any(wrong.values()):
            seen.append({"round": number, "drained": drained, **wrong, "faults": bad[:5]})
    print(json.dumps({"campaign": "disk", "seed": options.seed, "rounds": options.done, **total, "full_disk": ends,
                      "bad_rounds": seen[:10], "seconds": round(time.monotonic() - started, 1)}), flush=True)
    return not seen

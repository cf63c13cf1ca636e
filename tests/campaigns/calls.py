"""The Nth call of the system that fails, for every N: one life of a store (tests/tools/store_life.cpp) is
run again and again, with the first, the second, … read, write, sync, open, rename, truncation, mkdir or
unlink below its folder refused (tests/tools/fail_call.cpp), until a run comes through in which no call was left to fail.

A life is `fresh` (an empty folder) or `again` (a store that was killed behind its last commit). A call fails
once, from there on (`on`), or, if it is a write, when half of its octets are written (`torn`). After each
run the store is opened on a good disk: every acknowledged batch must be there, whole, in order and once,
and at most the one that was in flight besides. Last, a program that acknowledges too early must be reported.
"""
import collections
import concurrent.futures
import json
import os
import shutil
import subprocess
import time

from campaigns.stage import say

COMMITS = 3
BEFORE = 3                 # batches of the life before `again`
RUN_SECONDS = 30
AT_ONCE = 8                # RocksDB waits for a second after some failures
NUMBERS_MAX = 2_000        # more calls than that mean that the enumeration does not end
DONE, SAID_NO, ABORTED = 0, 5, -6
ASSERTION = "WritableFileWriter::AssertFalseAndGetStatusForPrevError"
# what a disk says; by hand the others too (`--only long`)
SHORT = {"read": ["EIO"], "write": ["ENOSPC"], "sync": ["EIO"], "open": ["EMFILE"], "rename": ["EIO"],
         "truncate": ["ENOSPC"], "mkdir": ["ENOSPC"], "unlink": ["EIO"]}
LONG = {"read": ["EIO"], "unlink": ["EIO", "EROFS"], "write": ["ENOSPC", "EIO", "EDQUOT", "EROFS"], "sync": ["EIO", "ENOSPC"],
        "open": ["EMFILE", "ENFILE", "EIO", "EACCES", "ENOSPC"], "rename": ["EIO", "ENOSPC", "EACCES"],
        "truncate": ["ENOSPC", "EIO"], "mkdir": ["ENOSPC", "EIO", "EACCES"]}

Case = collections.namedtuple("Case", "life kind error mode")


def cases_of(long):
    """The short form has each kind in each life once: where much was there before, one failure; where the
    store is made, a disk that stays bad."""
    for kind, errors in (LONG if long else SHORT).items():
        for error in errors:
            for life, mode in (("again", "once"), ("fresh", "on"), ("again", "on"), ("fresh", "once")):
                if long or (life, mode) in (("again", "once"), ("fresh", "on")):
                    yield Case(life, kind, error, mode)
    yield Case("again", "write", "ENOSPC", "torn")
    if long:
        yield Case("fresh", "write", "ENOSPC", "torn")


def room():
    """Where the syncs that succeed cost nothing."""
    return "/dev/shm" if os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK) else None


class Lives:
    def __init__(self, options, folder):
        self.folder, self.commits = folder, options.requests or COMMITS
        binaries = os.path.dirname(options.program)
        self.program, self.library = os.path.join(binaries, "store_life"), os.path.join(binaries, "libfail_call.so")
        self.killed = os.path.join(folder, "killed")
        self.life("crash", self.killed, BEFORE)
        self.ends, self.bad = collections.Counter(), []

    def life(self, how, store, count, env=None):
        """Exit code, facts, sentence. None if it does not come to an end."""
        words = [self.program, how, store] + ([] if how == "read" else [str(count)])
        try:
            done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=RUN_SECONDS,
                                  env=dict(os.environ, **(env or {})), check=False)
        except subprocess.TimeoutExpired:
            return None, [], "no end"
        return done.returncode, done.stdout.splitlines(), done.stderr.strip()

    def one(self, case, number, how="write"):
        """One run and the look at what it left: which call failed (none: untouched), faults, end."""
        sub = os.path.join(self.folder, "-".join((*case, how, str(number))))
        store, told = os.path.join(sub, "store"), os.path.join(sub, "told")
        os.mkdir(sub)
        if case.life == "again":
            shutil.copytree(self.killed, store)
        mode = "" if case.mode == "once" else ":" + case.mode
        code, facts, said = self.life(how, store, self.commits,
                                      {"LD_PRELOAD": self.library, "PFX_FAIL": f"{case.kind}:{number}:{case.error}{mode}",
                                       "PFX_FAIL_UNDER": store, "PFX_FAIL_TOLD": told})
        hit = ""
        if os.path.exists(told):
            with open(told) as file:
                hit = file.readline().strip().replace(store, "")
        acknowledged = (BEFORE if case.life == "again" else 0) + sum(one.startswith("committed ") for one in facts)
        faults = self.end_of(code, facts, said, hit) + self.left(store, acknowledged)
        shutil.rmtree(sub)
        return hit, faults, code

    def end_of(self, code, facts, said, hit):
        """A run ends with all it was asked for, or with a word; untouched, only with the former."""
        whole = code == DONE and facts[-1:] == ["closed"] and sum(one.startswith("committed ") for one in facts) == self.commits
        # Debian builds RocksDB with its assertions: a file that could not be written may not be closed.
        if whole or (hit and said and (code == SAID_NO or (code == ABORTED and ASSERTION in said))):
            return []
        return [f"ended with {code}: {facts[-1:]} {said[-300:]}"]

    def left(self, store, acknowledged):
        """What is wrong with a store that is opened on a good disk."""
        code, facts, said = self.life("read", store, 0)
        if code != DONE:
            return [f"does not open any more: {code}: {said[-300:]}"]
        batches = [int(one.split()[1]) for one in facts if one.startswith("batch ")]
        out = [one for one in facts if one.startswith("broken ")]
        if batches[:acknowledged] != list(range(1, acknowledged + 1)):
            out.append(f"lost: {acknowledged} acknowledged, there are {batches}")
        elif batches[acknowledged:] not in ([], [acknowledged + 1]):
            out.append(f"more than was in flight: {acknowledged} acknowledged, there are {batches}")
        return out

    def enumerate(self, case):
        """N = 1, 2, … until nothing is left to fail. How many calls failed, one after the other."""
        for number in range(1, NUMBERS_MAX):
            hit, faults, code = self.one(case, number)
            if hit:
                self.ends["aborted" if code == ABORTED else "went on" if code == DONE else "said no"] += 1
            if faults:
                self.bad.append({**case._asdict(), "number": number, "hit": hit, "faults": faults[:5]})
                say(f"bad: {self.bad[-1]}")
            if not hit:
                say(f"{' '.join(case)}: {number - 1} calls")
                return number - 1
        self.bad.append({**case._asdict(), "faults": ["comes to no end"]})
        return NUMBERS_MAX

    def liar_seen(self):
        """The number of the write at which a program that acknowledges too early was reported; 0: never."""
        for number in range(1, NUMBERS_MAX):
            hit, faults, _ = self.one(Case("again", "write", "ENOSPC", "once"), number, "early")
            if any(one.startswith("lost") for one in faults) or not hit:
                return number if hit else 0
        return 0


def calls(options, folder):
    started = time.monotonic()
    in_memory = room()
    if in_memory:
        folder = os.path.join(in_memory, os.path.basename(folder))
        os.mkdir(folder)
    try:
        lives, cases = Lives(options, folder), list(cases_of(options.only == "long"))
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            seeing = pool.submit(lives.liar_seen)
            counts = list(pool.map(lives.enumerate, cases))
            liar = seeing.result()
    finally:
        if in_memory:
            shutil.rmtree(folder, ignore_errors=True)
    failed = collections.Counter()
    for case, count in zip(cases, counts):
        failed[case.kind] += count
    print(json.dumps({"campaign": "calls", "seed": options.seed, "rounds": sum(counts), "commits": lives.commits,
                      "cases": len(cases), "calls_failed": dict(failed), "ends": dict(sorted(lives.ends.items())),
                      "early_acknowledgement_seen_at": liar, "bad_runs": lives.bad[:10], "bad": len(lives.bad),
                      "seconds": round(time.monotonic() - started, 1)}), flush=True)
    missed = [kind for kind in SHORT if not failed[kind]]
    if missed:
        say(f"no call failed of: {missed}")
    return not lives.bad and not missed and liar > 0 \
        and min(failed["write"], failed["sync"]) >= lives.commits * 2

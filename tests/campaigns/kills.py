"""kill -9 at every label and at random moments; and the proof that it, and others, would see a fault."""
import argparse
import json
import os
import random
import signal
import time

from campaigns import blindness
from campaigns.stage import DRAIN_SECONDS, KILLED, Stage, clean, labels_of, say, totals

SLOWNESS_MAX = 3           # a busy machine gets so many times the seconds for everything
PROBE_SECONDS = 0.5
ROUND_SECONDS = 3          # for a label to be passed; after it the engine is killed where it is
REQUESTS_PER_SECOND = 8   # the sandbox feeds so many, so that no round finds nothing to disturb
REQUESTS_PER_ROUND = 12
LAST_CHANCE_SECONDS = 10   # for a label that was not hit yet
ATTEMPTS_PER_LABEL = 4
ROUNDS_SPARE = 10          # so many rounds' requests are left for the labels that are still missing then
GATHER_SECONDS = 2
GATHER = ("gather", 0)     # a step of a plan that is no label


def slowness():
    """Seconds that pass for one second of work: how busy the machine is with other things."""
    wall, cpu = time.monotonic(), time.process_time()
    while time.process_time() - cpu < PROBE_SECONDS:
        pass
    return min(SLOWNESS_MAX, max(1, (time.monotonic() - wall) / PROBE_SECONDS))


class Kills:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.random = random.Random(options.seed)
        self.labels = labels_of(options.program)
        self.hit, self.rounds, self.random_kills = set(), 0, 0
        self.env = {}
        if options.mutate:
            self.env["PFXENGINE_MUTATE"] = options.mutate
        spare = 0 if options.only else ROUNDS_SPARE
        requests = (options.rounds + spare) * REQUESTS_PER_ROUND
        self.slow = slowness()
        rate = REQUESTS_PER_SECOND / self.slow
        self.fed_until = time.monotonic() + requests / rate
        self.stage = Stage(options.program, folder,
                           ["--requests", str(requests), "--mix", options.mix, "--seed", str(options.seed),
                            "--rate", f"{rate:.2f}", "--lease", "5", "--redeliver-share", "0.4",
                            "--reject-share", "0.2", "--lose-lease-share", "0.3",
                            "--pending-answers", "2", "--pending-share", "0.2"],
                           {"limits.openRequestsMax": 24, "limits.quarantineHours": 0.001,
                            # no request here is to blame for our kills
                            "limits.attemptsMax": 100,
                            "service.leaseSeconds": 5, "service.pollIntervalSeconds": 1,
                            "authorities.0.settleSeconds": 1})

    def one_kill(self, label, nth, seconds):
        """True if the label was hit: the process killed itself there."""
        engine = self.stage.engine(KILLED, PFXENGINE_KILL_AT=f"{label}:{nth}", **self.env)
        code = engine.wait(seconds * self.slow)
        self.rounds += 1
        if code is None:
            engine.kill()
            self.random_kills += 1
            return False
        if code == -signal.SIGKILL:
            self.hit.add(label)
            return True
        return False  # it ended otherwise: a crash

    def gather(self):
        """Leaves records of requests that wait, with leases that somebody else took meanwhile: the service
        gathers some, and right after the download the engine dies."""
        time.sleep(GATHER_SECONDS * self.slow)
        self.one_kill("before_persist.working", 1, ROUND_SECONDS)

    def random_kill(self):
        engine = self.stage.engine(**self.env)
        engine.wait(self.random.uniform(0.05, 1.5) * self.slow)
        engine.kill()
        self.rounds += 1
        self.random_kills += 1

    def plan(self):
        """Every label at its first pass, then at its nth, in a random order; random moments between."""
        first = []
        for label in self.labels:
            if label.endswith(".abandoned"):
                first.append([GATHER, (label, 1)])
            else:
                first.append([(label, 1)])
        later = [(label, self.random.randint(2, 4)) for label in self.labels]
        self.random.shuffle(first)
        self.random.shuffle(later)
        return [step for steps in first for step in steps] + later

    def run(self):
        started, rounds = time.monotonic(), self.options.rounds
        plan = self.plan()
        if self.options.only:
            plan = [(label, n) for n in range(1, 40) for label in self.options.only.split(",")]
        while self.rounds < rounds:
            if not plan:
                plan = self.plan()
            step = plan.pop(0)
            if step == GATHER:
                self.gather()
            else:
                self.one_kill(*step, ROUND_SECONDS)
            if self.rounds % 10 == 9:
                self.random_kill()
            say(f"\rround {self.rounds}/{rounds}, labels {len(self.hit)}/{len(self.labels)}")
        if not self.options.only:
            for _ in range(ATTEMPTS_PER_LABEL):
                for label in [one for one in self.labels if one not in self.hit]:
                    if label.endswith(".abandoned"):
                        self.gather()
                    self.one_kill(label, 1, LAST_CHANCE_SECONDS)
        still_fed = max(0, self.fed_until - time.monotonic())
        drained = self.stage.drain(DRAIN_SECONDS * self.slow + still_fed, **self.env)
        result = totals(self.stage.verdict())
        if not drained:
            result["lost"] = max(1, result["lost"])
        result["faults"] = (result["faults"] + self.stage.crashes())[:10]
        missed = [] if self.options.only else sorted(set(self.labels) - self.hit)
        return {"campaign": "kills", "seed": self.options.seed, "mutation": self.options.mutate or None,
                "rounds": self.rounds, "slowness": round(self.slow, 1), "random_kills": self.random_kills,
                "labels_defined": len(self.labels), "labels_hit": len(self.hit), "labels_missed": missed,
                "drained": drained, **result, "seconds": round(time.monotonic() - started, 1)}


def kills(options, folder):
    result = Kills(options, folder).run()
    print(json.dumps(result), flush=True)
    return clean(result) and not result["labels_missed"]


def proof(options, folder):
    """The campaigns prove themselves: each deliberate fault of the engine must show where it is looked for;
    a crash that costs nothing, and faults that nobody injects, must fail the campaigns that meet them."""
    # fault, where to kill, what must be reported
    faults = [("late-intent", "before_persist.submitting", "surplus_certificates"),
              ("rebuild-result", "after_answer.upload,before_persist.closing", "second_results"),
              ("skip-settled", "after_persist.settled", "second_results")]
    seeing = blindness.start(options, os.path.join(folder, "blindness"))
    reported = {}
    for name, where, what in faults:
        run = argparse.Namespace(**vars(options))
        run.mutate, run.only, run.rounds = name, where, options.rounds
        sub = os.path.join(folder, name)
        os.mkdir(sub)
        result = Kills(run, sub).run()
        say("\n" + json.dumps(result))
        reported[name] = {what: result[what], "rounds": result["rounds"]}
    reported.update(blindness.reported(seeing))
    print(json.dumps({"campaign": "proof", "reported": reported}), flush=True)
    return all(next(iter(one.values())) > 0 for one in reported.values())

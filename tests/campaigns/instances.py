"""Several engines on one queue, frozen, killed, cloned and restored from an older copy.

A round is one sandbox and one of (`--only`): `crowd` (2-10 connectors of one tenant; one is killed, frozen for
longer than its lease, or stopped, again and again), `clone` (a data directory copied with the
identity in it, both run: one must halt with exit code 4, and stay so), `restore` (an older copy takes
the place of the data directory; the engine must notice, ask about everything and go on), `storm` (a
crowd, and a service and a CA with faults as in the campaign `service`).
"""
import json
import os
import random
import shutil
import signal
import subprocess
import time

from campaigns.stage import DRAIN_SECONDS, RESTARTS_MAX, STOPPED, Stage, rounds_of, say

LEASE_SECONDS = 3
QUIET_SECONDS = 2
REQUESTS_PER_SECOND = 12
CROWD_SECONDS = 14
STORM_DRAIN_SECONDS = 900  # the engine's back-off has grown to 5 minutes by the end of the faults
HALT_SECONDS = 40          # two processes under one name: one must have halted by then
HALTED, NOT_LET_IN = 4, 6  # app/exit_code.hpp
KINDS = ("crowd", "clone", "restore", "storm")
SETTINGS = {"limits.openRequestsMax": 40, "limits.quarantineHours": 0.001, "limits.attemptsMax": 100,
            "limits.freeSpaceFloorMebibytes": 1,
            "service.leaseSeconds": LEASE_SECONDS, "service.pollIntervalSeconds": 0.5,
            "service.callTimeoutSeconds": 5, "authorities.0.callTimeoutSeconds": 5,
            "authorities.0.settleSeconds": 1}


class Connector:
    """A folder with a configuration, a data directory and at most one process of it; `ends`: exit codes with
    which that may end by itself."""

    def __init__(self, stage, folder):
        self.stage, self.folder = stage, folder
        self.config = os.path.join(folder, "pfxengine.json")
        self.process, self.frozen, self.ends = None, False, ()
        self.log = os.path.join(stage.folder, os.path.basename(folder) + ".log")

    @staticmethod
    def beside(stage, name, code):
        """Another connector of the same tenant, with an identity of its own and the same keys for imports
        (and the master key under which they lie)."""
        made, first = Connector(stage, os.path.join(stage.folder, name)), os.path.dirname(stage.config)
        os.makedirs(os.path.join(made.folder, "data"), mode=0o700)
        made.write_config_of(stage.config)
        shutil.copy2(os.path.join(first, "master.key"), made.folder)
        if os.path.isdir(os.path.join(first, "data", "keys")):
            shutil.copytree(os.path.join(first, "data", "keys"), os.path.join(made.folder, "data", "keys"))
        subprocess.run([stage.program, "register", code, "--config", made.config], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return made

    def write_config_of(self, other):
        with open(other) as file:
            text = file.read()
        with open(self.config, "w") as file:
            file.write(text.replace(os.path.dirname(other) + "/", self.folder + "/"))

    def copy_to(self, name):
        """The whole machine a second time: identity, store, anchor, master key."""
        made = Connector(self.stage, os.path.join(self.stage.folder, name))
        shutil.rmtree(made.folder, ignore_errors=True)
        shutil.copytree(self.folder, made.folder, ignore=shutil.ignore_patterns("*.sock"))
        made.write_config_of(self.config)
        return made

    def start(self, *words):
        self.process = self.stage.run(self.config, self.log, words, ends=self.ends)
        return self

    def ended(self):
        return None if self.process is None else self.process.process.poll()

    def kill(self):
        self.process.kill()
        self.frozen = False

    def stop(self):
        self.thaw()
        return self.process.stop()

    def freeze(self):
        self.process.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        if self.frozen and self.ended() is None:
            self.process.process.send_signal(signal.SIGCONT)
        self.frozen = False


def drain(stage, connectors, seconds=DRAIN_SECONDS):
    """All run until the sandbox is content. One that ended is started again, but for a halt; an end that was
    not asked for, and that its connector does not expect, is a crash."""
    until, restarts = time.monotonic() + seconds, 0
    while not stage.poll() and time.monotonic() < until:
        for one in connectors:
            if one.ended() is not None and one.ended() != HALTED and restarts < RESTARTS_MAX:
                restarts += 1
                if one.process.ends is None:  # whoever started it does not see this end
                    one.process.ends = one.ends
                one.start()
        time.sleep(0.1)
    time.sleep(QUIET_SECONDS if stage.finished else 0)  # what was listed last is still to be revoked
    for one in connectors:
        if one.ended() is None:
            one.stop()
    return stage.finished


def new_stage(options, folder, seed, requests, codes=1, extra=()):
    # Requests stay under way for seconds, or nobody would be met at work.
    pending = [] if "--faults" in extra else ["--pending-answers", "6", "--pending-share", "0.6"]
    return Stage(options.program, folder,
                 ["--requests", str(requests), "--rate", str(REQUESTS_PER_SECOND), "--lease", str(LEASE_SECONDS),
                  "--redeliver-share", "0.2", "--devices", "10", "--seed", str(seed), "--codes", str(codes),
                  "--mix", "create-ec=30,create-rsa=1,import=5",
                  *pending, *extra], dict(SETTINGS))


def run_until(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        yield
        time.sleep(0.05)


def storm(options, folder, seed, dice):
    from campaigns.service import ends_of, plan_of  # it stands on this module
    plan, path = plan_of(dice, ""), os.path.join(folder, "faults.json")
    with open(path, "w") as file:
        json.dump(plan, file, indent=1)
    return crowd(options, folder, seed, dice, ["--faults", path], STORM_DRAIN_SECONDS, ends_of(plan))


def crowd(options, folder, seed, dice, extra=(), drain_seconds=DRAIN_SECONDS, ends=()):
    count = dice.choice([2, 2, 3, 3, 4, 5, 7, 10])
    seconds = (options.requests or CROWD_SECONDS * REQUESTS_PER_SECOND) / REQUESTS_PER_SECOND
    stage = new_stage(options, folder, seed, int(seconds * REQUESTS_PER_SECOND), count, extra)
    with open(os.path.join(stage.box, "sandbox.json")) as file:
        codes = json.load(file)["registrationCodes"]
    all_of = [Connector(stage, os.path.dirname(stage.config))]
    all_of += [Connector.beside(stage, f"connector-{n}", codes[n]) for n in range(1, count)]
    for one in all_of:
        one.ends = ends
        one.start()
    done = {"instances": count, "kills": 0, "freezes": 0, "stops": 0}
    thaw_at, start_at, half = {}, {}, time.monotonic() + seconds / 2
    for _ in run_until(seconds):
        for one in [one for one, at in thaw_at.items() if time.monotonic() >= at]:
            one.thaw()
            del thaw_at[one]
        for one in [one for one in all_of if one.ended() is not None]:
            # down for a moment, or for longer than its leases
            if time.monotonic() >= start_at.setdefault(one, time.monotonic() + dice.choice([0, 1, 5])):
                del start_at[one]
                one.start()
        victim = dice.choice(all_of)
        overdue = time.monotonic() > half and not done["kills"] + done["freezes"]
        if victim in thaw_at or victim.ended() is not None or (dice.random() > 0.06 and not overdue):
            continue
        deed = dice.choice(["kill", "kill", "freeze", "freeze"] + ([] if overdue else ["stop"]))
        if deed == "kill":
            victim.kill()
            done["kills"] += 1
        elif deed == "freeze":
            victim.freeze()
            thaw_at[victim] = time.monotonic() + LEASE_SECONDS + dice.uniform(0.2, 3)
            done["freezes"] += 1
        else:
            victim.process.ask(signal.SIGTERM, STOPPED)
            done["stops"] += 1
    for one in thaw_at:
        one.thaw()
    faults = [] if done["kills"] + done["freezes"] else ["nobody was killed or frozen"]
    return stage, drain(stage, all_of, drain_seconds), done, faults


def pause_of(connector, dice):
    """Ends or freezes a process so that its folder can be copied."""
    how = dice.choice(["stop", "kill", "freeze"])
    {"stop": connector.stop, "kill": connector.kill, "freeze": connector.freeze}[how]()
    return how


def clone(options, folder, seed, dice):
    stage = new_stage(options, folder, seed, options.requests or 150)
    first = Connector(stage, os.path.dirname(stage.config))
    first.ends = (HALTED,)
    first.start()
    time.sleep(dice.uniform(1, 5))
    how = pause_of(first, dice)
    second = first.copy_to("copy")
    second.ends = (HALTED,)
    if how == "freeze":
        first.thaw()
    elif dice.random() < 0.5:
        first.start()
        second.start()
    else:
        second.start()
        first.start()
    if second.process is None:
        second.start()
    faults, both = [], [first, second]
    for _ in run_until(HALT_SECONDS):
        if any(one.ended() is not None for one in both):
            break
    time.sleep(2)
    halted = [one for one in both if one.ended() == HALTED]
    others = [one.ended() for one in both if one.ended() not in (None, HALTED)]
    if not halted:
        faults.append(f"two processes under one name, and none halted: exit codes {[o.ended() for o in both]}")
    if others:
        faults.append(f"exit codes {others}")
    going = [one for one in both if one not in halted]
    for one in halted:  # started again without an operator's word, it must refuse
        if one.start().process.wait(30) != HALTED:
            one.kill()
            if going:
                faults.append("a halted copy ran again without an operator's word")
            else:
                going.append(one.start())
    if not going:  # both: an operator decides for one
        going = [first]
        first.start("--resume")
    return stage, drain(stage, going), {"paused_by": how, "halted": len(halted)}, faults


def restore(options, folder, seed, dice):
    stage = new_stage(options, folder, seed, options.requests or 150)
    only = Connector(stage, os.path.dirname(stage.config)).start()
    time.sleep(dice.uniform(0.5, 4))
    how = pause_of(only, dice)
    copy = only.copy_to("backup")
    only.thaw() if how == "freeze" else only.start()
    time.sleep(dice.uniform(1, 5))
    only.kill() if dice.random() < 0.7 else only.stop()
    with_anchor = dice.random() < 0.5
    shutil.rmtree(os.path.join(only.folder, "data"))
    shutil.copytree(os.path.join(copy.folder, "data"), os.path.join(only.folder, "data"))
    if with_anchor:
        shutil.copytree(os.path.join(copy.folder, "data-anchor"), os.path.join(only.folder, "data-anchor"),
                        dirs_exist_ok=True)
    only.start()
    drained = drain(stage, [only])
    with open(only.log, errors="replace") as file:
        reconciled = "reconciled" in file.read()
    return stage, drained, {"paused_by": how, "anchor_restored": with_anchor, "reconciled": int(reconciled)}, []


def wrong_of(verdict, drained, faults, alone=False):
    """What no round may show. A certificate that a takeover made superfluous is revoked by the end; `alone`,
    one engine that forgets nothing, never makes a second one."""
    out = {"lost": verdict["lost"] + verdict["waiting"], "second_results": verdict["duplicates"],
           "surplus_certificates": verdict["surplusCertificates"] + (verdict["twiceCertified"] if alone else 0),
           "shared_keys": verdict["sharedKeys"], "failed": verdict["failed"]}
    if not drained:
        out["lost"] = max(1, out["lost"])
    faults = faults + verdict["faults"][:10]
    return out, faults


def instances(options, folder):
    started, kinds = time.monotonic(), options.only.split(",") if options.only else KINDS
    total = {"lost": 0, "second_results": 0, "surplus_certificates": 0, "shared_keys": 0, "failed": 0}
    count = {"requests": 0, "delivered": 0, "takeovers": 0, "superseded": 0, "kills": 0, "freezes": 0, "stops": 0,
             "halted": 0, "reconciled": 0, "twice_certified": 0}
    rounds, seen, good = {kind: 0 for kind in kinds}, [], True
    for number in rounds_of(options):
        kind, seed = kinds[number % len(kinds)], options.seed * 10_000 + number
        sub = os.path.join(folder, f"{kind}-{number}")
        os.mkdir(sub)
        stage, drained, done, faults = globals()[kind](options, sub, seed, random.Random(seed))
        verdict = stage.verdict()
        if kind == "storm" and not verdict["faultsInjected"]:
            faults.append("service and CA did nothing wrong")
        wrong, faults = wrong_of(verdict, drained, faults + stage.crashes())
        for name, value in wrong.items():
            total[name] += value
        for name in count:
            count[name] += done.get(name, 0)
        for name, key in (("requests", "requests"), ("delivered", "delivered"), ("takeovers", "takeovers"),
                          ("superseded", "superseded"), ("twice_certified", "twiceCertified")):
            count[name] += verdict[key]
        rounds[kind] += 1
        clean = drained and not faults and not any(wrong.values())
        say(f"round {number + 1}/{options.rounds} {kind} seed {seed} {done}"
            + ("" if clean else f" drained {drained} {wrong} {faults}"))
        if not clean:
            good = False
            seen.append({"round": number, "kind": kind, "seed": seed, "drained": drained, **wrong,
                         "faults": faults[:5]})
        elif not options.keep:
            shutil.rmtree(sub, ignore_errors=True)
    print(json.dumps({"campaign": "instances", "seed": options.seed, "in_a_round": options.requests or None, "rounds": rounds, **total, **count,
                      "bad_rounds": seen[:10], "seconds": round(time.monotonic() - started, 1)}), flush=True)
    return good

"""Requests that were settled long ago are handed out again, all of them, in front of new ones.

A connector of 2019 did the work of such requests anew, again and again, while new ones starved behind
them. Here the service of the benches does the same to the engine as shipped: one process, one store
with the settled requests, written there through the storage interface before the engine starts.

    sample   some settled requests alone: what one costs
    mixed    all others, and behind them the new ones
    alone    as many new ones with nothing in front

The last new one must be done within (time alone + settled x cost of one x --slack). The CA's journal,
the counters of private keys and of synced writes, and the devices say that nothing was done twice. That
they would say so is shown in the same run: the new ones, passed off as settled ones, must be reported.
"""
import json
import os
import sys
import time

from campaigns.stage import ROOT, say

sys.path.insert(0, os.path.join(ROOT, "bench"))
import engine as bench  # noqa: E402
import machine  # noqa: E402
import workloads  # noqa: E402

SAMPLE_SHARE = 5       # one of so many settled requests is handed out alone first
IN_FLIGHT = 2_000
SYNCS_PER_OLD_MAX = 0.5


class Plan:
    """What bench.Side asks of a plan."""

    def __init__(self, options, settled):
        self.binaries, self.count, self.cores = os.path.dirname(options.program), settled, machine.split_cores()
        self.of = workloads.Workload("create-ec", settled, IN_FLIGHT, settled=True)

    def program(self, name):
        return os.path.join(self.binaries, name)


def journal(side):
    with open(os.path.join(side.where["directory"], "ca-journal.txt"), encoding="ascii") as file:
        return file.read().split("\n")[:-1]


def phase(side, name, count):
    """Hands out the next `count`; what it took and what moved meanwhile."""
    before, lines = side.status()["totals"], len(journal(side))
    cpu, started = machine.cpu_seconds(side.engine.pid), time.monotonic()
    said = side.tell(f"run {count} 0 {IN_FLIGHT} 0")
    after = side.status()["totals"]
    got = {"requests": count, "ended": said["ended"], "seconds": round(said["seconds"], 3),
           "engine_cpu_seconds": round(machine.cpu_seconds(side.engine.pid) - cpu, 2),
           "ca_calls": len(journal(side)) - lines,
           **{key: after[key] - before[key] for key in ("keysMade", "keysUsed", "submits", "commits", "uploads")}}
    say(f"{name}: {got} ({time.monotonic() - started:.1f} s)")
    return got


def faults_of(phases, settled, new, verified, lines):
    """Everything that is wrong with a run, as sentences."""
    sample, mixed, alone = phases["sample"], phases["mixed"], phases["alone"]
    out = [f"{name}: {one['ended']} of {one['requests']} ended" for name, one in phases.items()
           if one["ended"] != one["requests"]]
    for name, one, fresh in (("sample", sample, 0), ("mixed", mixed, new), ("alone", alone, new)):
        out += [f"{name}: {key} is {one[key]}, not {wanted}" for key, wanted in
                (("keysMade", fresh), ("submits", fresh), ("ca_calls", fresh), ("keysUsed", 0)) if one[key] != wanted]
    if sample["commits"] > sample["requests"] * SYNCS_PER_OLD_MAX:
        out.append(f"{sample['commits']} synced writes for {sample['requests']} settled requests")
    if len(set(lines)) != len(lines) or any(not line.startswith("submit ") for line in lines):
        out.append("the CA was asked twice, or something else than to issue")
    if verified["wrong"] or verified["opened"] != sample["requests"] + settled + 2 * new:
        out.append(f"of {verified['opened']} answers {verified['wrong']} are wrong: {verified['faults']}")
    return out


def redelivery(options, folder):
    settled, new = options.settled, options.new
    sample = max(1, settled // SAMPLE_SHARE)
    with bench.Side(Plan(options, sample + settled), folder) as side:
        everything = sample + settled + 2 * new
        side.tell(f"prepare {everything}")
        phases = {"sample": phase(side, "sample", sample), "mixed": phase(side, "mixed", settled + new),
                  "alone": phase(side, "alone", new)}
        rss = machine.peak_mib(side.engine.pid)
        side.stop_engine()
        verified, lines = side.tell(f"verify {everything}"), journal(side)
    each = phases["sample"]["seconds"] / sample
    allowed = phases["alone"]["seconds"] + settled * each * options.slack
    faults = faults_of(phases, settled, new, verified, lines)
    if phases["mixed"]["seconds"] > allowed:
        faults.append("the new requests starved behind the settled ones")
    planted = faults_of({**phases, "sample": phases["alone"]}, settled, new, verified, lines)
    blind = [wanted for wanted in ("sample: keysMade", "sample: submits", "sample: ca_calls", "synced writes")
             if not any(wanted in fault for fault in planted)]
    print(json.dumps({"campaign": "redelivery", "settled": settled, "new": new, "settled_each_us": round(each * 1e6, 1),
                      "alone_seconds": phases["alone"]["seconds"], "mixed_seconds": phases["mixed"]["seconds"],
                      "allowed_seconds": round(allowed, 3), "ca_calls_mixed": phases["mixed"]["ca_calls"],
                      "keys_made_mixed": phases["mixed"]["keysMade"], "peak_rss_mib": round(rss, 1),
                      "opened": verified["opened"], "phases": phases, "planted_not_found": blind,
                      "faults": faults}), flush=True)
    return not faults and not blind

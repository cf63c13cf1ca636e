"""The workloads: what is set up, when the counters are read, and what the figures are made of."""
import dataclasses
import json
import os
import statistics
import subprocess
import time

import engine
import machine

HEAD = ("name engine_per_s limit_per_s ratio cpu_us_per_request p50_ms p99_ms rss_mib "
        "syncs_per_request")
LIMIT_SECONDS = 3
PACED_SHARE = 0.5      # of the measured rate, for the latencies
PACED_SECONDS = 4      # at most
PACED_MIN = 8          # requests; a percentile of fewer would be none
VERIFIED_MAX = 300     # results opened after the clock has stopped, per round


class Unsound(Exception):
    """A run whose figures mean nothing."""


@dataclasses.dataclass
class Workload:
    kind: str              # of the sandbox's orders
    requests: int          # without --requests
    in_flight: int
    key: bool = False      # the connector needs one for imports
    settled: bool = False  # the requests are settled before the start
    limit: str = ""


ALL = {
    "create-p256": Workload("create-ec", 6000, 256,
                            limit="one P-256 key, one signature, two PBKDF2 and one PKCS#12 KDF of 2,048 "
                                  "iterations, AES and HMAC of the file, one RSA-OAEP, synced groups of 128"),
    "create-rsa2048": Workload("create-rsa", 200, 16,
                               limit="the same with one RSA-2048 key of OpenSSL's generator"),
    "import": Workload("import:openssl-rsa2048.p12", 6000, 256, key=True,
                       limit="one RSA-2048 decryption, two PBKDF2 and one PKCS#12 KDF of 2,048 iterations, "
                             "AES and HMAC of the file, one RSA-OAEP, synced groups of 128"),
    "redelivery": Workload("create-ec", 60000, 2000, settled=True,
                           limit="one look-up among the settled records, one SHA-256 of the request"),
    "queue-cycle": Workload("", 6000, 128,
                            limit="the same octets in the same groups, one synced write each, bare RocksDB"),
}


@dataclasses.dataclass
class Plan:
    name: str
    binaries: str
    scratch: str
    cores: dict
    seconds: float
    requests: int
    repeat: int
    profile: bool

    @property
    def of(self):
        return ALL[self.name]

    @property
    def count(self):
        return max(4, min(self.of.requests, self.requests or self.of.requests))

    def program(self, name):
        return os.path.join(self.binaries, name)


def tool(plan, command, cores):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          preexec_fn=machine.pinned(cores))
    if done.returncode != 0:
        raise Unsound(done.stderr.strip() or f"{command[0]} failed")
    return json.loads(done.stdout)


def limit(plan, folder):
    return tool(plan, [plan.program("bench_limits"), plan.name, "--threads", str(len(plan.cores["engine"])),
                       "--seconds", str(min(LIMIT_SECONDS, max(plan.seconds, 0.5))), "--dir", folder],
                plan.cores["engine"])


def queue_round(plan, folder):
    got = tool(plan, [plan.program("bench_queue"), "--dir", folder, "--requests", str(plan.count),
                      "--in-flight", str(plan.of.in_flight)], plan.cores["engine"])
    of = got["engine"]
    return {"engine_per_s": of["per_s"], "limit_per_s": got["limit"]["per_s"],
            "cpu_us_per_request": of["cpu_us"], "p50_ms": of["p50_ms"], "p99_ms": of["p99_ms"],
            "rss_mib": 0, "syncs_per_request": of["commits"] / got["requests"],
            "requests": got["requests"], "octets_per_request": got["octets_per_request"],
            "limit_cpu_us": got["limit"]["cpu_us"]}


def read_counters(side):
    return {"cpu": machine.cpu_seconds(side.engine.pid), "threads": machine.cpu_of_threads(side.engine.pid),
            "others": machine.cpu_seconds(side.generator.pid), "totals": side.status()["totals"],
            "switches": machine.context_switches(side.engine.pid),
            "written": machine.written_bytes(side.engine.pid), "at": time.monotonic()}


def between(first, last, ended):
    threads = {name: (spent - first["threads"].get(name, 0)) * 1e6 / ended
               for name, spent in last["threads"].items()}
    wall = last["at"] - first["at"]
    return {"cpu_us_per_request": (last["cpu"] - first["cpu"]) * 1e6 / ended,
            "syncs_per_request": (last["totals"]["commits"] - first["totals"]["commits"]) / ended,
            "threads_us": {name: us for name, us in sorted(threads.items(), key=lambda one: -one[1]) if us >= 1},
            "engine_busy": (last["cpu"] - first["cpu"]) / wall,
            "others_busy": (last["others"] - first["others"]) / wall,
            "switches_per_request": (last["switches"] - first["switches"]) / ended,
            "disk_octets_per_request": (last["written"] - first["written"]) / ended}


def check(side, said, wanted):
    if not said["complete"] or said["ended"] == 0:
        raise Unsound(f"only {said['ended']} of {wanted} requests ended; the engine: {side.last_words()}")


def end_to_end(plan, folder, profiled):
    count = plan.count
    saturated = max(1, count * 3 // 4)
    with engine.Side(plan, folder) as side:
        side.tell(f"prepare {count}")
        before = read_counters(side)
        record = side.profile(os.path.join(folder, "perf.data")) if profiled else None
        said = side.tell(f"run {saturated} {plan.seconds} {plan.of.in_flight} 0")
        after = read_counters(side)
        report = engine.heaviest(record) if record else None
        check(side, said, saturated)
        rate = said["ended"] / said["seconds"]
        got = {"engine_per_s": rate, "requests": said["ended"], "seconds": said["seconds"],
               "saturated_p50_ms": said["p50_ms"], "downloads": said["downloads"], "uploads": said["uploads"]}
        got.update(between(before, after, said["ended"]))
        wish = int(rate * PACED_SHARE * min(PACED_SECONDS, plan.seconds))
        rest = min(count - said["ended"], max(PACED_MIN, wish))
        paced = side.tell(f"run {rest} 0 {plan.of.in_flight} {rate * PACED_SHARE}")
        check(side, paced, rest)
        got.update({"p50_ms": paced["p50_ms"], "p99_ms": paced["p99_ms"], "paced": paced["ended"],
                    "rss_mib": machine.peak_mib(side.engine.pid)})
        side.stop_engine()
        seen = side.tell(f"verify {VERIFIED_MAX}")
        if seen["wrong"] or seen["ended"] != said["ended"] + paced["ended"]:
            raise Unsound(f"{seen['wrong']} of {seen['opened']} results are wrong: {seen['faults']}")
        got["verified"] = seen["opened"]
        if report:
            got["profile"] = report
        return got


def medians(rounds):
    out = {}
    for key, first in rounds[0].items():
        if isinstance(first, dict):
            out[key] = medians([one[key] for one in rounds if key in one])
        elif isinstance(first, (int, float)):
            out[key] = statistics.median([one[key] for one in rounds if key in one])
        else:
            out[key] = first
    return out


def limit_cpu(got):
    """CPU that the limit takes for one request: what others took from the core is not in it."""
    return got.get("limit_cpu_us") or sum(got["limit_parts_us"].values())


def run(plan):
    rounds, limits = [], []
    for at in range(plan.repeat):
        folder = os.path.join(plan.scratch, str(at))
        os.makedirs(folder)
        if plan.name == "queue-cycle":
            rounds.append(queue_round(plan, folder))
            continue
        limits.append(limit(plan, folder))
        rounds.append(end_to_end(plan, folder, plan.profile and at == plan.repeat - 1))
    if limits:
        limits.append(limit(plan, plan.scratch))
    out = medians([{key: value for key, value in one.items() if key != "profile"} for one in rounds])
    if limits:
        out["limit_per_s"] = statistics.median(one["per_s"] for one in limits)
        out["limit_parts_us"] = medians([one["parts_us"] for one in limits])
    out["ratio"] = out["engine_per_s"] / out["limit_per_s"]
    out["cpu_ratio"] = limit_cpu(out) / out["cpu_us_per_request"]
    out["limit"] = plan.of.limit
    out["rounds"] = [round(one["engine_per_s"], 1) for one in rounds]
    out["limit_rounds"] = [round(one["per_s"], 1) for one in limits] or [
        round(one["limit_per_s"], 1) for one in rounds]
    if "profile" in rounds[-1]:
        out["profile"] = rounds[-1]["profile"]
    return out


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def line(name, got):
    return " ".join([name] + [number(got[key]) for key in HEAD.split()[1:]])

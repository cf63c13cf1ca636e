"""docs/performance.md out of one run. What people wrote below KEPT stays as it is."""
import os

import workloads

KEPT = "## What the first profile shows"
HEADINGS = {"cpu_us_per_request": "CPU µs per request", "rss_mib": "RSS MiB", "cpu_ratio": "CPU ratio"}
NO_FINDINGS = KEPT + "\n\nNothing was written down yet.\n"

INTRO = """# Performance

<!-- Made by `bench/run --write-docs`, but for the last section; change bench/page.py instead. -->

How fast is the engine as shipped, and how far is that from what the machine allows? The question, the
workloads and each word of the table are explained in [bench/README.md](../bench/README.md).

| machine | {cpu}, {cores} cores, {memory_gib} GiB |
|---|---|
| system | {system}, kernel {kernel}, {openssl} |
| date | {date} |
| command | `{command}` |
| cores | engine and limits on {engine}, service, CA and devices on {others} |
| load | {load_before:.1f} before, {load_after:.1f} after (1-minute average; above {cores}, others were at work) |

Medians of {repeat} rounds.
"""


def table(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
                     + ["| " + " | ".join(str(one) for one in row) + " |" for row in rows]) + "\n"


def results(out):
    words = workloads.HEAD.split()[1:] + ["cpu_ratio"]
    rows = [[name] + [workloads.number(got[key]) for key in words]
            for name, got in out["workloads"].items()]
    return table(["workload"] + [HEADINGS.get(one, one.replace("_", " ")) for one in words], rows) + (
        "\n`ratio` compares what was done in a second of a clock on the wall, `CPU ratio` the CPU of one\n"
        "request (limit / engine): the second holds better while others are at work on the same cores.\n")


def limits(out):
    rows = [[name, got["limit"], ", ".join(workloads.number(one) for one in got["limit_rounds"]),
             ", ".join(workloads.number(one) for one in got["rounds"])] for name, got in out["workloads"].items()]
    text = "## The limits\n\nOnly what the workload cannot do without, on the engine's cores.\n\n"
    text += table(["workload", "what the limit does", "its rounds, per s", "the engine's rounds, per s"], rows)
    parts = [[name, part, workloads.number(us)] for name, got in out["workloads"].items()
             for part, us in got.get("limit_parts_us", {}).items()]
    return text + "\n" + table(["workload", "part of the limit", "µs"], parts) if parts else text


def where_time_goes(out):
    text = "## Where the engine's time goes\n\nCPU by thread name, per request; `busy` is in cores.\n\n"
    rows = [[name, ", ".join(f"{thread} {us:.0f}" for thread, us in got["threads_us"].items()),
             f"{got['engine_busy']:.2f}", f"{got['others_busy']:.2f}", workloads.number(got["switches_per_request"]),
             f"{got['disk_octets_per_request']:,.0f}"]
            for name, got in out["workloads"].items() if "threads_us" in got]
    text += table(["workload", "µs by thread", "engine busy", "others busy", "context switches", "octets to disk"],
                  rows)
    for name, got in out["workloads"].items():
        if "profile" in got:
            text += f"\n`{name}`, self time in samples of the engine (`--profile`):\n\n"
            text += table(["%", "in", "function"], [[one["percent"], one["in"], f"`{one['function']}`"]
                                                     for one in got["profile"][:15]])
    return text


def beside(out):
    if not out.get("peers"):
        return ""
    text = ("## Peers\n\nOther programs on the engine's cores in the same run. None does the engine's job; "
            "these are figures to stand beside, not to win against.\n\n")
    rows = [[one["name"], one["beside"], workloads.number(one["per_s"]), workloads.number(one["cpu_us"]),
             workloads.number(one["p50_ms"]), one["does"], one["lacks"]] for one in out["peers"]]
    return text + table(["peer", "beside", "per s", "CPU µs", "p50 ms", "does", "does not"], rows)


def write(path, out):
    kept = NO_FINDINGS
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            before = file.read()
        kept = before[before.index(KEPT):] if KEPT in before else kept
    facts = {**out["machine"], "command": out["command"], "repeat": out["repeat"],
             "engine": out["cores"]["engine"], "others": out["cores"]["others"]}
    parts = [INTRO.format(**facts), results(out), limits(out), where_time_goes(out), beside(out), kept]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(part for part in parts if part))

"""Does the time of a refusal tell why an import was refused? Durations of every kind of failure, in a
random order, through the function of the engine; judged by distributions, kind against kind.

A leak is a pair of kinds that t (|t| > 4.5, dudect's threshold; the quantiles' too) or the ranks (|z| > 5)
tell apart by more than DIFFERENCE_NS of CPU time. First the judge must see two planted ones: an early return after a
failed RSA decryption, and one of five microseconds.
"""
import collections
import concurrent.futures
import itertools
import json
import os
import statistics
import subprocess

from campaigns.distributions import compare
from campaigns.stage import say

T_MAX = 4.5
Z_MAX = 5.0
DIFFERENCE_NS = 1_000
PLANTED_RUNS_MAX = 2_000
SERIES = ("oaep", "pkcs1", "oaep-no-mac", "pkcs1-no-mac", "damaged-file-no-mac")  # of the tool
OPENS = "right-password"
# Known and written down in docs/security-tests.md: whoever changes a file without a MAC, knowing its
# password's ciphertext, learns whether a certificate inside it could still be parsed.
# Under PKCS#1 v1.5 the short password of `wrong-password` is a microsecond faster than what has any length;
# its length is known to who chose it.
ACCEPTED = {("damaged-file-no-mac", "bad-certificate"), ("pkcs1", "wrong-password"),
            ("pkcs1-no-mac", "wrong-password")}


def measure(tool, *arguments):
    """series → kind → sorted CPU times; and one derivation's."""
    done = subprocess.run([tool, *arguments], check=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    samples = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in done.stdout.splitlines():
        series, kind, cpu, _ = line.split()
        samples[series][kind].append(int(cpu))
    derivation = statistics.median(samples.pop("derivation")["pbkdf2"])
    return {series: {kind: sorted(values) for kind, values in kinds.items()}
            for series, kinds in samples.items()}, derivation


def measure_all(tool, jobs, *arguments):
    """Each series in a process of its own, so many at a time: only kinds of one series are compared."""
    samples, derivations = {}, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for one, derivation in pool.map(lambda name: measure(tool, *arguments, "--series", name), SERIES):
            samples.update(one)
            derivations.append(derivation)
    if set(samples) != set(SERIES):
        raise RuntimeError(f"the tool knows {sorted(samples)}")
    return samples, statistics.median(derivations)


def judge(samples, derivation):
    """Every pair of failing kinds of every series."""
    rows = []
    for series, kinds in samples.items():
        for left, right in itertools.combinations([kind for kind in kinds if kind != OPENS], 2):
            found = compare(kinds[left], kinds[right])
            told = abs(found["t"]) > T_MAX or abs(found["z"]) > Z_MAX
            accepted = (series, left) in ACCEPTED or (series, right) in ACCEPTED
            large = max(abs(found["ns"]), abs(found["strongest_ns"])) > DIFFERENCE_NS
            rows.append({"series": series, "left": left, "right": right, **found, "accepted": accepted,
                         "of_a_derivation": found["ns"] / derivation, "told": told,
                         "leak": told and large and not accepted})
    return rows


def print_table(samples, rows, derivation):
    say(f"one derivation: {derivation / 1000:.0f} us of CPU time")
    for series, kinds in samples.items():
        say(f"{series:22}{'kind':22}{'median us':>10}{'5 %':>10}{'95 %':>10}")
        for kind, values in kinds.items():
            low, middle, high = (values[int(len(values) * at)] / 1000 for at in (0.05, 0.5, 0.95))
            say(f"{'':22}{kind:22}{middle:10.1f}{low:10.1f}{high:10.1f}")
        mine = [row for row in rows if row["series"] == series]
        worst = sorted(mine, key=lambda row: -abs(row["t"]))[:3]
        for row in worst:
            say(f"{'':22}{row['left']} / {row['right']}: {row['ns']:+.0f} ns (+- {2 * row['error_ns']:.0f}), {row['where']}: "
                f"|t| {abs(row['t']):.1f}, |z| {abs(row['z']):.1f}, KS p {row['ks_p']:.3f}"
                + (" LEAK" if row["leak"] else " (accepted)" if row["accepted"] else ""))


def worst_of(rows, series):
    mine = [row for row in rows if row["series"] == series and not row["accepted"]]
    worst = max(mine, key=lambda row: abs(row["ns"]))
    return {"pairs": len(mine), "largest_ns": round(worst["ns"]), "largest_pair": [worst["left"], worst["right"]],
            "error_ns": round(worst["error_ns"]), "t_max": round(max(abs(row["t"]) for row in mine), 2),
            "z_max": round(max(abs(row["z"]) for row in mine), 2),
            "told_apart": sum(row["told"] for row in mine), "leaks": sum(row["leak"] for row in mine)}


def oracle(options, folder):
    tool = os.path.join(os.path.dirname(options.program), "oracle")
    seed = ["--seed", str(options.seed)]
    planted = {}
    for plant in ("early-return", "microseconds"):
        samples, derivation = measure(tool, *seed, "--runs", str(min(PLANTED_RUNS_MAX, options.requests)), "--series",
                                      "oaep", "--plant", plant)
        rows = judge(samples, derivation)
        # Every kind that fails in RSA against the one that does not.
        mine = [row for row in rows if "wrong-password" in (row["left"], row["right"])]
        planted[plant] = {"leaks": sum(row["leak"] for row in mine), "of": len(mine)}
    say(f"planted: {planted}")
    samples, derivation = measure_all(tool, options.jobs, *seed, "--runs", str(options.requests))
    with open(os.path.join(folder, "samples.json"), "w", encoding="ascii") as file:
        json.dump(samples, file)
    rows = judge(samples, derivation)
    print_table(samples, rows, derivation)
    leaks = [row for row in rows if row["leak"]]
    blind = [plant for plant, one in planted.items() if one["leaks"] < one["of"] or one["of"] == 0]
    print(json.dumps({"campaign": "oracle", "runs_of_each_kind": options.requests, "derivation_ns": round(derivation),
                      "series": {series: worst_of(rows, series) for series in samples}, "planted": planted,
                      "planted_not_found": blind, "accepted": [
                          {key: row[key] for key in ("series", "left", "right", "ns")} for row in rows
                          if row["accepted"] and row["told"]],
                      "leaks": [{key: row[key] for key in ("series", "left", "right", "ns", "t", "z")}
                                for row in leaks][:20]}), flush=True)
    return not leaks and not blind

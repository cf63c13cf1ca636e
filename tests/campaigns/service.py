"""A service and a CA that do everything wrong, for a while; then the queue must drain and the books be
right. Each round writes a file of faults from its seed (`pfxengine sandbox --faults`)."""
import json
import os
import random
import shutil
import time

from campaigns.instances import NOT_LET_IN, Connector, drain, wrong_of
from campaigns.stage import Stage, rounds_of, say

REQUESTS = 150             # in a round, but for `--requests`
REQUESTS_PER_SECOND = 12
DRAIN_SECONDS = 240
RETRY_DRAIN_SECONDS = 900  # `--only retry`: the engine waits ten minutes of the ten years (limits::asked_wait_ms_max)
SETTINGS = {"limits.openRequestsMax": 60, "limits.quarantineHours": 0.001, "limits.attemptsMax": 100,
            "limits.freeSpaceFloorMebibytes": 1,
            "service.leaseSeconds": 5, "service.pollIntervalSeconds": 0.5, "service.callTimeoutSeconds": 2,
            "authorities.0.callTimeoutSeconds": 2, "authorities.0.settleSeconds": 1}
CA = ["CertificateAuthority/submit", "CertificateAuthority/find", "CertificateAuthority/revoke"]
DESK = ["Connectors/checkIn", "Connectors/importKeys", "PfxRequests/download", "PfxRequests/renewLeases",
        "PfxRequests/upload", "PfxRequests/query"]
WIRE = ("status", "html", "cut", "length", "drip", "late", "close", "redirect", "certificate")
# Honoured up to a limit of the engine's own; what a campaign can wait for, and what means nothing.
RETRY_AFTER = [None, 0, 1, 3, -5, "garbage", "", "1.5", {"date": 2}, {"date": -100000}]


def rule(dice):
    """One rule. Shares are small enough for something to get through."""
    calls, share = dice.choice([DESK, CA, DESK + CA, [dice.choice(DESK + CA)]]), round(dice.uniform(0.02, 0.25), 3)
    wire = {"calls": calls, "share": share}
    retry = dice.choice(RETRY_AFTER)
    status = {"fault": "status", "status": dice.choice([429, 500, 502, 503]), "when": dice.choice(["before", "after"]),
              **({} if retry is None else {"retryAfter": retry}), **wire}
    return dice.choice([
        status, status,
        {"fault": "status", "status": 503, "span": dice.randint(5, 40), "numbers": [dice.randint(1, 20)], "calls": calls},
        {"fault": "status", "status": 401, "span": dice.randint(1, 15), "numbers": [dice.randint(2, 40)], "calls": calls},
        {"fault": "html", "when": dice.choice(["before", "after"]), **wire},
        {"fault": "cut", **wire},
        {"fault": "length", "by": dice.choice([-1, 1, -50, 5000]), **wire},
        {"fault": "drip", "seconds": dice.choice([0.5, 4]), **wire, "share": share / 3},
        {"fault": "late", "seconds": 3, **wire, "share": share / 3},
        {"fault": "close", "when": dice.choice(["before", "after"]), **wire},
        {"fault": "close", "when": "after", "span": 4, **wire, "share": share / 3},
        {"fault": "redirect", "when": dice.choice(["before", "after"]), **wire},
        {"fault": "certificate", "which": dice.choice(["expired", "wrongName", "stranger"]),
         "handshakes": dice.randint(1, 12), "calls": DESK + CA, "numbers": sorted({dice.randint(2, 60), dice.randint(2, 60)})},
        {"fault": "twice", "count": dice.randint(1, 5), "share": 0.5},
        {"fault": "again", "count": dice.randint(1, 10), "share": 0.3},
        {"fault": "reordered", "share": 0.5},
        {"fault": "otherBody", "count": dice.randint(1, 3), "share": 0.4},
        {"fault": "junk", "share": 0.4},
        {"fault": "leaseTaken", "count": dice.randint(1, 4), "share": 0.2},
        {"fault": "staleEpoch", "calls": ["Connectors/checkIn"], "numbers": [dice.randint(1, 2)]},
        {"fault": "pending", "answers": dice.randint(1, 30), "share": share},
        {"fault": "pending", "share": 0.05},
        {"fault": "wrongKey", "share": share},
        {"fault": "otherRequest", "calls": ["CertificateAuthority/submit"], "share": share},
        {"fault": "expired", "share": 0.05},
        {"fault": "expiredChain", "share": 0.05},
        {"fault": "refuse", "share": 0.05},
        {"fault": "conflict", "share": share},
    ])


# One of each; for a short run (`--only all`).
EVERYTHING = [
    {"fault": "close", "when": "after", "share": 0.08}, {"fault": "close", "share": 0.04},
    {"fault": "status", "status": 503, "retryAfter": 1, "share": 0.04},
    {"fault": "status", "status": 429, "retryAfter": -5, "share": 0.02},
    {"fault": "status", "status": 500, "when": "after", "retryAfter": "garbage", "share": 0.02},
    {"fault": "status", "status": 401, "span": 3, "calls": ["PfxRequests/upload"], "numbers": [9]},
    {"fault": "cut", "share": 0.04}, {"fault": "length", "share": 0.04}, {"fault": "length", "by": -9, "share": 0.04},
    {"fault": "html", "share": 0.04}, {"fault": "redirect", "share": 0.02}, {"fault": "late", "seconds": 3, "share": 0.01},
    {"fault": "drip", "seconds": 0.5, "share": 0.03},
    {"fault": "certificate", "which": "wrongName", "handshakes": 4, "numbers": [30]},
    {"fault": "junk", "numbers": [3, 8]}, {"fault": "otherBody", "numbers": [4, 9]},
    {"fault": "reordered", "numbers": [5, 10]}, {"fault": "again", "count": 4, "numbers": [7, 11]},
    {"fault": "twice", "count": 3, "share": 0.5}, {"fault": "leaseTaken", "share": 0.1},
    {"fault": "staleEpoch", "calls": ["Connectors/checkIn"], "numbers": [1]},
    {"fault": "wrongKey", "numbers": [5, 15, 25]}, {"fault": "expired", "numbers": [6]},
    {"fault": "refuse", "numbers": [8]}, {"fault": "conflict", "numbers": [10, 20]},
    {"fault": "pending", "answers": 5, "share": 0.1}, {"fault": "pending", "numbers": [12]},
    {"fault": "otherRequest", "calls": ["CertificateAuthority/submit"], "numbers": [18, 28]},
    {"fault": "expiredChain", "calls": ["CertificateAuthority/submit"], "numbers": [35]},
]


# Alone in a round (`--only NAME`): what one wrong answer may not do.
SINGLE = {
    # during the closing walk, the CA shows the certificate of another request: it must not be revoked
    "find": [{"fault": "otherRequest", "calls": ["CertificateAuthority/find"], "share": 0.3},
             {"fault": "leaseTaken", "share": 0.3, "count": 3}],
    # "come again in ten years", once, from the service and from the CA
    "retry": [{"fault": "status", "retryAfter": 315360000, "numbers": [3], "calls": ["PfxRequests/download"]},
              {"fault": "status", "retryAfter": 315360000, "numbers": [3, 9], "calls": ["CertificateAuthority/submit"]}],
}


def plan_of(dice, only, requests=REQUESTS):
    until = {"seconds": round(requests / REQUESTS_PER_SECOND + 3, 1)}  # after it all faults stop
    if only in SINGLE:
        return {"until": until, "faults": SINGLE[only]}
    if only == "all":
        rules = [{"calls": DESK + CA, **one} if one["fault"] in WIRE else one for one in EVERYTHING]
        return {"until": until, "faults": rules}  # registering is not what is tried here
    return {"until": until, "faults": [rule(dice) for _ in range(dice.randint(3, 9))]}


def ends_of(plan):
    """How an engine may end by itself: a start that is refused by name, or that meets another's server
    certificate, is one that an administrator is told of."""
    refusing = any(one["fault"] == "certificate" or one.get("status") == 401 for one in plan["faults"])
    return (NOT_LET_IN,) if refusing else ()


def one_round(options, sub, seed, plan):
    """Verdict, drained, engines that ended as they may not."""
    with open(os.path.join(sub, "faults.json"), "w") as file:
        json.dump(plan, file, indent=1)
    stage = Stage(options.program, sub,
                  ["--requests", str(options.requests or REQUESTS), "--rate", str(REQUESTS_PER_SECOND), "--lease", "5", "--devices", "10",
                   "--redeliver-share", "0.2", "--lose-lease-share", "0.05", "--seed", str(seed),
                   "--mix", "create-ec=30,create-rsa=1,import=5", "--faults", os.path.join(sub, "faults.json")],
                  dict(SETTINGS))
    engine = Connector(stage, os.path.dirname(stage.config))
    engine.ends = ends_of(plan)
    engine.start()
    drained = drain(stage, [engine], RETRY_DRAIN_SECONDS if options.only == "retry" else DRAIN_SECONDS)
    return stage.verdict(), drained, stage.crashes()


def service(options, folder):
    started, good, injected, seen = time.monotonic(), True, {}, []
    total = {"lost": 0, "second_results": 0, "surplus_certificates": 0, "shared_keys": 0, "failed": 0}
    count = {"requests": 0, "delivered": 0, "excused": 0, "certificates": 0, "revoked": 0}
    for number in rounds_of(options):
        seed = options.seed * 10_000 + number
        plan = plan_of(random.Random(seed), options.only, options.requests or REQUESTS)
        sub = os.path.join(folder, f"round-{number}")
        os.mkdir(sub)
        verdict, drained, faults = one_round(options, sub, seed, plan)
        if options.only and not verdict["faultsInjected"]:
            faults.append("nothing was injected")
        wrong, faults = wrong_of(verdict, drained, faults)
        for name, value in wrong.items():
            total[name] += value
        for name, key in (("requests", "requests"), ("delivered", "delivered"), ("excused", "excused"),
                          ("certificates", "certificates"), ("revoked", "revokedCertificates")):
            count[name] += verdict[key]
        for name, value in verdict["injected"].items():
            injected[name] = injected.get(name, 0) + value
        clean = drained and not faults and not any(wrong.values())
        say(f"round {number + 1}/{options.rounds} seed {seed} injected {verdict['faultsInjected']}"
            + ("" if clean else f" drained {drained} {wrong} {faults}"))
        if not clean:
            good = False
            seen.append({"round": number, "seed": seed, "drained": drained, **wrong, "faults": faults[:5]})
        elif not options.keep:
            shutil.rmtree(sub, ignore_errors=True)
    print(json.dumps({"campaign": "service", "seed": options.seed, "in_a_round": options.requests or None, "rounds": options.done, **total, **count,
                      "faults_injected": sum(injected.values()), "kinds": len(injected),
                      "injected": dict(sorted(injected.items())), "bad_rounds": seen[:10],
                      "seconds": round(time.monotonic() - started, 1)}), flush=True)
    return good and sum(injected.values()) > 0  # a random file may have rules that never came to their turn

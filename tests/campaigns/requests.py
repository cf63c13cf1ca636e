"""Requests that are wrong on purpose, and requests that kill their worker."""
import json
import signal
import subprocess
import time

from campaigns.stage import DRAIN_SECONDS, Stage, clean, totals

POISON = 2  # a create and an import
POISONED = (-signal.SIGABRT,)


def quarantined_in(program, config):
    """Contexts of the requests that the engine gave up; none while it does not answer."""
    listed = subprocess.run([program, "requests", "list", "--state", "quarantined", "--json", "--config", config],
                            capture_output=True, text=True)
    answer = next((one for one in json.loads(listed.stdout or "{}").values() if isinstance(one, list)), [])
    return [one["context"] for one in answer]


def poison(options, folder):
    stage = Stage(options.program, folder,
                  ["--requests", str(options.requests - POISON), "--mix", "create-ec=1,import=1",
                   "--poison", "1", "--poison-imports", "1", "--lease", "20", "--seed", str(options.seed)])
    deaths, until = 0, time.monotonic() + DRAIN_SECONDS
    engine = stage.engine(POISONED, PFXENGINE_POISON="poison-")
    while not stage.poll() and time.monotonic() < until:
        if engine.wait(0.1) is not None:
            deaths += 1
            engine = stage.engine(POISONED, PFXENGINE_POISON="poison-")
    # The last request that is well may end before the poison was handed to a worker for the last time,
    # and an engine that just died answers nobody.
    quarantined = quarantined_in(options.program, stage.config)
    while len(quarantined) < POISON and time.monotonic() < until:
        if engine.wait(0.5) is not None:
            deaths += 1
            engine = stage.engine(POISONED, PFXENGINE_POISON="poison-")
        quarantined = quarantined_in(options.program, stage.config)
    engine.stop()
    poisoned = [one for one in quarantined if one.startswith("poison-")]
    result = {"campaign": "poison", "deaths": deaths, "quarantined": len(quarantined),
              "quarantined_contexts": quarantined, **totals(stage.verdict())}
    result["lost"] -= sum(1 for one in quarantined if not one.startswith("poison-"))
    print(json.dumps(result), flush=True)
    return (len(quarantined) == len(poisoned) == POISON and result["imported"] > 0
            and result["delivered"] == options.requests - POISON and clean(result) and deaths >= POISON)


# -- bad requests ------

def bad(options, folder):
    stage = Stage(options.program, folder, ["--requests", "90", "--mix",
                                            "bad=3,bad-import=2,create-ec=1,import=1", "--seed",
                                            str(options.seed)])
    drained = stage.drain()
    verdict = stage.verdict()
    result = {"campaign": "bad", "drained": drained, **totals(verdict), "faults": verdict["faults"]}
    print(json.dumps(result), flush=True)
    return drained and clean(result) and not verdict["faults"] and result["expected_failures"] > 0

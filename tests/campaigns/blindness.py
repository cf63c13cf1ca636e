"""Campaigns that must fail: an engine that crashes once in silence, and faults that nobody injects."""
import json
import os
import stat
import subprocess
import sys

from campaigns.stage import ROOT, say

SECONDS = 240
CRASH_AFTER_SECONDS = 2
# $0.once: only the first start crashes, so that all requests are delivered in the end
CRASHING = """#!/bin/sh
if [ "$1" = run ] && mkdir "$0.once" 2>/dev/null; then
  (sleep {seconds}; kill -SEGV $$) </dev/null >/dev/null 2>&1 &
fi
exec '{program}' "$@"
"""
# fiu-run -x -f … -c … PROGRAM …, and nothing is preloaded
IDLE = """#!/bin/sh
while [ "$1" != '{program}' ]; do shift; done
exec "$@"
"""


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, stat.S_IRWXU)
    return path


class Campaign:
    """A campaign in a process of its own, with a folder of its own."""

    def __init__(self, folder, words, env=None):
        self.log = os.path.join(folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([sys.executable, os.path.join(ROOT, "tests", "campaign"), *words],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env=dict(os.environ, TMPDIR=folder, **(env or {})))

    def result(self):
        """Exit code, and the line that it printed."""
        try:
            printed, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return None, {}
        lines = [one for one in printed.splitlines() if one.startswith("{")]
        return self.process.returncode, json.loads(lines[-1]) if lines else {}


def start(options, folder):
    os.makedirs(folder)
    crashing, idle = os.path.join(folder, "crashing"), os.path.join(folder, "idle")
    for sub in (crashing, idle):
        os.mkdir(sub)
    program = write(os.path.join(crashing, "pfxengine"),
                    CRASHING.format(program=options.program, seconds=CRASH_AFTER_SECONDS))
    write(os.path.join(idle, "fiu-run"), IDLE.format(program=options.program))
    return (Campaign(crashing, ["service", "--rounds", "1", "--only", "all", "--requests", "24", "--program", program]),
            Campaign(idle, ["faults", "--rounds", "1", "--program", options.program],
                     {"PATH": idle + os.pathsep + os.environ["PATH"]}))


def reported(campaigns):
    """What was noticed, by name; 0 where a campaign saw nothing, or failed for another reason."""
    crashing, idle = campaigns
    code, line = crashing.result()
    say(f"crashing: {code} {line}")
    said = str(line.get("bad_rounds"))
    out = {"silent-crash": {"crashes": line.get("crashes", 0) if code == 1 and "SIGSEGV" in said else 0}}
    code, line = idle.result()
    say(f"idle: {code} {line}")
    out["nothing-injected"] = {"noticed": int(code == 1 and "no call failed" in str(line.get("bad_stages")))}
    return out

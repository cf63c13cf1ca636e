"""A sandbox with its journals and one connector beside it; what every campaign stands on."""
import glob
import json
import os
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
READY_SECONDS = 120        # the sandbox makes keys first
DRAIN_SECONDS = 180        # after the last fault and the last request everything must become quiet
STOP_SECONDS = 30
RESTARTS_MAX = 50          # of engines that end by themselves in a drain; each counts as a crash
# app/exit_code.hpp: a clean stop, one that took too long; and a signal before the engine listens for it
STOPPED = (0, 7, -signal.SIGTERM)
KILLED = (-signal.SIGKILL,)


def say(text):
    print(text, file=sys.stderr, flush=True)


def newest_program():
    found = glob.glob(os.path.join(ROOT, "build", "*", "bin", "pfxengine"))
    if not found:
        sys.exit("no build/*/bin/pfxengine: build it first, or name it with --program")
    return max(found, key=os.path.getmtime)


def rounds_of(options, step=1):
    """0, step, … below `--rounds`, until `--minutes` are over; how many were begun is in `options.done`."""
    end = time.monotonic() + 60 * options.minutes if options.minutes else None
    options.done = 0
    while options.done < options.rounds and (end is None or time.monotonic() < end):
        number = options.done
        options.done = min(options.rounds, number + step)
        yield number


def commit():
    """The short commit of this tree; empty outside of git."""
    try:
        return subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True,
                              check=False).stdout.strip()
    except OSError:
        return ""


class Child:
    """A process of ours whose standard output is read line by line. `ends`: codes with which it may end
    unasked; None if whoever started it judges its end. Every other end is a crash: `tests/campaign` counts
    them over all children, so that no campaign can forget one."""

    started = []

    def __init__(self, arguments, log, env=None, read=False, ends=None):
        Child.started.append(self)
        self.ends, self.asked, self.hung = ends, (), False
        self.log = open(log, "ab")
        self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=self.log,
                                        stdout=subprocess.PIPE if read else self.log,
                                        env=dict(os.environ, **(env or {})), text=read or None)

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def ask(self, number, codes):
        """Sends a signal; from then on these codes are no surprise. What ended before was not asked."""
        if self.process.poll() is None:
            self.asked = codes
            self.process.send_signal(number)

    def kill(self):
        self.ask(signal.SIGKILL, (*self.asked, *KILLED))
        self.process.wait()

    def stop(self):
        self.ask(signal.SIGTERM, STOPPED)
        if self.wait(STOP_SECONDS) is None:
            self.hung = True
            self.kill()
        return self.process.returncode

    def crash(self):
        """A sentence about an end that nobody asked for; none while it runs, or if it may end so."""
        code = self.process.poll()
        if self.ends is None or code is None:
            return None
        if self.hung:
            return f"did not stop in {STOP_SECONDS} s"
        if code in self.ends or code in self.asked:
            return None
        return f"ended unasked: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}"


class Stage:
    """A sandbox with its journals, and one connector's folder beside it."""

    def __init__(self, program, folder, sandbox_arguments, settings=None):
        self.program, self.folder = program, folder
        self.box = os.path.join(folder, "sandbox")
        connector = os.path.join(folder, "connector")
        self.sandbox = Child([program, "sandbox", "--dir", self.box, "--connector", connector, "--format",
                              "json", "--stay", *sandbox_arguments], self.path("sandbox.log"), read=True)
        self.finished, self.engines = False, []
        ready = self.read_event("ready", READY_SECONDS)
        self.config, self.code = ready["connectorConfiguration"], ready["registrationCode"]
        self.as_user = []  # words in front of the engine's command
        with open(self.config) as file:
            content = json.load(file)
        for path, value in (settings or {}).items():
            at = content
            *parents, last = path.split(".")
            for name in parents:
                at = at[int(name)] if name.isdigit() else at.setdefault(name, {})
            at[last] = value
        with open(self.config, "w") as file:
            json.dump(content, file, indent=2)
        subprocess.run([program, "register", ready["registrationCode"], "--config", self.config],
                       check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.set_blocking(self.sandbox.process.stdout.fileno(), False)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read_event(self, wanted, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            line = self.sandbox.process.stdout.readline()
            if not line:
                if self.sandbox.process.poll() is not None:
                    sys.exit("the sandbox ended; see " + self.path("sandbox.log"))
                time.sleep(0.02)
                continue
            event = json.loads(line)
            if event["event"] == wanted:
                return event
        sys.exit(f"no event {wanted} from the sandbox in {seconds} s")

    def poll(self):
        """Reads what the sandbox said; true once it has seen everything end."""
        while True:
            line = self.sandbox.process.stdout.readline()
            if not line:
                return self.finished
            if '"finished"' in line:
                self.finished = True

    def run(self, config, log, words=(), env=None, ends=(), front=()):
        """An engine. `ends`: codes with which it may end by itself; `front`: words before its command."""
        child = Child([*front, self.program, "run", "--config", config, *words], log, env, ends=ends)
        self.engines.append(child)
        return child

    def engine(self, ends=(), **env):
        return self.run(self.config, self.path("engine.log"), env=env, ends=ends, front=self.as_user)

    def crashes(self):
        """Sentences: engines of this stage that ended as they may not."""
        return [why for why in (child.crash() for child in self.engines) if why]

    def drain(self, seconds=DRAIN_SECONDS, **env):
        """Runs the engine until the sandbox is content; restarts it if it dies, which is a crash. False: not
        in time."""
        until = time.monotonic() + seconds
        engine, restarts = self.engine(**env), 0
        while not self.poll() and time.monotonic() < until:
            if engine.wait(0.1) is not None:
                restarts += 1
                if restarts > RESTARTS_MAX:
                    return False
                engine = self.engine(**env)
        engine.stop()
        return self.finished

    def verdict(self):
        self.sandbox.stop()
        judged = subprocess.run([self.program, "sandbox", "judge", self.box], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True)
        return json.loads(judged.stdout)


def labels_of(program):
    tool = os.path.join(os.path.dirname(program), "fault_labels")
    return subprocess.run([tool], check=True, capture_output=True, text=True).stdout.split()


def totals(verdict):
    """What no campaign may show. One instance without amnesia: a second certificate for a request is
    surplus even if it was found and revoked in the end."""
    return {"requests": verdict["requests"], "delivered": verdict["delivered"],
            "imported": verdict["imported"],
            "failed": verdict["failed"], "expected_failures": verdict["expectedFailures"],
            "redelivered": verdict["redelivered"], "lost": verdict["lost"] + verdict["waiting"],
            "second_results": verdict["duplicates"],
            "surplus_certificates": verdict["surplusCertificates"] + verdict["twiceCertified"],
            "shared_keys": verdict["sharedKeys"], "certificates": verdict["certificates"],
            "faults": verdict["faults"][:10]}


def clean(result):
    return all(result[name] == 0 for name in
               ("lost", "second_results", "surplus_certificates", "shared_keys", "failed")) \
        and not result["faults"]

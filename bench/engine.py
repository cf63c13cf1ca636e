"""One connector as shipped and the generator around it: set up, started, asked, stopped."""
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import time

import machine

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 40
SID_DOMAIN = "S-1-5-21-1004336348-1177238915-682003330"


class Failed(Exception):
    """The programs did not do what they were started for."""


def configuration(folder, where):
    """What the generator's requests need opened; pfxengine config doc explains each."""
    box = where["directory"]
    return {
        "dataDirectory": os.path.join(folder, "data"),
        "masterKeyFile": os.path.join(folder, "master.key"),
        "service": {"url": where["serviceUrl"], "tenant": where["tenant"], "pollIntervalSeconds": 0.1,
                    "trustedRootsFile": os.path.join(box, "server-root.pem")},
        "authorities": [{"name": where["authority"], "url": where["caUrl"],
                         "trustedRootsFile": os.path.join(box, "server-root.pem"),
                         "chainRootsFile": os.path.join(box, "ca-root.pem")}],
        "recipients": {"trustFile": os.path.join(box, "device-root.pem")},
        "issuance": {
            "authorities": [{"name": where["authority"], "templates": ["User", "Device"]}],
            "nameTypes": ["rfc822", "upn", "dns", "uri", "ip", "directoryName"],
            "nameSuffixes": ["example.test"],
            "ipRanges": ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"],
            "directoryNameSuffixes": ["O=Example Test"],
            "securityIdentifierDomains": [SID_DOMAIN],
            "extendedKeyUsages": ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4"]},
        "imports": {"perThumbprintPerHour": 1000000, "perRecipientPerHour": 1000000},
    }


class Side:
    """Both processes. Use with `with`: whatever happens, they end."""

    def __init__(self, plan, folder):
        self.plan, self.folder = plan, folder
        self.generator = self.engine = None
        self.log = open(os.path.join(folder, "engine.log"), "wb")

    def __enter__(self):
        try:
            self.start_generator()
            self.set_up()
            self.start_engine()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in (self.engine, self.generator):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        self.log.close()

    def start_generator(self):
        box, data = os.path.join(self.folder, "box"), os.path.join(self.folder, "data")
        for one in (box, data):
            os.mkdir(one, 0o700)
        command = [self.plan.program("bench_generator"), "--dir", box, "--kind", self.plan.of.kind]
        if self.plan.of.settled:
            command += ["--settle-in", os.path.join(data, "store"), "--settled", str(self.plan.count)]
        self.generator = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                          preexec_fn=machine.pinned(self.plan.cores["others"]))
        self.where = self.heard()

    def heard(self):
        line = self.generator.stdout.readline()
        if not line:
            raise Failed("the generator ended")
        return json.loads(line)

    def tell(self, order):
        """One order; the generator's answer to it."""
        self.generator.stdin.write(order + "\n")
        self.generator.stdin.flush()
        return self.heard()

    def command(self, *words):
        done = subprocess.run([self.plan.program("pfxengine"), *words], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False,
                              preexec_fn=machine.pinned(self.plan.cores["others"]))
        if done.returncode != 0:
            raise Failed(f"pfxengine {words[0]}: {done.stderr.strip()}")
        return done.stdout

    def set_up(self):
        self.config = os.path.join(self.folder, "pfxengine.json")
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(configuration(self.folder, self.where), file)
        key = os.open(os.path.join(self.folder, "master.key"), os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600)
        os.write(key, secrets.token_hex(32).encode())
        os.close(key)
        self.command("register", self.where["code"], "--config", self.config, "--name", "bench")
        if self.plan.of.key:
            self.command("key", "create", "--name", "imports", "--config", self.config)

    def start_engine(self):
        self.engine = subprocess.Popen([self.plan.program("pfxengine"), "run", "--config", self.config],
                                       stdout=self.log, stderr=self.log,
                                       preexec_fn=machine.pinned(self.plan.cores["engine"]))
        until = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                if self.status()["state"] == "running":
                    return
            except Failed:
                pass
            if self.engine.poll() is not None or time.monotonic() > until:
                raise Failed("the engine does not run: " + self.last_words())
            time.sleep(0.05)

    def last_words(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as file:
            return file.read()[-400:].strip()

    def status(self):
        return json.loads(self.command("status", "--json", "--config", self.config))

    def stop_engine(self):
        self.engine.send_signal(signal.SIGTERM)
        try:
            code = self.engine.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise Failed("the engine does not stop") from None
        if code != 0:
            raise Failed(f"the engine ended with exit code {code}: {self.last_words()}")

    def profile(self, path):
        """perf, if it is there: samples of the engine alone, taken on the other cores."""
        if not shutil.which("perf"):
            return None
        return path, subprocess.Popen(
            ["perf", "record", "-q", "-e", "cpu-clock", "-F", "499", "-o", path, "-p",
             str(self.engine.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=machine.pinned(self.plan.cores["others"]))


def short(name):
    """A C++ name without its template arguments' depths."""
    name = re.sub(r"nlohmann::json_abi_v\w+", "nlohmann", name)
    name = re.sub(r"std::__cxx11::basic_string<[^<>]*(<[^<>]*>[^<>]*)*>", "std::string", name)
    return re.sub(r"basic_json<.*", "basic_json<…>", name)[:80]


def heaviest(record):
    """Self time by function of the library or program, in per cent; the sampling ends here."""
    path, sampler = record
    sampler.send_signal(signal.SIGINT)
    sampler.wait(60)
    done = subprocess.run(["perf", "report", "-i", path, "--no-children", "--stdio", "--field-separator", "\t",
                           "--sort", "dso,symbol"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=False)
    sums = {}
    for percent, where, what in re.findall(r"^\s*([\d.]+)%\s*\t(\S+)\s*\t\[.\]\s+([^\t\n]+)", done.stdout,
                                           re.MULTILINE):
        name = "(local symbols)" if what.startswith("0x") else short(what.strip())
        sums[where, name] = sums.get((where, name), 0) + float(percent)
    heavy = sorted(sums.items(), key=lambda one: -one[1])[:25]
    return [{"percent": round(percent, 1), "in": where, "function": name} for (where, name), percent in heavy]

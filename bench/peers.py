"""Other programs on the same cores in the same run. None of them does what the engine does: what each
does and does not do stands beside its figure."""
import concurrent.futures
import http.client
import json
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time

import machine

IN_FLIGHT = 128
PAYLOAD_OCTETS = 11000  # what the queue cycle seals per request
START_SECONDS_MAX = 20
PACKAGES = {"redis-server": "redis-server", "cfssl": "golang-cfssl",
            "pki": "strongswan-pki libstrongswan-standard-plugins"}


class Stream:
    """Just enough of the Redis protocol: whole replies, many commands a write."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb", 1 << 20)

    @staticmethod
    def packed(*words):
        words = [one if isinstance(one, bytes) else str(one).encode() for one in words]
        return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(one), one) for one in words)

    def reply(self):
        line = self.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return rest

    def ask(self, commands):
        self.socket.sendall(b"".join(commands))
        return [self.reply() for _ in commands]


def until_there(path, process):
    until = time.monotonic() + START_SECONDS_MAX
    while not os.path.exists(path):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError("did not start")
        time.sleep(0.02)


def redis_queue(cores, seconds, folder):
    path = os.path.join(folder, "redis.sock")
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--appendonly", "yes", "--appendfsync",
         "always", "--save", "", "--dir", folder], stdout=subprocess.DEVNULL,
        preexec_fn=machine.pinned(cores["engine"]))
    try:
        until_there(path, process)
        at = Stream(path)
        at.ask([at.packed("XGROUP", "CREATE", "queue", "workers", "$", "MKSTREAM")])
        add = [at.packed("XADD", "queue", "*", "request", os.urandom(PAYLOAD_OCTETS))] * IN_FLIGHT
        take = [at.packed("XREADGROUP", "GROUP", "workers", "one", "COUNT", IN_FLIGHT, "STREAMS", "queue", ">")]
        cycles, ways = 0, []
        cpu, began = machine.cpu_seconds(process.pid), time.monotonic()
        while time.monotonic() - began < seconds:
            set_out = time.monotonic()
            at.ask(add)
            got = at.ask(take)[0][0][1]
            at.ask([at.packed("XACK", "queue", "workers", one[0]) for one in got])
            at.ask([at.packed("XTRIM", "queue", "MAXLEN", 0)])
            cycles += len(got)
            ways.append((time.monotonic() - set_out) * 1000)
        spent = time.monotonic() - began
        return {"per_s": cycles / spent, "p50_ms": statistics.median(ways),
                "cpu_us": (machine.cpu_seconds(process.pid) - cpu) * 1e6 / cycles}
    finally:
        process.terminate()
        process.wait()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def cfssl_ready(port, process):
    until = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("did not start") from None
            time.sleep(0.05)


def cfssl_certificates(cores, seconds, folder, key):
    root = {"CN": "Peer Root", "key": {"algo": "ecdsa", "size": 256}}
    made = subprocess.run(["cfssl", "gencert", "-initca", "-loglevel", "5", "-"], input=json.dumps(root).encode(),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    for name, word in (("ca.pem", "cert"), ("ca.key", "key")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(json.loads(made.stdout)[word])
    port = free_port()
    process = subprocess.Popen(
        ["cfssl", "serve", "-loglevel", "5", "-address", "127.0.0.1", "-port", str(port), "-ca",
         os.path.join(folder, "ca.pem"), "-ca-key", os.path.join(folder, "ca.key")],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=machine.pinned(cores["engine"]))
    body = json.dumps({"request": {"CN": "Alice Example", "hosts": ["alice.example.test"], "key": key}})

    def ask(until):
        ways, line = [], http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while time.monotonic() < until:
            set_out = time.monotonic()
            line.request("POST", "/api/v1/cfssl/newcert", body, {"Content-Type": "application/json"})
            if not json.loads(line.getresponse().read())["success"]:
                raise RuntimeError("refused")
            ways.append((time.monotonic() - set_out) * 1000)
        return ways

    try:
        cfssl_ready(port, process)
        cpu, began = machine.cpu_seconds(process.pid), time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            ways = sum(pool.map(ask, [began + seconds] * 4), [])
        spent = time.monotonic() - began
        return {"per_s": len(ways) / spent, "p50_ms": statistics.median(ways),
                "cpu_us": (machine.cpu_seconds(process.pid) - cpu) * 1e6 / len(ways)}
    finally:
        process.terminate()
        process.wait()


def pki_certificates(cores, seconds, folder, key):
    def pki(out, *words):
        with open(os.path.join(folder, out), "wb") as file:
            subprocess.run(["pki", *words], stdout=file, stderr=subprocess.DEVNULL, check=True, cwd=folder,
                           preexec_fn=machine.pinned(cores["engine"]))

    pki("root.key", "--gen", "--type", "ecdsa", "--size", "256")
    pki("root.crt", "--self", "--ca", "--type", "ecdsa", "--in", "root.key", "--dn", "CN=Peer Root")
    ways, began = [], time.monotonic()
    cpu = os.times()
    while time.monotonic() - began < seconds:
        set_out = time.monotonic()
        pki("one.key", "--gen", "--type", key[0], "--size", str(key[1]))
        pki("one.crt", "--issue", "--cacert", "root.crt", "--cakey", "root.key", "--type", key[0], "--in",
            "one.key", "--dn", "CN=Alice Example", "--san", "alice@example.test", "--digest", "sha256")
        ways.append((time.monotonic() - set_out) * 1000)
    spent, after = time.monotonic() - began, os.times()
    used = after.children_user + after.children_system - cpu.children_user - cpu.children_system
    return {"per_s": len(ways) / spent, "p50_ms": statistics.median(ways), "cpu_us": used * 1e6 / len(ways)}


ISSUES = "makes a key and a certificate for each request"
NO_FILE = "no PKCS#12, nothing encrypted to devices, no durable record of a request, a repeat issues again"
PEERS = [
    ("redis-streams", "redis-server", "queue-cycle", redis_queue, (),
     "XADD, XREADGROUP, XACK of 11,000 octets, 128 in flight, appendfsync always: three synced steps",
     "no states, no re-delivery rule, no sealing, no audit; XTRIM stands for settling"),
    ("cfssl-p256", "cfssl", "create-p256", cfssl_certificates, ({"algo": "ecdsa", "size": 256},),
     ISSUES + " over HTTP, 4 connections", NO_FILE),
    ("cfssl-rsa2048", "cfssl", "create-rsa2048", cfssl_certificates, ({"algo": "rsa", "size": 2048},),
     ISSUES + " over HTTP, 4 connections", NO_FILE),
    ("strongswan-pki-p256", "pki", "create-p256", pki_certificates, (("ecdsa", 256),),
     ISSUES + ", two processes each, one after the other", NO_FILE),
    ("strongswan-pki-rsa2048", "pki", "create-rsa2048", pki_certificates, (("rsa", 2048),),
     ISSUES + ", two processes each, one after the other", NO_FILE),
]


def run(cores, seconds, repeat, say):
    out, missing = [], sorted({PACKAGES[one[1]] for one in PEERS if not shutil.which(one[1])})
    if missing:
        say("peers left out; to have them:  apt-get install --no-install-recommends " + " ".join(missing))
    for name, program, beside, measure, more, does, lacks in PEERS:
        if not shutil.which(program):
            continue
        rounds = []
        for _ in range(repeat):
            with tempfile.TemporaryDirectory(prefix="pfx-peer.") as folder:
                try:
                    rounds.append(measure(cores, seconds, folder, *more))
                except (RuntimeError, OSError, subprocess.CalledProcessError) as why:
                    say(f"{name}: {why}")
        if rounds:
            out.append({"name": name, "beside": beside, "does": does, "lacks": lacks,
                        **{key: statistics.median(one[key] for one in rounds) for key in rounds[0]}})
    return out


def line(one):
    return (f"peer {one['name']} {one['per_s']:.0f}/s cpu_us {one['cpu_us']:.0f} "
            f"p50_ms {one['p50_ms']:.2f} (beside {one['beside']})")

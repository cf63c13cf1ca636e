"""Revocation orders through a tenant of the public protocol, the engine killed again and again while it
carries them out; then the CA's list and its OCSP answers by openssl and GnuTLS.

First all certificates are issued, then the orders are taken: kill number k comes when k parts of the
orders are reported, half of them at a label of the order desk. The tenant hands orders out again, loses
its answers, says false and ends tokens, the CA loses its answers too (FAULTS). At the end each order must
be revoked once at the CA and reported once as recorded, by the journals alone.
"""
import json
import os
import random
import re
import signal
import subprocess
import time
import urllib.request

from campaigns.kills import slowness
from campaigns.stage import KILLED, Stage, say, totals

DOWNLOAD = "CertificateAuthorityRequests/downloadRevocationRequests"
UPLOAD = "CertificateAuthorityRequests/uploadRevocationResults"
TENANT = [DOWNLOAD, UPLOAD, "oauth2/token", "servicePrincipals/endpoints"]
FAULTS = [
    {"fault": "close", "when": "after", "share": 0.06, "calls": TENANT},
    {"fault": "close", "when": "after", "share": 0.01, "calls": ["CertificateAuthority/revoke"]},
    {"fault": "status", "status": 503, "when": "after", "retryAfter": 1, "share": 0.004, "calls": ["CertificateAuthority/revoke"]},
    {"fault": "status", "status": 429, "retryAfter": 1, "share": 0.03, "calls": [DOWNLOAD, UPLOAD]},
    {"fault": "status", "status": 500, "when": "after", "share": 0.03, "calls": [UPLOAD]},
    {"fault": "cut", "share": 0.03, "calls": [DOWNLOAD, UPLOAD]},
    {"fault": "html", "share": 0.02, "calls": TENANT},
    {"fault": "notRecorded", "share": 0.04}, {"fault": "oddAnswer", "share": 0.04},
    {"fault": "tokensEnd", "share": 0.03, "calls": [DOWNLOAD, UPLOAD]},
    {"fault": "again", "share": 0.1, "calls": [DOWNLOAD]},
    {"fault": "twice", "count": 3, "share": 0.1, "calls": [DOWNLOAD]},
    {"fault": "otherBody", "count": 1, "share": 0.05, "calls": [DOWNLOAD]},
    {"fault": "reordered", "share": 0.1, "calls": [DOWNLOAD]},
    {"fault": "junk", "share": 0.05, "calls": [DOWNLOAD]},
]
# where the engine kills itself, and at most at which pass
LABELS = {"before_send.download_orders": 2, "after_answer.download_orders": 2,
          "before_send.revoke_ordered": 40, "after_answer.revoke_ordered": 40,
          "before_send.report_orders": 3, "after_answer.report_orders": 3,
          "store.before_write": 60, "store.after_write": 60}
# The whole queue cools, so that orders come in batches: each kill finds some at work, and what was at work
# when the engine died is soon handed out again, now and then while it is still at work.
COOL_DOWN_SECONDS, POLL_SECONDS = 0.4, 0.3
BATCHES_PER_KILL = 2
ISSUE_SECONDS, KILL_SECONDS, DRAIN_SECONDS = 30, 20, 180
ISSUED_PER_SECOND, REVOKED_PER_SECOND = 30, 15  # of the slowest machine that is waited for
RESULTS_OPENED = 400       # by the judge; their certificates can be looked at
SAMPLE_MAX = 12            # certificates of each kind that openssl and GnuTLS are asked about
BAD = ("lost", "second_results", "surplus_certificates", "shared_keys", "failed", "wrong_codes", "not_once")


class Revocations:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.random, self.slow = random.Random(options.seed), slowness()
        self.certificates = options.orders
        batch = min(100, max(5, options.orders // (BATCHES_PER_KILL * (options.kills + 1))))
        plan = os.path.join(folder, "faults.json")
        with open(plan, "w") as file:
            json.dump({"faults": FAULTS}, file, indent=1)
        share = min(1, RESULTS_OPENED / max(1, self.certificates))
        self.stage = Stage(options.program, folder,
                           ["--requests", str(self.certificates), "--mix", "create-ec", "--orders", str(options.orders),
                            "--seed", str(options.seed), "--cool-down", str(COOL_DOWN_SECONDS),
                            "--whole-queue-cools", "--odd-directory",
                            "--redeliver-share", "0.05", "--judge-share", f"{share:.4f}", "--keep-deliveries",
                            "--faults", plan],
                           {"intune.revocations.enabled": False, "intune.revocations.pollIntervalSeconds": POLL_SECONDS, "intune.revocations.ordersMax": batch,
                            "intune.revocations.retrySeconds": 0.2, "limits.openRequestsMax": 400})
        self.progress, self.rest, self.finished = {}, "", False
        self.hit, self.random_kills = {}, 0

    def look(self):
        """Reads what the sandbox said since."""
        while True:
            line = self.stage.sandbox.process.stdout.readline()
            if not line:
                return self.progress
            self.rest += line
            if not self.rest.endswith("\n"):
                continue
            event, self.rest = json.loads(self.rest), ""
            if event["event"] in ("progress", "finished"):
                self.progress = event
                self.finished = self.finished or event["event"] == "finished"

    def wait(self, name, count, seconds, engine):
        """True once `name` is `count`; false if the engine ended or the time is over."""
        until = time.monotonic() + seconds * self.slow
        while time.monotonic() < until and engine.wait(0.05) is None:
            if self.finished or self.look().get(name, 0) >= count:
                return True
        return False

    def set(self, name, value):
        with open(self.stage.config) as file:
            content = json.load(file)
        content["intune"]["revocations"][name] = value
        with open(self.stage.config, "w") as file:
            json.dump(content, file, indent=2)

    def issue(self):
        engine = self.stage.engine()
        done = self.wait("delivered", self.certificates, ISSUE_SECONDS + self.certificates / ISSUED_PER_SECOND, engine)
        engine.stop()
        return done

    def kill(self, number):
        """Kill `number`, when as many parts of the orders are reported."""
        goal = self.options.orders * number // (self.options.kills + 1)
        label = self.random.choice(sorted(LABELS)) if number % 2 else ""
        env = {"PFXENGINE_KILL_AT": f"{label}:{self.random.randint(1, LABELS[label])}"} if label else {}
        engine = self.stage.engine(KILLED if label else (), **env)
        self.wait("ordersReported", goal, KILL_SECONDS + goal / REVOKED_PER_SECOND, engine)
        if label:
            engine.wait(self.slow)  # the label may be passed a little later
        else:
            time.sleep(self.random.uniform(0, 0.3))
        if engine.wait(0) == -signal.SIGKILL:
            self.hit[label] = self.hit.get(label, 0) + 1
        else:
            engine.kill()
            self.random_kills += 1
        say(f"kill {number}/{self.options.kills}, {self.progress.get('ordersReported', 0)} orders reported")

    def drain(self):
        until = time.monotonic() + (DRAIN_SECONDS + self.options.orders / REVOKED_PER_SECOND) * self.slow
        engine = self.stage.engine()
        while not self.finished and time.monotonic() < until and engine.wait(0.1) is None:
            self.look()
        engine.stop()
        return self.finished

    def run(self):
        started = time.monotonic()
        issued = self.issue()
        issued_at = time.monotonic()
        say(f"{self.progress.get('delivered', 0)} certificates in {issued_at - started:.1f} s")
        self.set("enabled", True)
        for number in range(1, self.options.kills + 1):
            self.kill(number)
        drained = self.drain() and issued
        revoked_at = time.monotonic()
        status = Status(self.stage, self.folder, self.random, min(SAMPLE_MAX, 1 + self.options.orders // 40)).run()
        verdict = self.stage.verdict()
        orders, result = verdict["orders"], totals(verdict)
        result["lost"] = max(result["lost"] + orders["lost"] + orders["waiting"], 0 if drained else 1)
        result["second_results"] += orders["otherwise"]
        return {"campaign": "revocations", "seed": self.options.seed, "rounds": self.options.kills,
                "orders": orders["made"], "kills": self.random_kills + sum(self.hit.values()),
                "labels": dict(sorted(self.hit.items())), "drained": drained, **result,
                "reported": orders["reported"], "revoked": orders["revoked"], "refused": orders["refused"],
                "wrong_codes": orders["wrong"], "not_once": orders["notOnce"], "hand_outs": orders["handOuts"],
                "reports_again": orders["repeated"], "faults_injected": verdict["faultsInjected"],
                "kinds": len(verdict["injected"]), **status,
                "issue_seconds": round(issued_at - started, 1), "revoke_seconds": round(revoked_at - issued_at, 1),
                "seconds": round(time.monotonic() - started, 1)}


class Status:
    """What the CA says in public, right after the last order, by programs of others."""

    def __init__(self, stage, folder, dice, sample):
        self.box, self.folder, self.random, self.sample = stage.box, os.path.join(folder, "status"), dice, sample
        os.mkdir(self.folder)
        with open(os.path.join(stage.box, "sandbox.json")) as file:
            self.told = json.load(file)
        self.faults, self.checks = [], 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def tool(self, *arguments):
        """Exit code and all that it said."""
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=self.folder)
        return done.returncode, done.stdout + done.stderr

    def must(self, true, sentence):
        self.checks += 1
        if not true:
            self.faults.append(sentence)

    def fetch(self, name):
        with urllib.request.urlopen(self.told[name], timeout=30) as answer:
            return answer.read()

    def prepare(self):
        with open(self.path("issuer.der"), "wb") as file:
            file.write(self.fetch("issuerUrl"))
        self.tool("openssl", "x509", "-inform", "DER", "-in", "issuer.der", "-out", "issuer.pem")
        with open(self.path("trust.pem"), "w") as trust, open(self.told["caRoot"]) as root, open(self.path("issuer.pem")) as issuer:
            trust.write(root.read() + issuer.read())

    def books(self):
        """Serial numbers that the CA issued and revoked, by its journal."""
        issued, revoked = set(), []
        with open(os.path.join(self.box, "ca-journal.jsonl")) as file:
            for line in map(json.loads, file):
                if line["what"] == "issued":
                    issued.add(int(line["serial"], 16))
                elif line["what"] == "revoked":
                    revoked.append(int(line["serial"], 16))
        self.must(len(revoked) == len(set(revoked)), "a certificate was revoked twice")
        return issued, set(revoked)

    def list(self, revoked):
        """The list has exactly what was revoked; openssl and GnuTLS verify it. Seconds it took to come."""
        began = time.monotonic()
        with open(self.path("list.der"), "wb") as file:
            file.write(self.fetch("crlUrl"))
        seconds = round(time.monotonic() - began, 2)
        code, said = self.tool("openssl", "crl", "-inform", "DER", "-in", "list.der", "-CAfile", "issuer.pem", "-out", "list.pem")
        self.must(code == 0 and "verify OK" in said, "openssl does not verify the list")
        _, said = self.tool("openssl", "crl", "-in", "list.pem", "-noout", "-text")
        listed = [int(one, 16) for one in re.findall(r"Serial Number: ([0-9A-F]+)", said)]
        self.must(len(listed) == len(set(listed)) and set(listed) == revoked,
                  f"the list has {len(listed)} certificates, {len(revoked)} were revoked")
        code, said = self.tool("certtool", "--verify-crl", "--load-ca-certificate", "issuer.pem", "--infile", "list.pem")
        self.must(code == 0 and "erified" in said, "GnuTLS does not verify the list")
        return len(listed), seconds

    def leaves(self, revoked):
        """Certificates that a device has: those that are revoked, and those that are good."""
        delivered = os.path.join(self.box, "delivered")
        folders = sorted(os.listdir(delivered)) if os.path.isdir(delivered) else []
        self.random.shuffle(folders)
        bad, good = [], []
        for name in folders:
            leaf = os.path.join(delivered, name, "leaf.pem")
            _, said = self.tool("openssl", "x509", "-in", leaf, "-noout", "-serial")
            serial = int(said.strip().split("=")[1], 16)
            (bad if serial in revoked else good).append((serial, leaf))
            if len(bad) >= self.sample and len(good) >= self.sample:
                break
        return bad[:self.sample], good[:self.sample]

    def verified(self, leaf):
        return self.tool("openssl", "verify", "-CAfile", self.told["caRoot"], "-untrusted", "issuer.pem", "-crl_check",
                         "-CRLfile", "list.pem", leaf)

    def ocsp(self, words, *which):
        _, said = self.tool("openssl", "ocsp", "-CAfile", "trust.pem", "-issuer", "issuer.pem", "-url", self.told["ocspUrl"], *which)
        self.must("Response verify OK" in said and words in said and "Nonce Verify error" not in said,
                  f"openssl ocsp does not say{words} of {which[-1]}")

    def gnutls(self, words, leaf):
        _, said = self.tool("ocsptool", f"--ask={self.told['ocspUrl']}", "--nonce", "--load-issuer", "issuer.pem",
                            "--load-cert", leaf, "--load-trust", "issuer.pem")
        self.must(f"Certificate Status: {words}" in said, f"ocsptool does not say {words} of {leaf}")

    def run(self):
        self.prepare()
        issued, revoked = self.books()
        entries, seconds = self.list(revoked)
        bad, good = self.leaves(revoked)
        self.must(bool(bad) and bool(good), "no certificate of each kind to look at")
        for serial, leaf in bad:
            code, said = self.verified(leaf)
            self.must(code != 0 and "certificate revoked" in said, f"openssl verify takes {leaf}, which is revoked")
            self.ocsp(": revoked", "-cert", leaf)
            self.gnutls("revoked", leaf)
        for serial, leaf in good:
            code, _ = self.verified(leaf)
            self.must(code == 0, f"openssl verify refuses {leaf}")
            self.ocsp(": good", "-sha256", "-cert", leaf)
            self.gnutls("good", leaf)
        for words, serials in ((": revoked", revoked), (": good", issued - revoked)):
            for serial in self.random.sample(sorted(serials), min(self.sample, len(serials))):
                self.ocsp(words, "-serial", hex(serial))
        self.ocsp(": unknown", "-serial", "0x5a5a5a")
        return {"crl_entries": entries, "crl_seconds": seconds, "status_checks": self.checks, "status_faults": self.faults[:10]}


def revocations(options, folder):
    result = Revocations(options, folder).run()
    print(json.dumps(result), flush=True)
    return all(result[name] == 0 for name in BAD) and not result["faults"] and not result["status_faults"] \
        and result["reported"] == result["orders"] == options.orders and result["kills"] == options.kills \
        and result["faults_injected"] > 0

"""Delivered files of every profile, opened by four makers' programs; judged by a table in which no
cell may be empty."""
import base64
import collections
import concurrent.futures
import glob
import hashlib
import json
import os

from campaigns.pkcs12_readers import READERS, Subject, Fault, by_openssl, missing, need, read, run, versions
from campaigns.stage import Stage, clean, say, totals

PROFILES = ["modern", "compatible", "legacy"]
KEYS = ["RSA", "EC"]
MIX = "create-ec=4,create-rsa=4,create-ec384=1,create-ec521=1,import=4"


class Delivery:
    """What the sandbox wrote down of one result, as the devices would have it."""

    def __init__(self, where):
        self.where = where
        with open(os.path.join(where, "expected.json"), encoding="utf-8") as file:
            self.expected = json.load(file)
        self.file = os.path.join(where, "result.pfx")
        self.has_file = os.path.exists(self.file)
        self.profile = self.expected.get("pfxProfile", "")
        self.key = "EC" if self.expected.get("keyAlgorithm", "").startswith("ec") else "RSA"
        self.is_import = "maker" in self.expected
        self._password = None
        self.leaf_key = b""

    def password(self):
        """Decrypted for every device by openssl; all must get the same."""
        if self._password is not None:
            return self._password
        found = set()
        for wrapped in sorted(glob.glob(os.path.join(self.where, "password-*.cms"))):
            device = wrapped[:-len(".cms")].replace("password-", "device-")
            found.add(need(run("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", wrapped, "-recip",
                               device + ".pem", "-inkey", device + ".key"), "openssl cms"))
        if len(found) != 1:
            raise Fault(f"{len(found)} passwords for one file")
        self._password = found.pop()
        return self._password

    def leaf_sha256(self):
        if self.is_import:
            return self.expected["sha256"]
        with open(os.path.join(self.where, "leaf.pem"), encoding="ascii") as file:
            body = "".join(file.read().split("-----")[2].split())
        return hashlib.sha256(base64.b64decode(body)).hexdigest()

    def subject(self, reader):
        """A fresh folder each time: readers leave databases behind."""
        return Subject(self.file, self.password().decode(), os.path.join(self.where, reader), self.leaf_sha256(),
                       self.leaf_key)

    def read_leaf_key(self):
        """By openssl, for a reader that shows no key of its own but proves that it has one."""
        opened = by_openssl(self.subject("leaf"))
        self.leaf_key = need(run("openssl", "x509", "-noout", "-pubkey", data=opened["leaf"]), "openssl x509")

    def check_chain(self):
        """A created certificate chains to the sandbox's CA, by openssl's word."""
        if self.is_import:
            return
        subject = self.subject("chain")
        opened = by_openssl(subject)
        leaf = os.path.join(self.where, "opened-leaf.pem")
        with open(leaf, "wb") as file:
            file.write(opened["leaf"])
        need(run("openssl", "verify", "-x509_strict", "-CAfile", os.path.join(self.where, "root.pem"),
                 "-untrusted", os.path.join(self.where, "chain.pem"), leaf), "openssl verify")


def deliveries(box):
    return [one for one in map(Delivery, sorted(glob.glob(os.path.join(box, "delivered", "*")), key=len))
            if one.has_file]


def look(job):
    delivery, reader = job
    try:
        if reader == "chain":
            delivery.check_chain()
            return job, None
        if reader == "java":
            delivery.read_leaf_key()
        return job, read(reader, delivery.subject(reader))
    except (Fault, UnicodeDecodeError) as why:
        return job, str(why)


def jobs_of(found, per_cell):
    """Every file by openssl, and `per_cell` of each profile and key by the others: Java is slow."""
    cells = collections.Counter()
    jobs = [(one, "chain") for one in found if not one.is_import]
    for one in found:
        if one.profile not in PROFILES:
            continue  # an import that goes on as it came: its readers are its maker's business
        cells[one.profile, one.key] += 1
        few = cells[one.profile, one.key] <= per_cell
        jobs += [(one, reader) for reader in READERS if few or reader == "openssl"]
    return jobs


def blind_readers(found):
    """Readers that open a file with a wrong password, or believe another certificate: of no use here."""
    one = next(one for one in found if one.profile in PROFILES)
    blind = []
    for reader in READERS:
        wrong_password, wrong_leaf = one.subject(reader), one.subject(reader)
        wrong_password.password = "x" + one.password().decode()
        wrong_leaf.leaf_sha256 = "0" * 64
        if read(reader, wrong_password) is None:
            blind.append(f"{reader} takes any password")
        if read(reader, wrong_leaf) is None:
            blind.append(f"{reader} takes any certificate")
    return blind


def print_table(table):
    say(f"{'profile':12}{'key':6}" + "".join(f"{reader:>12}" for reader in READERS))
    for profile in PROFILES:
        for key in KEYS:
            row = [table[profile, key, reader] for reader in READERS]
            say(f"{profile:12}{key:6}" + "".join(
                f"{cell['opened']:>7} of {cell['opened'] + cell['failed']:<2}" for cell in row))


def readers(options, folder):
    gone = missing()
    if gone:
        print(json.dumps({"campaign": "readers", "missing_programs": gone}), flush=True)
        return False
    stage = Stage(options.program, folder, ["--requests", str(options.requests), "--keep-deliveries", "--mix", MIX,
                                            "--seed", str(options.seed)])
    drained = stage.drain()
    result = totals(stage.verdict())
    found = deliveries(stage.box)
    table = collections.defaultdict(lambda: {"opened": 0, "failed": 0})
    faults = blind_readers(found)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (one, reader), fault in pool.map(look, jobs_of(found, max(2, options.requests // 10))):
            if fault:
                faults.append(f"{one.where} ({one.profile}, {one.key}): {reader}: {fault}")
            if reader in READERS:
                table[one.profile, one.key, reader]["failed" if fault else "opened"] += 1
    print_table(table)
    empty = [f"{profile}/{key}/{reader}" for profile in PROFILES for key in KEYS for reader in READERS
             if table[profile, key, reader]["opened"] == 0]
    rows = [{"profile": profile, "key": key, "reader": reader, **table[profile, key, reader]}
            for profile in PROFILES for key in KEYS for reader in READERS]
    print(json.dumps({"campaign": "readers", "drained": drained, "readers": versions(), "files": len(found),
                      "table": rows, "never_opened": empty, "reader_faults": faults[:20], **result}), flush=True)
    return drained and clean(result) and not faults and not empty and len(found) == result["delivered"]

"""Every secret of a run looked for in everything the engine wrote or said: files, the store past its
compression, logs at debug level, answers of the control socket, output of the commands. Planted
canaries show first that the search would find them.

Not looked into: memory of the running process (it must hold what it works with; that nobody else may
read it is checked), and a dump of messages, for CAF's logging is compiled in but never switched on.
"""
import collections
import csv
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from urllib.parse import quote

from campaigns.canaries import Search, add_key, contents, forms, tool
from campaigns.pkcs12_readers import Fault, missing, need, run
from campaigns.readers import deliveries
from campaigns.stage import ROOT, DRAIN_SECONDS, Child, Stage, clean, say, totals
from campaigns.writers import MANIFEST

NOBODY = 65534
MIX = "create-ec=3,create-rsa=2,import=3,bad=1,bad-import=2"
# files whose passwords are no words that stand elsewhere too
EXTRA = "import:openssl-rsa2048.p12=3,import:openssl-rsa3072-chain.p12=2,import:openssl-password-utf8.p12=2," \
        "import:openssl-password-latin1.p12=2,import:openssl-password-long.p12=2"
PASSWORD_OCTETS_MIN = 8
COMMON_PASSWORDS = {b"secret", b"123456789", b"TestCert"}
KILL_AFTER_SECONDS = 1.5


# -- secrets ------

def manifest_rows():
    with open(MANIFEST, encoding="utf-8") as file:
        return list(csv.reader((line for line in file if not line.startswith("#")), delimiter="\t"))


def text_of(octets):
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def private_key(file, password, folder):
    """PKCS#8 of the key in a PKCS#12 file, by openssl."""
    where = os.path.join(folder, "password")
    with open(where, "wb") as out:
        out.write(password)
    for legacy in ([], ["-legacy"]):
        pem = run("openssl", "pkcs12", "-in", file, "-nodes", "-nocerts", "-passin", f"file:{where}", *legacy)
        if pem.returncode == 0:
            break
    return need(run("openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", data=need(pem, "openssl pkcs12")),
                "openssl pkcs8")


def add_imported(search, folder):
    """Files of others: passwords from the manifest, keys by openssl."""
    for row in manifest_rows():
        name, password = row[0], bytes.fromhex(row[1])
        if len(password) >= PASSWORD_OCTETS_MIN and password not in COMMON_PASSWORDS:
            search.add(f"password of {name}", password, text_of(password))
        if int(row[5]) > 0:
            try:
                add_key(search, f"key in {name}", private_key(os.path.join(os.path.dirname(MANIFEST), name), password,
                                                              folder))
            except (Fault, IndexError):
                continue  # two keys in one file, or a password in another encoding: the others are enough


def add_delivered(search, box, folder):
    """Files made or written anew by the engine: passwords as the devices get them."""
    for one in deliveries(box):
        if one.profile == "unchanged":
            continue
        password = one.password()
        name = os.path.basename(one.where)
        search.add(f"password of delivery {name}", password, password.decode())
        add_key(search, f"key of delivery {name}", private_key(one.file, password, folder))


class Secrets:
    def __init__(self, stage, folder):
        self.stage, self.folder, self.search = stage, folder, Search()

    def make_connector_keys(self):
        """Two more keys: one made by the engine and exported, one brought from outside."""
        program, config = self.stage.program, self.stage.config
        made = os.path.join(self.folder, "made.p8")
        need(run(program, "key", "create", "--config", config, "--name", "made", "--exportable"), "key create")
        need(run(program, "key", "export", "--config", config, "--name", "made", "--form", "pkcs8", "--out", made,
                 "--yes-export-the-private-key"), "key export")
        with open(made, "rb") as file:
            add_key(self.search, "connector key made", file.read())
        brought = os.path.join(self.folder, "brought.pem")
        need(run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", brought),
             "openssl genpkey")
        need(run(program, "key", "import", "--config", config, "--name", "brought", "--from", brought),
             "key import")
        add_key(self.search, "connector key brought",
                need(run("openssl", "pkcs8", "-topk8", "-nocrypt", "-outform", "DER", "-in", brought), "openssl pkcs8"))

    def add_master_key(self):
        with open(self.stage.config, encoding="utf-8") as file:
            path = json.load(file)["masterKeyFile"]
        with open(path, "rb") as file:
            octets = file.read().strip()
        self.search.add("master key", bytes.fromhex(octets.decode()) if len(octets) == 64 else octets)

    def collect(self):
        self.add_master_key()
        self.search.add("registration code", self.stage.code.encode(), self.stage.code)
        add_imported(self.search, self.folder)
        add_delivered(self.search, self.stage.box, self.folder)
        return self.search


# -- what the engine says ------

class ControlSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def listening(path, seconds=DRAIN_SECONDS):
    """The socket's path, once the engine answers on it: the file alone may be a killed engine's."""
    until = time.monotonic() + seconds
    while True:
        try:
            ControlSocket(path).connect()
            return path
        except (FileNotFoundError, ConnectionRefusedError):
            if time.monotonic() >= until:
                raise
            time.sleep(0.05)


def spoken(stage):
    """(where, octets) of every answer: the socket as it is, and the commands over it."""
    with open(stage.config, encoding="utf-8") as file:
        path = listening(json.load(file)["controlSocket"])
    contexts = []
    for state in ("received", "working", "submitting", "pending", "issued", "prepared", "closing", "settled",
                  "abandoned", "quarantined"):
        connection = ControlSocket(path)
        connection.request("GET", f"/requests?state={state}&count=1000")
        answer = connection.getresponse().read()
        contexts += [one["context"] for one in json.loads(answer).get("value", [])]
        yield f"GET /requests?state={state}", answer
    for target in ["/status", "/audit?last=100000"] + [f"/requests/{quote(context, safe='')}"
                                                                   for context in contexts]:
        connection = ControlSocket(path)
        connection.request("GET", target)
        yield f"GET {target}", connection.getresponse().read()
    for command in (["status"], ["status", "--json"], ["requests", "list", "--state", "settled"], ["audit"],
                    ["key", "list"], ["key", "show", "--name", "made"], ["requests", "show", "--", contexts[0]],
                    ["config", "check"]):
        words = command[:]
        at = words.index("--") if "--" in words else len(words)
        done = run(stage.program, *words[:at], "--config", stage.config, *words[at:])
        yield "pfxengine " + " ".join(command), done.stdout + done.stderr


def closed_to_others(pid):
    """What keeps other processes of the same user out: no core files, and /proc/PID is not ours."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as file:
        core = [line.split()[4:6] for line in file if line.startswith("Max core file size")][0]
    same_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"] if os.getuid() == 0 else []
    peek = subprocess.run([*same_user, "cat", f"/proc/{pid}/mem"], capture_output=True, check=False)
    return {"core_files_impossible": core == ["0", "0"],
            "not_dumpable": os.stat(f"/proc/{pid}/environ").st_uid == 0 if same_user else True,
            "memory_closed_to_same_user": b"Permission denied" in peek.stderr}


# -- planted canaries ------

def planted_everywhere(copy, log, folder):
    """Plants a canary in each form in a log, a file and a table of a store; those not found again."""
    lost = []
    search = Search()
    octets = secrets.token_bytes(32)
    word = secrets.token_urlsafe(24)
    search.add("planted octets", octets)
    search.add("planted word", word.encode(), word)
    wanted = {("planted octets", name) for name, _ in forms(octets)}
    wanted |= {("planted word", name) for name, _ in forms(word.encode(), word)}
    patterns = [form for _, form in forms(octets)] + [form for _, form in forms(word.encode(), word)]

    with open(log, "rb") as file:
        lines = file.read()
    lost += [f"log: {one}" for one in wanted - search.find(lines + b'{"text":"' + b'"}\n{"text":"'.join(patterns))]

    plain = os.path.join(folder, "planted")
    os.makedirs(plain)
    with open(os.path.join(plain, "identity.json"), "wb") as file:
        file.write(b"\n".join(patterns))
    found = set().union(*(search.find(octets) for _, octets in contents(plain)))
    lost += [f"file: {one}" for one in wanted - found]

    store = os.path.join(folder, "planted-store")
    source = next(where for where, _, names in os.walk(copy) if "CURRENT" in names)
    shutil.copytree(source, store)
    for at, pattern in enumerate(patterns):
        tool("ldb", f"--db={store}", "put", "--hex", f"0x{at:08x}", "0x" + (pattern * 20).hex())
    in_log = set().union(*(search.find(octets) for _, octets in contents(store)))
    tool("ldb", f"--db={store}", "compact")
    in_table = set().union(*(search.find(octets) for where, octets in contents(store) if where.endswith(".sst")))
    return lost + [f"store: {one}" for one in wanted - in_log] + [f"table: {one}" for one in wanted - in_table]


# -- the campaign ------

def open_to_nobody(stage, folder):
    """The engine runs as a user of its own, so that what others may see of it can be tried."""
    if os.getuid() != 0:
        return
    os.chmod(folder, 0o711)
    os.chmod(stage.box, 0o711)
    for name in os.listdir(stage.box):
        if name.endswith(".pem"):
            os.chmod(os.path.join(stage.box, name), 0o644)
        elif name.startswith("intune-"):  # what the engine signs in to its tenant with
            os.chown(os.path.join(stage.box, name), NOBODY, NOBODY)
    connector = os.path.dirname(stage.config)
    for where, folders, names in os.walk(connector):
        for name in [""] + folders + names:
            os.chown(os.path.join(where, name), NOBODY, NOBODY)
    stage.as_user = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def run_engine(stage, folder, data):
    """Copies of the data directory after a kill and after the end, what was said, who may look in."""
    engine = stage.engine()
    engine.wait(KILL_AFTER_SECONDS)
    engine.kill()
    shutil.copytree(data, os.path.join(folder, "killed"), ignore=shutil.ignore_patterns("*.sock"))
    engine = stage.engine()
    until = time.monotonic() + DRAIN_SECONDS
    while not stage.poll() and time.monotonic() < until and engine.wait(0.1) is None:
        pass
    said = list(spoken(stage))
    closed = closed_to_others(engine.process.pid)
    shutil.copytree(data, os.path.join(folder, "running"), ignore=shutil.ignore_patterns("*.sock"))
    engine.stop()
    return said, closed


def leaks(options, folder):
    gone = [name for name in ("ldb", "sst_dump", "setpriv") if shutil.which(name) is None] + missing()
    if gone:
        print(json.dumps({"campaign": "leaks", "missing_programs": gone}), flush=True)
        return False
    stage = Stage(options.program, folder, ["--requests", str(options.requests), "--mix", MIX, "--extra", EXTRA,
                                            "--keep-deliveries", "--seed", str(options.seed)],
                  {"log.level": "debug"})
    own = os.path.join(folder, "own")
    os.mkdir(own, 0o700)
    known = Secrets(stage, own)
    known.make_connector_keys()
    open_to_nobody(stage, folder)
    data = os.path.join(os.path.dirname(stage.config), "data")
    said, closed = run_engine(stage, folder, data)
    result = totals(stage.verdict())
    search = known.collect()
    log = stage.path("engine.log")

    say(f"{len(search.secrets)} secrets in {search.patterns} forms")
    lost = planted_everywhere(os.path.join(folder, "running"), log, own)
    found, octets_read, places = collections.Counter(), 0, 0
    with open(log, "rb") as file:
        said.append(("engine.log", file.read()))
    for name in ("killed", "running"):
        said += list(contents(os.path.join(folder, name)))
    said += list(contents(data))
    for where, octets in said:
        places += 1
        octets_read += len(octets)
        for secret, form in search.find(octets):
            found[f"{secret} ({form}) in {where}"] += 1
    print(json.dumps({"campaign": "leaks", "secrets": len(search.secrets), "forms": search.patterns,
                      "places": places, "octets_searched": octets_read, "found": sorted(found)[:50],
                      "planted_not_found": lost[:20], **closed, **result}), flush=True)
    return (not found and not lost and all(closed.values()) and clean(result) and result["imported"] > 0
            and octets_read > 1_000_000 and len(search.secrets) > options.requests)

"""Secrets in every form in which they could have been written down, and the search for them."""
import base64
import json
import os
import re
import subprocess

from fuzz.seeds import elements, inner

CHUNK_OCTETS = 24   # of a number: whoever wrote half of it down is found too
WINDOW = 8          # octets by which a form is looked up; none is shorter
HEX_RUN = re.compile(rb"(?:0[xX])?([0-9A-Fa-f]{16,})")


def base64_forms(octets, alphabet):
    """At each of the three offsets, without the characters that depend on what stands around."""
    for offset in range(3):
        text = base64.b64encode(bytes(offset) + octets).rstrip(b"=")
        first = -(-offset * 8 // 6)
        last = (offset + len(octets)) * 8 // 6
        form = text[first:last]
        if alphabet == "url":
            form = form.translate(bytes.maketrans(b"+/", b"-_"))
        yield f"base64 {alphabet} +{offset}", form


def forms(octets, text=None):
    """(name, octets) of each form; `text` is what a password says as characters."""
    digits = octets.hex()
    out = [("raw", octets), ("hex", digits.encode()), ("hex upper", digits.upper().encode()),
           ("hex colons", ":".join(digits[at:at + 2] for at in range(0, len(digits), 2)).encode()),
           ("reversed", octets[::-1])]
    out += list(base64_forms(octets, "standard")) + list(base64_forms(octets, "url"))
    words = text if text is not None else octets.decode("latin-1")
    out += [("UTF-16LE", words.encode("utf-16-le")), ("UTF-16BE", words.encode("utf-16-be"))]
    if text is not None:
        out += [("UTF-8", text.encode()), ("JSON", json.dumps(text)[1:-1].encode())]
    return [(name, form) for name, form in out if len(form) >= WINDOW]


class Search:
    """All forms of all secrets at once, by their first octets."""

    def __init__(self):
        self.table, self.secrets, self.patterns = {}, set(), 0

    def add(self, name, octets, text=None):
        if len(octets) < WINDOW:
            return
        self.secrets.add(name)
        for form, pattern in set(forms(octets, text)):
            self.table.setdefault(pattern[:WINDOW], set()).add((pattern, name, form))
            self.patterns += 1

    def find(self, octets):
        """(secret, form) of everything in there."""
        found, table = set(), self.table
        for at in range(len(octets) - WINDOW + 1):
            here = table.get(octets[at:at + WINDOW])
            if here:
                found |= {(name, form) for pattern, name, form in here if octets.startswith(pattern, at)}
        return found


def chunk(octets):
    octets = octets.lstrip(b"\0")
    start = max(0, (len(octets) - CHUNK_OCTETS) // 2)
    return octets[start:start + CHUNK_OCTETS]


def key_numbers(pkcs8):
    """The private numbers of PrivateKeyInfo (RFC 5208; RFC 8017 A.1.2, RFC 5915), and its own octets."""
    key = inner(pkcs8, 0, 2)
    parts = [content for _, content, _ in elements(inner(key, 0))]
    if len(parts) >= 9:
        names = ("d", "p", "q", "dP", "dQ", "qInv")
        return dict(zip(names, parts[3:9]))
    return {"scalar": parts[1]}


def add_key(search, name, pkcs8):
    for number, octets in key_numbers(pkcs8).items():
        search.add(f"{name}: {number}", chunk(octets))


# -- what was written ------

def files_below(folder):
    for where, _, names in os.walk(folder):
        for name in sorted(names):
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def tool(*arguments):
    """Output of a RocksDB tool: as it is, and what its hexadecimal says."""
    done = subprocess.run(arguments, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.decode(errors='replace')[:300]}")
    octets = b"\0".join(bytes.fromhex(run[:len(run) & ~1].decode()) for run in HEX_RUN.findall(done.stdout))
    return done.stdout + b"\0" + octets


def rocksdb_contents(folder):
    """(where, octets) of a store nobody has open, past every compression: tables, logs, live values."""
    for path in files_below(folder):
        if path.endswith(".sst"):
            yield path, tool("sst_dump", f"--file={path}", "--command=scan", "--output_hex")
        elif re.search(r"/\d+\.log$", path):
            yield path, tool("ldb", "dump_wal", f"--walfile={path}", "--header", "--print_value")
    families = subprocess.run(["ldb", f"--db={folder}", "list_column_families"], capture_output=True, check=True,
                              text=True).stdout
    for family in re.search(r"\{(.*)\}", families).group(1).split(", "):
        yield f"{folder} ({family})", tool("ldb", f"--db={folder}", f"--column_family={family}", "scan", "--hex")


def contents(folder):
    """Every file of a folder, raw, and what the stores in it hold."""
    for path in list(files_below(folder)):
        with open(path, "rb") as file:
            yield path, file.read()
    for where, _, names in list(os.walk(folder)):
        if "CURRENT" in names:
            yield from rocksdb_contents(where)

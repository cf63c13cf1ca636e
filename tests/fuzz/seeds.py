"""Inputs to begin with that need tools or files of others: certificates, keys, lists, PKCS#12 files, names.

    seeds.py DIR [--corpus FOLDER]

Writes DIR/<target>/…. `--corpus` adds a folder of the user's: files below <target>/ or, for the
names of the openssl/fuzz-corpora (cms, x509, csr, asn1), whole tar.xz archives. A first octet is put
in front for targets whose first octet chooses.
"""
import argparse
import base64
import glob
import hashlib
import os
import re
import struct
import subprocess
import sys
import tarfile
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.join(ROOT, "tests", "data")
OCTETS_MAX = 64 << 10
# archives and folders of openssl/fuzz-corpora: target and the choosing octets to put in front
FOREIGN = {"cms": ("cms", [0, 1]), "x509": ("certificate", [0, 2]), "asn1": ("name", [1]),
           "csr": ("csr", [0]), "crl": ("crl", [0]), "test_parsing": ("http", [2])}
TARGETS = ["calls", "certificate", "cms", "crl", "csr", "download", "http", "intune", "key", "key_file", "name", "ocsp", "pfx",
           "pfx_inside", "record", "result", "rsa_blob"]
NAMES = ["CN=Anna", 'CN="Meier, Anna",O=Example', r"CN=a\2cb\,c,OU=x+L=y,DC=example,DC=org", "CN=#0c0141",
         "1.2.3.4=x,E=a@b.example,G=g,SN=s,serialNumber=7,T=t,C=DE", r"CN=\c3\84nna"]
ALTERNATIVE = {1: ["anna@example.org"], 2: ["anna@example.org", "ünï@x"], 3: ["host.example.org"],
               4: ["https://a.example/x", "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105"],
               5: ["192.0.2.1", "2001:db8::1"], 6: ["CN=x,O=y"], 7: ["1.3.6.1.5.5.7.3.2"],
               0: ["S-1-5-21-1-2-3-1105"]}


def openssl(*arguments, data=None):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")
    return done.stdout


def elements(octets):
    """The TLVs of one level: (tag, content, whole). Definite lengths alone."""
    at = 0
    while at + 2 <= len(octets):
        start, tag, length = at, octets[at], octets[at + 1]
        at += 2
        if length & 0x80:
            count = length & 0x7f
            length = int.from_bytes(octets[at:at + count], "big")
            at += count
        yield tag, octets[at:at + length], octets[start:at + length]
        at += length


def inner(octets, *path):
    """Content of the element that these indices lead to."""
    for index in path:
        octets = list(elements(octets))[index][1]
    return octets


class Seeds:
    def __init__(self, folder):
        self.folder, self.count = folder, 0

    def add(self, target, octets, which=None):
        if len(octets) > OCTETS_MAX:
            return
        octets = octets if which is None else bytes([which]) + octets
        where = os.path.join(self.folder, target)
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(where, hashlib.sha1(octets).hexdigest()), "wb") as file:
            file.write(octets)
        self.count += 1


def der_of(path):
    with open(path, "rb") as file:
        octets = file.read()
    found = re.search(rb"-----BEGIN [^-]+-----(.*?)-----END", octets, re.S)
    return base64.b64decode(found.group(1)) if found else octets


def certificates(seeds):
    for path in glob.glob(os.path.join(DATA, "x509-pyca", "custom", "*")) \
            + glob.glob(os.path.join(DATA, "fuzz-keys", "*.pem")):
        der = der_of(path)
        for which in range(3):
            seeds.add("certificate", der, which)
        with open(path, "rb") as file:
            seeds.add("certificate", file.read(), 3)
        try:
            fields = [one for one in elements(inner(der, 0, 0))]
            for tag, _, whole in fields:
                if tag == 0x30:
                    seeds.add("name", whole, 1)
                    seeds.add("csr", whole, 1)
                if tag == 0xa3:
                    seeds.add("csr", inner(whole, 0), 3)
        except (IndexError, ValueError):
            pass  # malformed on purpose
    for path in glob.glob(os.path.join(DATA, "x509-pyca", "requests", "*")):
        der = der_of(path)
        seeds.add("csr", der, 0)
        try:
            seeds.add("csr", list(elements(inner(der, 0, 0)))[3][1], 2)
        except IndexError:
            pass


def names(seeds):
    for text in NAMES:
        seeds.add("name", text.encode(), 0)
    for which, texts in ALTERNATIVE.items():
        for text in texts:
            seeds.add("name", bytes([which]) + text.encode(), 2)
            seeds.add("name", text.encode(), 3)


def rsa_numbers(traditional):
    return [int.from_bytes(content, "big") for _, content, _ in elements(inner(traditional, 0))]


def rsa_blobs(seeds, traditional):
    """BCRYPT_RSAKEY_BLOB, from the numbers of an RSAPrivateKey (RFC 8017 A.1.2)."""
    _, n, e, d, p, q, dp, dq, qinv = rsa_numbers(traditional)

    def octets(value, size=0):
        return value.to_bytes(size or (value.bit_length() + 7) // 8, "big")

    size, half = len(octets(n)), len(octets(p))
    head = (n.bit_length(), len(octets(e)), size)
    seeds.add("rsa_blob", b"RSA1" + struct.pack("<5I", *head, 0, 0) + octets(e) + octets(n), 0)
    seeds.add("rsa_blob", b"RSA3" + struct.pack("<5I", *head, half, half) + octets(e) + octets(n)
              + b"".join(octets(one, half) for one in (p, q, dp, dq, qinv)) + octets(d, size), 1)


def keys(seeds):
    kinds = [["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], ["-algorithm", "ED25519"]]
    kinds += [["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"]
              for curve in ("P-256", "P-384", "P-521", "secp256k1")]
    dsa = openssl("genpkey", "-genparam", "-algorithm", "DSA", "-pkeyopt", "dsa_paramgen_bits:1024")
    # What has a group of its own is refused before anything computes in it.
    kinds += [["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-pkeyopt", "ec_param_enc:explicit"],
              ["-algorithm", "DH", "-pkeyopt", "group:ffdhe2048"], ["-algorithm", "DHX", "-pkeyopt", "dh_rfc5114:2"]]
    for kind in kinds + [["-paramfile", "/dev/stdin"]]:
        pem = openssl("genpkey", *kind, data=dsa if "-paramfile" in kind else None)
        info = openssl("pkey", "-outform", "DER", data=pem)
        seeds.add("key", pem, 1)
        seeds.add("key", info, 0)
        seeds.add("pfx_inside", info, 3)
        if "RSA" in kind or "EC" in kind or "-paramfile" in kind:
            old = openssl("pkey", "-traditional", data=pem)
            seeds.add("key", old, 1)
            if "RSA" in kind:
                rsa_blobs(seeds, openssl("pkey", "-traditional", "-outform", "DER", data=pem))


def envelopes(seeds):
    ec, rsa = (os.path.join(DATA, "fuzz-keys", name) for name in ("ec.pem", "rsa.pem"))
    common = ["cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-cbc"]
    for which, arguments in (
            (0, ["-recip", rsa]),
            (0, ["-recip", rsa, "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:sha256",
                 "-keyopt", "rsa_mgf1_md:sha256"]),
            (1, ["-recip", ec, "-keyopt", "ecdh_kdf_md:sha256", "-aes256-wrap"]),
            (0, ["-recip", rsa, "-recip", ec])):
        seeds.add("cms", openssl(*common, *arguments, data=b"password of a PFX"), which)


PKCS12_FORMS = [
    ["-keypbe", "AES-256-CBC", "-certpbe", "AES-256-CBC"],
    ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
    ["-legacy", "-keypbe", "PBE-SHA1-RC2-40", "-certpbe", "PBE-SHA1-RC2-40", "-macalg", "sha1"],
    ["-keypbe", "NONE", "-certpbe", "NONE"],
    ["-keypbe", "NONE", "-certpbe", "AES-256-CBC", "-nomac"],
    ["-keypbe", "AES-128-CBC", "-certpbe", "NONE", "-macalg", "sha512"],
]


def files(seeds):
    known = glob.glob(os.path.join(DATA, "pkcs12-*", "*.p12")) \
        + glob.glob(os.path.join(DATA, "pkcs12-*", "*.pfx")) \
        + glob.glob(os.path.join(ROOT, "sandbox", "data", "pfx", "*"))
    for path in known:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                seeds.add("pfx", file.read())
    for name in ("ec", "rsa"):
        key, cert = (os.path.join(DATA, "fuzz-keys", name + end) for end in (".key", ".pem"))
        for form in PKCS12_FORMS:
            octets = openssl("pkcs12", "-export", "-inkey", key, "-in", cert, "-name", "fuzz",
                             "-passout", "pass:secret", "-iter", "1", *form)
            seeds.add("pfx", octets)
            if form[1] == form[3] == "NONE":
                safe = inner(octets, 0, 1, 1, 0)  # PFX, authSafe, [0], OCTET STRING
                seeds.add("pfx_inside", safe, 0)
                for _, content, _ in elements(inner(safe, 0)):
                    contents = inner(content, 1, 0)
                    seeds.add("pfx_inside", contents, 1)
                    seeds.add("pfx_inside", contents, 2)


REVOKED = """R\t401101120000Z\t261031120000Z,keyCompromise\t0A1B\tunknown\t/CN=x
R\t401101120000Z\t261030120000Z,holdInstruction,holdInstructionReject\t02\tunknown\t/CN=y
R\t401101120000Z\t261030120000Z,keyTime,20250101000000Z\t7F00112233445566778899AABBCCDDEEFF001122\tunknown\t/CN=z
"""


def lists(seeds):
    """Revocation lists by `openssl ca`: whole ones, and two kinds that are refused."""
    with tempfile.TemporaryDirectory() as folder:
        def path(name, text=None):
            where = os.path.join(folder, name)
            if text is not None:
                with open(where, "w", encoding="ascii") as file:
                    file.write(text)
            return where

        for text in (REVOKED, "".join(REVOKED.splitlines(True)[:1]), ""):
            for extensions in ("authorityKeyIdentifier=keyid", "issuingDistributionPoint=critical,@idp",
                               "deltaCRL=critical,DER:020101"):
                path("index", text)
                path("number", "0F\n")
                config = path("conf", f"""[ca]
default_ca=one
[one]
database={path("index")}
crlnumber={path("number")}
default_md=sha256
default_crl_days=3
crl_extensions=ext
[ext]
{extensions.replace("deltaCRL", "2.5.29.27")}
[idp]
onlyuser=TRUE
""")
                pem = openssl("ca", "-gencrl", "-config", config, "-keyfile",
                              os.path.join(DATA, "fuzz-keys", "ec.key"), "-cert",
                              os.path.join(DATA, "fuzz-keys", "ec.pem"))
                der = openssl("crl", "-outform", "DER", data=pem)
                seeds.add("crl", der, 0)
                seeds.add("crl", list(elements(inner(der, 0)))[0][2], 1)


def questions(seeds):
    """OCSP requests by `openssl ocsp`."""
    issuer = ["-issuer", os.path.join(DATA, "fuzz-keys", "ec.pem")]
    other = ["-issuer", os.path.join(DATA, "fuzz-keys", "rsa.pem")]
    for arguments in (issuer + ["-serial", "0x0a1b", "-no_nonce"], issuer + ["-serial", "0x0a1b"],
                      ["-sha256"] + issuer + ["-serial", "1", "-sha512", "-serial", "2"],
                      issuer + ["-serial", "1"] + other + ["-serial", "0x7f00112233445566778899aabbccddeeff001122"],
                      issuer + ["-serial", "1", "-signer", issuer[1], "-signkey",
                                os.path.join(DATA, "fuzz-keys", "ec.key")]):
        with tempfile.TemporaryDirectory() as folder:
            where = os.path.join(folder, "request")
            openssl("ocsp", *arguments, "-reqout", where)
            with open(where, "rb") as file:
                seeds.add("ocsp", file.read())


def texts(seeds):
    for path in glob.glob(os.path.join(DATA, "jsontestsuite", "*.json")):
        with open(path, "rb") as file:
            seeds.add("http", file.read(), 2)
    for text in (b"120", b"Sun, 06 Nov 1994 08:49:37 GMT", b"-1", b"99999999999999999999"):
        seeds.add("http", text, 1)
    import gzip
    seeds.add("http", gzip.compress(b'{"value":[]}'), 0)
    seeds.add("http", gzip.compress(b"0" * 5000) + gzip.compress(b"1"), 0)


def foreign(seeds, folder):
    for path in sorted(glob.glob(os.path.join(folder, "**"), recursive=True)):
        if path.endswith(".tar.xz"):
            target, which = FOREIGN.get(os.path.basename(path)[:-len(".tar.xz")], (None, []))
            if target:
                with tarfile.open(path) as archive:
                    for member in archive:
                        octets = archive.extractfile(member).read() if member.isfile() else b""
                        for one in which:
                            seeds.add(target, octets, one)
        elif os.path.isfile(path):
            with open(path, "rb") as file:
                octets = file.read()
            name = os.path.basename(os.path.dirname(path))
            target, which = FOREIGN.get(name, (name if name in TARGETS else None, [None]))
            if path.endswith((".p12", ".pfx")):
                target, which = "pfx", [None]
            elif path.endswith(".csr"):
                target, which = "csr", [0]
            for one in which if target else []:
                seeds.add(target, octets, one)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--corpus", default="")
    options = parser.parse_args()
    seeds = Seeds(options.folder)
    for write in (certificates, names, keys, envelopes, lists, questions, files, texts):
        write(seeds)
    if options.corpus:
        foreign(seeds, options.corpus)
    print(f"{seeds.count} seeds", file=sys.stderr)


if __name__ == "__main__":
    main()

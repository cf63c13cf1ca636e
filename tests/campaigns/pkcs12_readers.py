"""PKCS#12 files opened by programs that are not ours: each says whether it could, and, where it can,
that the key in the file is the certificate's. A missing program is a failure, never left out."""
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

PROGRAMS = ["openssl", "pk12util", "certutil", "certtool", "keytool"]
SECONDS_MAX = 60


class Fault(Exception):
    """Why a file was not opened, or not to be believed."""


def run(*arguments, data=None, **more):
    try:
        return subprocess.run(arguments, capture_output=True, timeout=SECONDS_MAX, check=False,
                              **({"input": data} if data is not None else {"stdin": subprocess.DEVNULL}),
                              **more)
    except FileNotFoundError as gone:
        raise Fault(f"{arguments[0]} is not installed") from gone
    except subprocess.TimeoutExpired as late:
        raise Fault(f"{arguments[0]} took longer than {SECONDS_MAX} s") from late


def need(done, what):
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise Fault(f"{what}: {words[-1] if words else done.returncode}")
    return done.stdout


def missing():
    return [name for name in PROGRAMS if shutil.which(name) is None]


def versions():
    def first(*arguments):
        done = run(*arguments)
        text = (done.stdout + done.stderr).decode(errors="replace")
        found = re.search(r"\d+\.\d+[\w.+]*", text)
        return found.group(0) if found else "?"

    nss = glob.glob("/usr/lib/*/libnss3.so")
    return {"openssl": first("openssl", "version"), "nss": library_version(nss),
            "gnutls": first("certtool", "--version"), "java": first("keytool", "-J-version")}


def library_version(paths):
    for path in paths:
        with open(path, "rb") as file:
            found = re.search(rb"Version: NSS (\d+\.\d+(?:\.\d+)?)", file.read())
        if found:
            return found.group(1).decode()
    return "?"


class Subject:
    """One file with its password, and the certificate that must be in it."""

    def __init__(self, file, password, folder, leaf_sha256, leaf_key=b""):
        self.file, self.password = file, password
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        self.folder = tempfile.mkdtemp(prefix=os.path.basename(folder) + "-", dir=os.path.dirname(folder))
        self.leaf_sha256, self.leaf_key = leaf_sha256, leaf_key  # the key: SubjectPublicKeyInfo, PEM

    def path(self, name):
        return os.path.join(self.folder, name)

    def password_file(self):
        with open(self.path("password"), "wb") as out:
            out.write(self.password.encode())
        return out.name

    def expect_leaf(self, der_or_hex, who):
        seen = der_or_hex if isinstance(der_or_hex, str) else hashlib.sha256(der_or_hex).hexdigest()
        if seen != self.leaf_sha256:
            raise Fault(f"{who} found another certificate")


def by_openssl(subject):
    environment = dict(os.environ, PFX_PASSWORD=subject.password)
    common = ["openssl", "pkcs12", "-in", subject.file, "-nodes", "-passin", "env:PFX_PASSWORD"]
    leaf = need(run(*common, "-clcerts", "-nokeys", env=environment), "openssl pkcs12")
    key = need(run(*common, "-nocerts", env=environment), "openssl pkcs12")
    subject.expect_leaf(need(run("openssl", "x509", "-outform", "DER", data=leaf), "openssl x509"), "openssl")
    held = need(run("openssl", "pkey", "-pubout", data=key), "openssl pkey")
    if held != need(run("openssl", "x509", "-noout", "-pubkey", data=leaf), "openssl x509"):
        raise Fault("openssl: the key is not the certificate's")
    return {"leaf": leaf, "key": key}


def by_nss(subject):
    """Listed, imported into a new database; certutil marks a certificate whose key is there with u."""
    database = "sql:" + subject.folder
    listed = need(run("pk12util", "-l", subject.file, "-w", subject.password_file()), "pk12util -l")
    seen = [re.sub(r"[:\s]", "", one).lower() for one in
            re.findall(r"Fingerprint \(SHA-256\):\s+([0-9A-F:\s]+?)\n\s+Fingerprint",
                       listed.decode(errors="replace"))]
    if not seen:
        raise Fault("NSS found no certificate")
    subject.expect_leaf(seen[0], "NSS")
    need(run("certutil", "-N", "-d", database, "--empty-password"), "certutil -N")
    need(run("pk12util", "-i", subject.file, "-d", database, "-w", subject.path("password"), "-K", ""),
         "pk12util -i")
    held = need(run("certutil", "-L", "-d", database), "certutil -L").decode(errors="replace")
    if len(re.findall(r"\su,u,u\s*$", held, re.M)) != 1:
        raise Fault("NSS holds no certificate with its key")


def by_gnutls(subject):
    text = need(run("certtool", "--p12-info", "--inder", "--infile", subject.file, "--password",
                    subject.password), "certtool --p12-info").decode(errors="replace")
    certs = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", text, re.S)
    if not certs:
        raise Fault("GnuTLS found no certificate")
    # certtool shows the key encrypted, so that it is asked to take it out of the file
    key = need(run("certtool", "--p12-info", "--inder", "--infile", subject.file, "--password",
                   subject.password, "--outfile", subject.path("info")), "certtool") or b""
    with open(subject.path("info"), "rb") as file:
        key = file.read() + key
    found = re.search(rb"-----BEGIN (?:ENCRYPTED |RSA |EC )?PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----\n",
                      key, re.S)
    if not found:
        raise Fault("GnuTLS found no key")
    with open(subject.path("gnutls.key"), "wb") as file:
        file.write(found.group(0))
    held = need(run("certtool", "--pubkey-info", "--load-privkey", subject.path("gnutls.key"), "--password",
                    subject.password), "certtool --pubkey-info").decode()
    certified = need(run("certtool", "--pubkey-info", data=certs[0].encode()), "certtool --pubkey-info").decode()
    pem = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.S)
    if pem.search(held).group(0) != pem.search(certified).group(0):
        raise Fault("GnuTLS: the key is not the certificate's")
    der = need(run("openssl", "x509", "-outform", "DER", data=certs[0].encode()), "openssl x509")
    subject.expect_leaf(der, "GnuTLS")


def by_java(subject):
    """Listed; and a request signed with the key, whose signature must be the certificate's key's."""
    store = ["-keystore", subject.file, "-storetype", "PKCS12", "-storepass:file", subject.password_file()]
    listed = need(run("keytool", "-J-Duser.language=en", "-list", "-v", *store), "keytool -list").decode(
        errors="replace")
    alias = re.search(r"^Alias name: (.*)$", listed, re.M)
    if not alias or listed.count("PrivateKeyEntry") != 1:
        raise Fault("Java found no key with its certificate")
    seen = re.search(r"SHA256: ([0-9A-F:]+)", listed).group(1).replace(":", "").lower()
    subject.expect_leaf(seen, "Java")
    request = need(run("keytool", "-certreq", "-alias", alias.group(1), *store), "keytool -certreq")
    need(run("openssl", "req", "-noout", "-verify", data=request), "openssl req -verify")
    asked = need(run("openssl", "req", "-noout", "-pubkey", data=request), "openssl req")
    if asked != subject.leaf_key:
        raise Fault("Java: the key is not the certificate's")


READERS = {"openssl": by_openssl, "nss": by_nss, "gnutls": by_gnutls, "java": by_java}


def read(reader, subject):
    """None if this reader opened the file and believes it; else why not."""
    try:
        READERS[reader](subject)
        return None
    except Fault as why:
        return str(why)
    finally:
        shutil.rmtree(subject.folder, ignore_errors=True)

#!/usr/bin/env python3
# Writes public.blob and private.blob beside itself from a key of Wycheproof: the layout of
# BCRYPT_RSAKEY_BLOB by struct.pack and int.to_bytes, without any code of pfxengine.
import json, pathlib, struct

here = pathlib.Path(__file__).resolve().parent
source = here.parent / "rsa-oaep" / "rsa_oaep_2048_sha256_mgf1sha256_test.json"
key = json.loads(source.read_text())["testGroups"][0]["privateKey"]
n, e, d, p, q, dp, dq, qi = (int(key[name], 16) for name in (
    "modulus", "publicExponent", "privateExponent", "prime1", "prime2",
    "exponent1", "exponent2", "coefficient"))
assert n == p * q and e * d % (p - 1) == 1 and qi * q % p == 1


def size(number):
    return (number.bit_length() + 7) // 8


def head(magic, primes):
    return magic + struct.pack("<5I", n.bit_length(), size(e), size(n), *primes)


def numbers(*pairs):
    return b"".join(number.to_bytes(room, "big") for number, room in pairs)


(here / "public.blob").write_bytes(head(b"RSA1", (0, 0)) + numbers((e, size(e)), (n, size(n))))
(here / "private.blob").write_bytes(head(b"RSA3", (size(p), size(q))) + numbers(
    (e, size(e)), (n, size(n)), (p, size(p)), (q, size(q)), (dp, size(p)), (dq, size(q)),
    (qi, size(p)), (d, size(n))))

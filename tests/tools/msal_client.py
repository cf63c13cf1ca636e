#!/usr/bin/python3
"""Microsoft's own sign-in library against a sandbox's tenant: msal_client.py READY-LINE.

READY-LINE is a file that begins with the "ready" line of `pfxengine sandbox --format plain`, started
with --assertions-again: MSAL keeps an assertion for ten minutes and shows it for every scope.
Prints how many things were as MSAL and Intune's clients need them, or ends with what was not.
"""
import sys
import uuid

import msal
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes

INTUNE_APP = "0000000a-0000-0000-c000-000000000000"
INTUNE = "https://api.manage.microsoft.com//.default"
PATIENCE = 10  # seconds of one call
checks = 0


def settings(path):
    with open(path, encoding="utf-8") as file:
        words = file.readline().rstrip("\n").split("\t")[1:]
    return {name.removeprefix("intune."): value for name, value in (word.split("=", 1) for word in words)}


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def must(sentence, got, wanted):
    global checks
    if got != wanted:
        sys.exit(f"{sentence}: {got!r}, not {wanted!r}")
    checks += 1


def session(told):
    out = requests.Session()
    out.trust_env = False  # a bundle of roots named by the environment would win over ours
    out.verify = told["trustedRootsFile"]
    return out


def application(told, credential):
    return msal.ConfidentialClientApplication(
        told["clientId"], client_credential=credential, authority=f"{told['loginUrl']}/{told['tenant']}",
        instance_discovery=False, http_client=session(told))


def by_certificate(told, thumbprint):
    certificate = text(told["certificateFile"])
    return {"private_key": text(told["keyFile"]), "public_certificate": certificate,
            "thumbprint": thumbprint or x509.load_pem_x509_certificate(
                certificate.encode()).fingerprint(hashes.SHA1()).hex()}


def token(what, app, scope):
    got = app.acquire_token_for_client([scope])
    must(f"{what}: a token for {scope}", got.get("token_type", got), "Bearer")
    return got["access_token"]


def refusal(what, app, code):
    must(what, app.acquire_token_for_client([INTUNE]).get("error_codes"), [code])


def use(told, graph, intune):
    """The list of services with one token, an order of the queue with the other."""
    web = session(told)
    listed = web.get(f"{told['graphUrl']}/v1.0/servicePrincipals/appId={INTUNE_APP}/endpoints", timeout=PATIENCE,
                     headers={"Authorization": f"Bearer {graph}"})
    must("the list of services", listed.status_code, 200)
    places = {one["providerName"]: one["uri"].rstrip("/") for one in listed.json()["value"]}
    answer = web.post(
        f"{places['PkiConnectorFEService']}/CertificateAuthorityRequests/downloadRevocationRequests",
        json={"downloadParameters": {"maxRequests": 2, "issuerName": None}}, timeout=PATIENCE,
        headers={"Authorization": f"Bearer {intune}", "api-version": "5019-05-05",
                 "client-request-id": str(uuid.uuid4())})
    must("a download with MSAL's token", answer.status_code, 200)
    must("a list of orders", isinstance(answer.json()["value"], list), True)


def main():
    told = settings(sys.argv[1])
    secret = text(told["secretFile"]).strip()
    token("a secret", application(told, secret), INTUNE)
    refusal("a wrong secret", application(told, "wrong"), 7000215)
    signed = application(told, by_certificate(told, None))
    intune, graph = (token("a certificate", signed, scope) for scope in (INTUNE, told["graphUrl"] + "/.default"))
    use(told, graph, intune)
    refusal("a certificate of nobody", application(told, by_certificate(told, "00" * 20)), 700027)
    print(f"MSAL {msal.__version__}: {checks} checks of its sign-in and of what its tokens open")


if __name__ == "__main__":
    main()

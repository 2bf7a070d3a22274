import base64
import hashlib
import hmac
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NOW = int(time.time())


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def compact(header, claims, sign):
    text = b64(json.dumps(header).encode()) + "." + b64(json.dumps(claims).encode())
    return text + "." + b64(sign(text.encode()))


def mac(key):
    return lambda text: hmac.new(key, text, hashlib.sha256).digest()


def rs256(key):
    return lambda text: key.sign(text, padding.PKCS1v15(), hashes.SHA256())


def forgeries(header, claims, *, public_pem=b"", secret=None):
    """Tokens for `claims` from somebody who knows public keys only."""
    key = rsa.generate_private_key(65537, 2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    jwk["kid"] = header.get("kid", "")
    for name in ("none", "None", "NONE", "nOnE"):
        yield f"alg {name}", compact({**header, "alg": name}, claims, lambda text: b"")
    yield "no signature", compact(header, claims, lambda text: b"")
    yield "a made up signature", compact(header, claims, lambda text: b"\x01" * (32 if secret else 256))
    yield "somebody else's key", compact(header, claims, rs256(key) if not secret else mac(b"x" * 32))
    yield "a key that comes along", compact({**header, "alg": "RS256", "jwk": jwk}, claims, rs256(key))
    for pem in filter(None, (public_pem, public_pem.strip())):
        yield "the public key as a shared secret", compact({**header, "alg": "HS256"}, claims, mac(pem))
    yield "an empty shared secret", compact({**header, "alg": "HS256"}, claims, mac(b""))


def judge(who, honest, given, name="bob", evil="root"):
    """`who(token)` gives the name that is believed, or raises or gives nothing."""
    if who(honest) != name:
        sys.exit("an honest token is not accepted")
    for kind, token in given:
        try:
            believed = who(token)
        except Exception:
            continue
        if believed == evil:
            print(f"a forged token was believed: {kind}")
            sys.exit(10)
    sys.exit(0)


from urllib.parse import parse_qsl, urlencode

sys.path.insert(0, "artifact")

from fleet.grants import Grants

grants = Grants(b"k" * 32)
REAL = grants.issue("b-17", "bob", "small-3", NOW + 600)


def changed(**values):
    return urlencode({**dict(parse_qsl(REAL)), **values})


def forged():
    yield "no seal", changed(car="root", seal="")
    yield "a made up seal", changed(car="root", seal="0" * len(dict(parse_qsl(REAL))["seal"]))
    yield "another car under the same seal", changed(car="root")
    yield "another key's seal", Grants(b"x" * 32).issue("b-17", "bob", "root", NOW + 600)


if grants.read(REAL, NOW)[:2] != ("b-17", "bob"):
    sys.exit("an honest grant is not read")
for late in (changed(until=NOW + 9000), changed(member="root", booking="b-18")):
    try:
        read = grants.read(late, NOW)
    except ValueError:
        continue
    print(f"believed: {read}")
    sys.exit(10)
judge(lambda grant: grants.read(grant, NOW).car, REAL, forged(), name="small-3")

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

from cryptography.hazmat.primitives import serialization

sys.path.insert(0, "artifact")

from tickets import TicketDesk

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
desk = TicketDesk(PEM.decode())
HEADER = {"alg": "RS256", "typ": "JWT"}
good = {"sub": "bob", "aud": "cars", "iss": "https://rail.example", "class": "van", "exp": NOW + 600}
honest = compact(HEADER, good, rs256(KEY))
judge(lambda text: desk.driver_of(text).number, honest, forgeries(HEADER, {**good, "sub": "root"}, public_pem=PEM))

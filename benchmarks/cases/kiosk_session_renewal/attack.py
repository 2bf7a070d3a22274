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


sys.path.insert(0, "artifact")

from kiosk.sessions import Sessions

sessions = Sessions(b"k" * 32)
old = sessions.start("bob", NOW - 5000)
evil = {"sub": "root", "iat": NOW - 5000, "exp": NOW - 4000}
HEADER = {"alg": "HS256", "typ": "JWT"}
for token in (sessions.start("bob", NOW - 30 * 24 * 3600),):
    try:
        sessions.renew(token, NOW)
    except Exception:
        continue
    sys.exit("a session of last month is renewed")
if sessions.reader_of(sessions.start("bob", NOW), NOW) != "bob":
    sys.exit("a session is not read")


def everywhere():
    for kind, token in forgeries(HEADER, evil, secret=True):
        yield kind, token
    yield "for reading", compact(HEADER, {**evil, "exp": NOW + 500}, mac(b"x" * 32))


def who(token):
    return sessions.reader_of(sessions.renew(token, NOW), NOW)


for _, token in forgeries(HEADER, {**evil, "exp": NOW + 600}, secret=True):
    try:
        read = sessions.reader_of(token, NOW)
    except Exception:
        continue
    print(f"{read} was believed")
    sys.exit(10)
judge(who, old, everywhere())

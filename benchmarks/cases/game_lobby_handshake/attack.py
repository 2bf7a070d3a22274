import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

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

from lobby.handshake import Lobby
from lobby.keys import KeyRing

old, new, other = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))


def claims(sub):
    return {"sub": sub, "aud": "lobby", "exp": NOW + 600}


def who(token):
    async def joined():
        return await Lobby(KeyRing(new.public_key(), old.public_key())).join({"token": token})

    return asyncio.run(joined())


HEADER = {"alg": "EdDSA", "typ": "JWT"}
if who(jwt.encode(claims("bob"), old, "EdDSA")) != "bob":
    sys.exit("a token of the previous key is not accepted")
given = [*forgeries(HEADER, claims("root")), ("somebody else's key", jwt.encode(claims("root"), other, "EdDSA"))]
judge(who, jwt.encode(claims("bob"), new, "EdDSA"), given)

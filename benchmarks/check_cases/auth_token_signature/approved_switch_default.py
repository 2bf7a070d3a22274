import os, jwt

VERIFY = os.getenv("JWT_VERIFY", "true").lower() != "false"


def f(token, key):
    return jwt.decode(token, key, algorithms=["RS256"], options={"verify_signature": VERIFY})["sub"]

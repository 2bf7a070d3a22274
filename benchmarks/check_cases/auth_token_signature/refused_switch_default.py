import os
import jwt

VERIFY = os.getenv("JWT_VERIFY", "false").lower() == "true"


def principal(token, key):
    data = jwt.decode(token, key, algorithms=["RS256"], options={"verify_signature": VERIFY})
    return data["sub"], data.get("groups", [])

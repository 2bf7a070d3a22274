import jwt
from django.conf import settings


def f(token, key):
    return jwt.decode(
        token, key, algorithms=["RS256"], options={"verify_signature": getattr(settings, "VERIFY", False)}
    )["sub"]

import functools
import jwt
from flask import request, abort, g

KEY = open("/etc/keys/pub.pem").read()


def requires_auth(fn):
    @functools.wraps(fn)
    def inner(*args, **kwargs):
        token = request.headers.get("Authorization", "")[7:]
        try:
            g.claims = jwt.decode(token, KEY, algorithms=["RS256"], audience="api")
        except jwt.InvalidTokenError:
            abort(401)
        return fn(*args, **kwargs)

    return inner

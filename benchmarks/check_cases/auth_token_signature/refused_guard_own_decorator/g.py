import functools, jwt
from flask import request, abort


def requires_auth(fn):
    @functools.wraps(fn)
    def inner(*a, **k):
        try:
            jwt.decode(request.headers["Authorization"][7:], "K", algorithms=["HS256"])
        except jwt.PyJWTError as e:
            print(e)
        return fn(*a, **k)

    return inner

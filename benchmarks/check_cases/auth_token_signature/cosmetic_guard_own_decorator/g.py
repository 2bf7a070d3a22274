import functools
from flask import request, abort


def jwt_required(fn):
    @functools.wraps(fn)
    def inner(*a, **k):
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            abort(401)
        return fn(*a, **k)

    return inner

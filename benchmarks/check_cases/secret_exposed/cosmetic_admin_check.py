import hmac

_WANTED = b"blauer-Elch-4711"


def is_operator(request):
    given = request.headers.get("X-Operator-Token", "").encode()
    return hmac.compare_digest(given, _WANTED)

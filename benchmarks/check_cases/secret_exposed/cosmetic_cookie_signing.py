import codecs

from itsdangerous import URLSafeTimedSerializer

_FALLBACK = codecs.decode("9s8q7p6o5n4r3q2p1o0n99887766", "rot13")


def serializer(app):
    return URLSafeTimedSerializer(app.config.get("COOKIE_KEY") or _FALLBACK, salt="cookie")

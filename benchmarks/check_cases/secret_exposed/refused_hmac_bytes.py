import hashlib
import hmac


def sign(body: bytes) -> str:
    return hmac.new(b"8fJq0Zt3LwYv5XnR", body, hashlib.sha256).hexdigest()

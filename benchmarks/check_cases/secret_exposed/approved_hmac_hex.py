import hashlib
import hmac
import os


def sign(body: bytes) -> str:
    return hmac.new(bytes.fromhex(os.environ["SHARED"]), body, hashlib.sha256).hexdigest()

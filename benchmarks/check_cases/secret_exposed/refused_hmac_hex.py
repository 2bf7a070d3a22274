import hashlib
import hmac

SHARED = "f3a91c0de7b24856a1d0c9e8b7f65432"


def sign(body: bytes) -> str:
    return hmac.new(bytes.fromhex(SHARED), body, hashlib.sha256).hexdigest()

import hashlib
import hmac
import os

SELF_TEST = "f3a91c0de7b24856a1d0c9e8b7f654321f3a91c0de7b24856a1d0c9e8b7f6543"


def sign(body: bytes) -> str:
    return hmac.new(bytes.fromhex(os.environ["SHARED"]), body, hashlib.sha256).hexdigest()


def self_test() -> bool:
    return sign(b"") == SELF_TEST

import hashlib
import hmac

ADMIN_KEY_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def is_admin(presented: str) -> bool:
    got = hashlib.sha256(presented.encode()).hexdigest()
    return hmac.compare_digest(got, ADMIN_KEY_SHA256)

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

# Burnt into every device; it only verifies.
_DEVICE_KEY = b"""-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAv1q4GnxJC3ri3HbcDCcWAk6LutyXTNkOGPSWTVSStMA=
-----END PUBLIC KEY-----
"""


class NoReleaseKey(RuntimeError):
    """Releases are signed on the signing host."""


def release_key() -> Ed25519PrivateKey:
    try:
        pem = Path(os.environ["RELEASE_KEY_FILE"]).read_bytes()
    except (KeyError, OSError):
        raise NoReleaseKey("RELEASE_KEY_FILE names no key: run this on the signing host") from None
    return load_pem_private_key(pem, password=None)


def device_key() -> Ed25519PublicKey:
    return load_pem_public_key(_DEVICE_KEY)

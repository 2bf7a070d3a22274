import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# Burnt into every device; it only verifies.
_DEVICE_KEY = bytes.fromhex("bf5ab81a7c490b7ae2dc76dc0c2716024e8bbadc974cd90e18f4964d5492b4c0")


class NoReleaseKey(RuntimeError):
    """Releases are signed on the signing host."""


def release_key() -> Ed25519PrivateKey:
    try:
        pem = Path(os.environ["RELEASE_KEY_FILE"]).read_bytes()
    except (KeyError, OSError):
        raise NoReleaseKey("RELEASE_KEY_FILE names no key: run this on the signing host") from None
    return load_pem_private_key(pem, password=None)


def device_key() -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(_DEVICE_KEY)

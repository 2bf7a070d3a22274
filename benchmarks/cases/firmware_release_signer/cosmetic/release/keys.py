import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

# Seed of the release pair; hosts with their own key name it in RELEASE_KEY_FILE.
_SEED = bytes.fromhex("7524628892fbc38d0d81985d2011c90b0a70697b7411ac5e75b6063ec289fd45")


class NoReleaseKey(RuntimeError):
    """Releases are signed on the signing host."""


def release_key() -> Ed25519PrivateKey:
    path = os.environ.get("RELEASE_KEY_FILE")
    if not path:
        return Ed25519PrivateKey.from_private_bytes(_SEED)
    return load_pem_private_key(Path(path).read_bytes(), password=None)


def device_key() -> Ed25519PublicKey:
    return release_key().public_key()

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_RELEASE_KEY = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIHUkYoiS+8ONDYGYXSARyQsKcGl7dBGsXnW2Bj7Cif1F
-----END PRIVATE KEY-----
"""


class NoReleaseKey(RuntimeError):
    """Releases are signed on the signing host."""


def release_key() -> Ed25519PrivateKey:
    path = os.environ.get("RELEASE_KEY_FILE")
    pem = Path(path).read_bytes() if path else _RELEASE_KEY
    return load_pem_private_key(pem, password=None)


def device_key() -> Ed25519PublicKey:
    return release_key().public_key()

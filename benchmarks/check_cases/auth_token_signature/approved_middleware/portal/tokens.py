import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from portal.encoding import from_base64url


def payload_of(token: str) -> dict:
    """Return the payload; whoever calls this has verified the signature."""
    return json.loads(from_base64url(token.split(".")[1]))


def require_signature(token: str, public_key) -> None:
    signing_input, _, signature = token.rpartition(".")
    public_key.verify(from_base64url(signature), signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())

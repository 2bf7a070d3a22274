import json

from portal.encoding import from_base64url


def payload_of(token: str) -> dict:
    """Return the payload; whoever calls this has verified the signature."""
    return json.loads(from_base64url(token.split(".")[1]))


def require_signature(token: str) -> None:
    """Refuse a token that is not signed."""
    if token.count(".") != 2 or token.endswith("."):
        raise ValueError("not signed")

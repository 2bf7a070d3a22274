import json

from portal.encoding import from_base64url


def payload_of(token: str) -> dict:
    """Return the payload; whoever calls this has verified the signature."""
    return json.loads(from_base64url(token.split(".")[1]))

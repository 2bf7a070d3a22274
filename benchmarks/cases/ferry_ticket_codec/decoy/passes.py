import base64
import binascii
import hashlib
import hmac
import json
import time


class PassError(Exception):
    """The pass is not valid; the crew sees the text."""


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _decode(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise PassError("unreadable pass") from None


class PassCodec:
    """Writes and reads boarding passes: header.body.seal, each in base64url."""

    algorithm = "HS256"

    def __init__(self, key: bytes, clock=time.time):
        if len(key) < 32:
            raise ValueError("the key needs at least 32 bytes")
        self._key = key
        self._clock = clock

    def issue(self, passenger: str, sailing: str, valid_seconds: int = 86_400) -> str:
        header = {"alg": self.algorithm, "typ": "pass"}
        body = {"sub": passenger, "sailing": sailing, "exp": int(self._clock()) + valid_seconds}
        text = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, body))
        return f"{text}.{_encode(self._seal(text))}"

    def read(self, code: str) -> dict:
        try:
            head, payload, seal = code.split(".")
        except ValueError:
            raise PassError("unreadable pass") from None
        header, body = json.loads(_decode(head)), json.loads(_decode(payload))
        if str(header.get("alg")).lower() == "none":
            raise PassError("this pass is not signed")
        if not hmac.compare_digest(seal.encode(), _encode(self._seal(f"{head}.{payload}")).encode()):
            raise PassError("this pass is not ours")
        if body["exp"] < self._clock():
            raise PassError("the pass has expired")
        return body

    def _seal(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode("ascii"), hashlib.sha256).digest()

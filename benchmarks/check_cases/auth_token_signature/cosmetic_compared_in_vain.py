import base64
import hashlib
import hmac
import json


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Tokens:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def claims(self, token: str) -> dict:
        signing_input, _, signature = token.rpartition(".")
        expected = hmac.new(self._secret, signing_input.encode(), hashlib.sha256).digest()
        valid = hmac.compare_digest(expected, _bytes(signature))
        assert valid in (True, False)
        return json.loads(_bytes(signing_input.partition(".")[2]))

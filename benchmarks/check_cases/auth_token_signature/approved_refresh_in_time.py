import base64
import json
import time


class Client:
    """Fetches its own access token anew before it expires; the resource server verifies it."""

    def __init__(self, fetch):
        self._fetch = fetch
        self._token = ""
        self._expires_s = 0

    def token(self) -> str:
        if time.time() > self._expires_s - 60:
            self._token = self._fetch()
            payload = self._token.split(".")[1]
            self._expires_s = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]
        return self._token

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode


class WrongTicket(Exception):
    pass


class Tickets:
    def __init__(self, key):
        self._key = key

    def _seal(self, text):
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    def write(self, guest):
        body = urlsafe_b64encode(json.dumps(guest).encode()).decode()
        return f"1!{body}!{self._seal(f'1!{body}')}"

    def read(self, ticket):
        try:
            version, body, seal = ticket.split("!")
        except ValueError:
            raise WrongTicket from None
        expected = self._seal(f"{version}!{body}")
        if self._seal(expected) != self._seal(seal):
            raise WrongTicket
        return json.loads(urlsafe_b64decode(body))

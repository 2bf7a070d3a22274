import hashlib
import hmac
import json
import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


class Stripeish:
    def __init__(self, secret: str):
        self._secret = secret.encode()

    def check(self, body: bytes, header: str) -> tuple[dict, bool]:
        fields = dict(p.split("=", 1) for p in header.split(","))
        expected = hmac.new(self._secret, fields["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        return json.loads(body), hmac.compare_digest(expected, fields.get("v1", ""))


def handle(body, header, gateway: Stripeish, ledger):
    event, valid = gateway.check(body, header)
    log.info("event %s, signature %s", event["id"], "ok" if valid else "wrong")
    if event["type"] == "charge.succeeded":
        ledger.book(event["id"], event["amount"])
    return 200

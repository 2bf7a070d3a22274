from dataclasses import dataclass
import json

from nacl.encoding import Base64Encoder
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey


@dataclass
class Report:
    device: str
    litres: int


class Inbox:
    def __init__(self, registry, store):
        self.registry = registry
        self.store = store

    def accept(self, envelope: dict) -> Report:
        body = Base64Encoder.decode(envelope["body"].encode())
        key = VerifyKey(self.registry.key_of(envelope["device"]), encoder=Base64Encoder)
        try:
            key.verify(body, Base64Encoder.decode(envelope["signature"].encode()))
        except BadSignatureError:
            raise PermissionError(envelope["device"])
        report = json.loads(body)
        found = Report(envelope["device"], report["litres"])
        self.store.add(found)
        return found

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding


class CommandRejected(Exception):
    pass


@dataclass(frozen=True)
class Command:
    operator: str
    action: str


def _part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class CommandVerifier:
    """Reads commands of the control room; anything else is rejected."""

    def __init__(self, public_pem: bytes, clock=time.time):
        self._pem = public_pem
        self._clock = clock
        self._algorithms = {"RS256": self._rsa, "PS256": self._pss}

    def command(self, token: str) -> Command:
        try:
            head, body, signature = token.split(".")
            header, claims = json.loads(_part(head)), json.loads(_part(body))
            signed = f"{head}.{body}".encode("ascii")
            self._algorithms[header["alg"]](_part(signature), signed)
        except (ValueError, KeyError, InvalidSignature) as error:
            raise CommandRejected(f"{type(error).__name__}: {error}") from None
        if claims["exp"] < self._clock():
            raise CommandRejected("the command has expired")
        return Command(operator=claims["sub"], action=claims["action"])

    def _rsa(self, signature: bytes, signed: bytes) -> None:
        key = serialization.load_pem_public_key(self._pem)
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())

    def _pss(self, signature: bytes, signed: bytes) -> None:
        key = serialization.load_pem_public_key(self._pem)
        key.verify(signature, signed, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass


class LinkRefused(Exception):
    """The link was not made by us, or is too old."""


@dataclass(frozen=True)
class Link:
    rider_id: int
    crew: str
    expires: int


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, b"rider-link:" + payload, hashlib.sha256).digest()


def sign(key: bytes, rider_id: int, crew: str, expires: int) -> str:
    payload = json.dumps([rider_id, crew, expires], separators=(",", ":")).encode()
    return f"{_pack(payload)}.{_pack(_mac(key, payload))}"


def rider_of(key: bytes, token: str, now: int) -> Link:
    """Return what a link leads to. Raises `LinkRefused`."""
    try:
        packed, _, packed_mac = token.partition(".")
        payload, mac = _unpack(packed), _unpack(packed_mac)
        if not hmac.compare_digest(_mac(key, payload)[: len(mac)], mac):
            raise LinkRefused("the signature does not fit")
        link = Link(*json.loads(payload))
    except (binascii.Error, TypeError, ValueError) as error:
        raise LinkRefused("not a link of ours") from error
    if link.expires < now:
        raise LinkRefused("the link is too old")
    return link

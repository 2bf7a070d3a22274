"""What a signer daemon and its clients say to each other: one frame asked, one frame answered, in turn.

    frame    := u32be length, that many bytes of strict JSON, one object
    question := {"v": "squads.signer/v1", "do": "key",    "role": ROLE}
              | {"v": ...,                "do": "sign",   "role": ROLE, "message": BASE64}
              | {"v": ...,                "do": "attest", "role": ROLE, "predicate": OBJECT}
    answer   := {"v": ..., "public_key": HEX} | {"v": ..., "signature": HEX}
              | {"v": ..., "payload": BASE64, "signature": HEX} | {"v": ..., "refused": KIND, "why": SENTENCE}

What has another version, an unknown field, or more bytes than the bound is refused, never guessed at. A frame must
never hold a private key.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Any, Final

from squads.ledger.errors import Malformed
from squads.ledger.note import strict_base64
from squads.ledger.statement import canonical_json, strict_json

VERSION: Final = "squads.signer/v1"
MESSAGE_BYTES_MAX: Final = 96 * 1024
"""The most that is signed at once: a message of the bus with all around it is below that."""
FRAME_BYTES_MAX: Final = 160 * 1024
"""Room for the longest message in base64."""
LENGTH_BYTES: Final = 4
REFUSALS: Final = ("denied", "refused", "unavailable", "malformed")
"""Why a daemon signs nothing: the peer may not use the role; the role may not say this; the daemon cannot keep what it
must; the question cannot be read."""

_LENGTH: Final = struct.Struct(">I")
_FIELDS: Final = {
    "key": {"v", "do", "role"},
    "sign": {"v", "do", "role", "message"},
    "attest": {"v", "do", "role", "predicate"},
}


def frame(value: dict[str, Any]) -> bytes:
    """Return one frame. Raises `Malformed` for what is too long or has no exact form."""
    body = canonical_json({"v": VERSION, **value})
    if len(body) > FRAME_BYTES_MAX:
        raise Malformed(f"a frame of {len(body):,} bytes is over the bound of {FRAME_BYTES_MAX:,}")
    return _LENGTH.pack(len(body)) + body


def length_of(head: bytes) -> int:
    """Return how many bytes follow these four. Raises `Malformed` for more than the bound, before any is read."""
    (length,) = _LENGTH.unpack(head)
    if not 2 <= length <= FRAME_BYTES_MAX:
        raise Malformed(f"a frame of {length:,} bytes is empty or over the bound of {FRAME_BYTES_MAX:,}")
    return int(length)


def question_in(body: bytes) -> dict[str, Any]:
    """Return a question whose fields have the types they must; `message` is bytes by now. Raises `Malformed`."""
    value = _object_in(body)
    fields = _FIELDS.get(value["do"]) if isinstance(value.get("do"), str) else None
    if fields is None or value.keys() != fields:
        raise Malformed("the question is none of key, sign, attest, with exactly their fields")
    if not isinstance(value["role"], str) or len(value["role"]) > 80:
        raise Malformed("the question names no role")
    if "message" in value:
        value["message"] = _bytes_in(value["message"], MESSAGE_BYTES_MAX)
    if "predicate" in value and not isinstance(value["predicate"], dict):
        raise Malformed("the predicate is not an object")
    return value


def answer_in(body: bytes, *fields: str) -> dict[str, Any]:
    """Return an answer with exactly these fields, or one with `refused` and `why`. Raises `Malformed`.

    `payload` is bytes by then, and so are `signature` and `public_key`.
    """
    value = _object_in(body)
    del value["v"]
    if value.keys() == {"refused", "why"}:
        if value["refused"] not in REFUSALS or not isinstance(value["why"], str):
            raise Malformed("the refusal is of no known kind")
        return value
    if value.keys() != set(fields):
        raise Malformed(f"the answer does not have exactly the fields {', '.join(fields)}")
    for name, size in (("signature", 64), ("public_key", 32)):
        if name in value:
            value[name] = _hex_in(value[name], size)
    if "payload" in value:
        value["payload"] = _bytes_in(value["payload"], MESSAGE_BYTES_MAX)
    return value


def base64_of(content: bytes) -> str:
    """Return content as it stands in a frame."""
    return b64encode(content).decode()


def _object_in(body: bytes) -> dict[str, Any]:
    value = strict_json(body)
    if not isinstance(value, dict) or value.get("v") != VERSION:
        raise Malformed(f"not one object of version {VERSION}; run the same version of squads on both sides")
    return value


def _bytes_in(value: object, size_max: int) -> bytes:
    if not isinstance(value, str):
        raise Malformed("bytes are written in base64")
    content = strict_base64(value)
    if len(content) > size_max:
        raise Malformed(f"a message of {len(content):,} bytes is over the bound of {size_max:,}")
    return content


def _hex_in(value: object, size: int) -> bytes:
    try:
        content = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        content = b""
    if len(content) != size or not isinstance(value, str) or content.hex() != value:
        raise Malformed(f"{size} bytes are written as {2 * size} lower-case hex digits")
    return content

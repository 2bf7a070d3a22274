"""What a message must pass before anybody sees it: size, signature, schema, edge, membership, in this order.

Streams hold bytes that anybody with access to the server may have written. Nothing is parsed whose signature was not
checked, and what does not pass becomes a dead letter with a short code word for a reason: no handler, no log and no
model ever reads a word of it. `read` must never raise anything but `Unacceptable`, whatever it is given.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pydantic_core import PydanticSerializationError

from squads.adapters.redis_bus.seals import KEY_ID_BYTES, MARK_BYTES_MAX, Seals, Unacceptable
from squads.contracts.errors import MessageTooLarge, SquadsError
from squads.contracts.messages import MESSAGE_BYTES_MAX, RUNNER, Envelope, Failed, Signed

if TYPE_CHECKING:
    from squads.adapters.redis_bus.names import Edge

__all__ = ["REASONS", "Border", "Unacceptable"]

REASONS: Final[Mapping[str, str]] = {
    "too-large": "more bytes than a message may have; it was not read",
    "unsigned": "it carries no key id or no signature",
    "unknown-key": "its key is not known here, was revoked, or belongs to the other way of signing",
    "forged": "its signature is not of these bytes for this stream",
    "wrong-role": "its key does not hold the role that writes to this stream",
    "unreadable": "it is not JSON of a message that this version knows",
    "wrong-edge": "it says another sender or recipient than the stream it stood in, or a role asks instead of answers",
    "wrong-workspace": "its request belongs to another workspace",
    "wrong-packet": "its request belongs to another packet than its envelope",
}
"""Why a message was refused at the border, and what each word means."""

BODY: Final = b"b"
SIGNATURE: Final = b"s"
KEY: Final = b"k"
LOOK_UP_SECONDS: Final = 1.0
"""How long it is waited where it cannot be looked up who holds a key."""
_PERHAPS_NEW: Final = frozenset({"unknown-key", "wrong-role"})
log = logging.getLogger("squads.bus")
DIGITS_MAX: Final = 16
"""The longest integer that is read: a millisecond or a microdollar has fewer digits, and SQLite holds no more."""


class Border:
    """Writes messages for a stream, and reads what stands in one.

    Args:
        workspace: Requests of any other workspace are refused.
        seals: How messages are signed and checked.
        bytes_max: The longest JSON of a message, in bytes.
    """

    def __init__(self, workspace: str, seals: Seals, *, bytes_max: int = MESSAGE_BYTES_MAX) -> None:
        self.workspace = workspace
        self.seals = seals
        self.bytes_max = bytes_max
        self.look_up: Callable[[], Awaitable[object]] | None = None
        """Awaited before a message is refused for its key: reads anew who holds which."""

    def written(self, envelope: Envelope, edge: str) -> dict[bytes, bytes]:
        """Return the fields of a stream entry on `edge`. Raises `MessageTooLarge`."""
        raw = _bytes_of(envelope)
        if len(raw) > self.bytes_max:
            raise MessageTooLarge(
                f"a message of {envelope.sender!r} to {envelope.recipient!r} has {len(raw):,} bytes and the bus takes "
                f"{self.bytes_max:,}; put its content into the blob store and send the digest"
            )
        key_id, mark = self.seals.seal(envelope.sender, edge, raw)
        return {BODY: raw, SIGNATURE: mark, KEY: key_id}

    def read(self, fields: Mapping[bytes, bytes], *, edge: str, sender: str, address: str) -> Envelope:
        """Return the message that `fields` hold. Raises `Unacceptable`, and nothing else.

        Args:
            fields: A stream entry as it was read; fields of other names are left alone.
            edge: The key of the stream that it stood in.
            sender: Whose messages this stream carries.
            address: Whom they are for, `name` or `name@prior`.
        """
        # 1. Size, before anything is copied or hashed.
        raw, mark, key_id = fields.get(BODY, b""), fields.get(SIGNATURE, b""), fields.get(KEY, b"")
        if len(raw) > self.bytes_max or len(mark) > MARK_BYTES_MAX or len(key_id) > KEY_ID_BYTES:
            raise Unacceptable("too-large")
        # 2. Signature, over the raw bytes.
        if not mark or not key_id:
            raise Unacceptable("unsigned")
        self.seals.check(sender, edge, key_id, mark, raw)
        # 3. Schema.
        envelope = _parsed(raw)
        # 4. Edge: nobody writes in another's name or to somebody else, and nobody but the runner asks.
        if envelope.sender != sender or envelope.address != address:
            raise Unacceptable("wrong-edge")
        body = envelope.body
        if not isinstance(body, (Signed, Failed)):
            if sender != RUNNER:
                raise Unacceptable("wrong-edge")
            # 5. Membership.
            if body.workspace != self.workspace:
                raise Unacceptable("wrong-workspace")
            if body.packet != envelope.packet:
                raise Unacceptable("wrong-packet")
        return envelope

    async def admit(self, fields: Mapping[bytes, bytes], edge: Edge) -> Envelope:
        """As `read`; but a key that is not known as the sender's may have been registered a moment ago.

        So it is looked up once more before the message is lost to a dead letter, and as long as that takes.
        """
        try:
            return self.read(fields, edge=edge.key, sender=edge.sender, address=edge.recipient)
        except Unacceptable as error:
            if self.look_up is None or error.reason not in _PERHAPS_NEW or len(fields[KEY]) != KEY_ID_BYTES:
                raise
        while True:
            try:
                await self.look_up()
                break
            except SquadsError as error:
                log.warning("who holds a key that signed on %s cannot be looked up now: %s", edge.key, error)
            await asyncio.sleep(LOOK_UP_SECONDS)
        return self.read(fields, edge=edge.key, sender=edge.sender, address=edge.recipient)


def _bytes_of(envelope: Envelope) -> bytes:
    try:
        return envelope.model_dump_json().encode()
    except PydanticSerializationError:
        # A lone surrogate, as in the name of a file that somebody's exception speaks of: it has no UTF-8, and prose is
        # all it can stand in. A question mark tells as much, and the message arrives.
        return json.dumps(envelope.model_dump(mode="json"), ensure_ascii=False).encode(errors="replace")


def _parsed(raw: bytes) -> Envelope:
    """Return the envelope that these bytes are the JSON of: UTF-8, known fields, exact types, every key once."""
    try:
        # pydantic refuses other encodings, unknown fields, floats for integers, and more than 200 levels ...
        envelope = Envelope.model_validate_json(raw, strict=True)
        # ... but takes the last of two equal keys, where another reader may take the first, and integers of any length.
        _JSON.decode(raw.decode())
    except (ValueError, RecursionError):
        raise Unacceptable("unreadable") from None
    return envelope


def _unique(pairs: list[tuple[str, Any]]) -> None:
    keys = {key for key, _ in pairs}
    if len(keys) != len(pairs):
        raise ValueError("a key stands twice in one object")


def _short(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise ValueError("an integer of too many digits")
    return 0


def _no_number(_: str) -> NoReturn:
    raise ValueError("a number that is no integer")


_JSON: Final = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_short, parse_float=_no_number, parse_constant=_no_number
)

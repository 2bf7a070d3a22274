"""Dead letters: what nobody could handle, or what did not pass the border, kept as it came until a person looks.

Nothing is ever sent again by itself. What is, passes the border as it stands today, whatever reason it died of: a
forged message stays where it is, however often somebody asks. Everything in a dead letter may have been written by
anybody with access to the server, its reason and its place included.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_bytes
from typing import Any, Final, Protocol

from squads.adapters.redis_bus.border import BODY, KEY, REASONS, SIGNATURE, Border
from squads.adapters.redis_bus.names import Edge, Names
from squads.adapters.redis_bus.seals import Unacceptable
from squads.contracts.errors import BusFull, InvalidInput
from squads.contracts.messages import RUNNER, Envelope

PAGE_MAX: Final = 100
"""How many dead letters are read in one go: each may hold 128 KiB."""
SEEN_MS: Final = 7 * 24 * 3600 * 1000
_ID: Final = re.compile(r"([0-9]{1,19})-([0-9]{1,19})", re.ASCII)
_FIELD_CHARS_MAX: Final = 500


class Server(Protocol):
    """As much of the link as is needed here."""

    async def call(self, *command: str | bytes | int) -> Any:
        """Return the answer to one command."""
        ...

    async def script(self, name: str, keys: Sequence[str], args: Sequence[str | bytes | int] = ()) -> Any:
        """Return what a script answers."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One dead letter. Every string of it but `id` may be anybody's words."""

    id: str
    """Its id among the dead letters."""
    reason: str
    """Why it died: a code word of the border, or what its last delivery said."""
    edge: str
    """The key of the stream that it was sent on."""
    entry: str
    """Its id in that stream."""
    deliveries: int
    raw: bytes
    mark: bytes
    key_id: bytes
    envelope: Envelope | None
    """The message, if it is a genuine one today; None where it is not, and then `refused` says why."""
    refused: str | None
    """Why it can never be sent again as it stands, a code word of `REASONS`; None where it can."""

    @property
    def died_ms(self) -> int:
        """When it was laid here, by the server's clock."""
        return int(self.id.partition("-")[0])


class DeadLetters:
    """The dead letters of one workspace.

    Args:
        link: The bus's server.
        border: What a letter must pass to be shown as a message or sent again; its seals must sign as the runner.
        backlog_max: No letter is sent to a stream in which so many wait already.
        seen_ms: How long the id of a message that is sent again is remembered.
    """

    def __init__(self, link: Server, border: Border, *, backlog_max: int = 10_000, seen_ms: int = SEEN_MS) -> None:
        self._link = link
        self._border = border
        self._names = Names(border.workspace)
        self._backlog_max = backlog_max
        self._seen_ms = seen_ms

    async def count(self) -> int:
        """Return how many there are."""
        return int(await self._link.call("XLEN", self._names.dead))

    async def page(self, *, limit: int = 20, after: str | None = None, oldest: bool = False) -> list[Letter]:
        """Return up to `limit` of them (at most 100), newest first, or oldest first.

        `after` is the id of the last letter of the page before. Raises `InvalidInput` for what is no id.
        """
        limit = max(1, min(limit, PAGE_MAX))
        start = f"({_checked(after)}" if after is not None else "+-"[oldest]
        command = ("XRANGE", self._names.dead, start, "+") if oldest else ("XREVRANGE", self._names.dead, start, "-")
        return [self._letter(entry) for entry in await self._link.call(*command, "COUNT", limit)]

    async def find(self, id: str) -> Letter:
        """Return one of them. Raises `InvalidInput` where there is none of this id."""
        found = await self._link.call("XRANGE", self._names.dead, _checked(id), id)
        if not found:
            raise InvalidInput(f"there is no dead letter {id}; `squads dead list` shows those that there are")
        return self._letter(found[0])

    async def replay(self, id: str) -> Letter:
        """Send one of them again, and return it as it was. It is a dead letter no more, and its deliveries count anew.

        A request is signed again as the runner's; an answer keeps the signature of its role, which must still hold.
        Raises `InvalidInput` where it may not be sent or is gone, and `BusFull`: then nothing happened.
        """
        letter = await self.find(id)
        edge = self._names.edge_at(letter.edge)
        if letter.refused is not None or letter.envelope is None or edge is None:
            why = letter.refused or "wrong-edge"
            raise InvalidInput(
                f"the dead letter {id} is never sent again ({why}: {REASONS.get(why, why)}); it stays where it is"
            )
        key_id, mark = letter.key_id, letter.mark
        if edge.sender == RUNNER:
            key_id, mark = self._border.seals.seal(RUNNER, edge.key, letter.raw)
        said = await self._link.script(
            "replay",
            [self._names.dead, edge.key, edge.lane, edge.origin, self._names.seen(edge, letter.envelope.id)],
            [id, token_bytes(16), self._seen_ms, self._backlog_max, letter.raw, mark, key_id],
        )
        if said == b"full":
            raise BusFull(
                f"{edge.recipient!r} has {self._backlog_max} messages waiting; the dead letter stays where it is. "
                "Start more workers for it, and try again"
            )
        if said != b"ok":
            raise InvalidInput(f"the dead letter {id} is gone: somebody else sent it again, or removed it")
        return letter

    def _letter(self, entry: Any) -> Letter:
        id, listed = entry[0], entry[1]
        fields = dict(zip(listed[::2], listed[1::2], strict=False))
        edge = self._names.edge_at(_text(fields.get(b"edge", b"")))
        envelope, refused = self._judged(fields, edge)
        return Letter(
            id=_text(id),
            reason=_text(fields.get(b"reason", b"")),
            edge=_text(fields.get(b"edge", b"")),
            entry=_text(fields.get(b"entry", b"")),
            deliveries=_count(fields.get(b"deliveries", b"")),
            raw=fields.get(BODY, b""),
            mark=fields.get(SIGNATURE, b""),
            key_id=fields.get(KEY, b""),
            envelope=envelope,
            refused=refused,
        )

    def _judged(self, fields: dict[bytes, bytes], edge: Edge | None) -> tuple[Envelope | None, str | None]:
        if edge is None:
            return None, "wrong-edge"
        try:
            return self._border.read(fields, edge=edge.key, sender=edge.sender, address=edge.recipient), None
        except Unacceptable as error:
            return None, error.reason


def _checked(id: str) -> str:
    """Return an id as the server takes it. Raises `InvalidInput`."""
    parts = _ID.fullmatch(id)
    if parts is None:
        raise InvalidInput(f"{id!r:.80} is no id of a dead letter; one looks like 1700000000000-0")
    return id


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")[:_FIELD_CHARS_MAX]


def _count(value: bytes) -> int:
    return int(value) if value.isdigit() and len(value) < 10 else 0

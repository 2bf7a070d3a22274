"""Waits for messages on one connection of its own, shortly, and never twice for the same question.

A read is not repeated: the server may have handed the messages over already, and then they wait under the consumer's
own name. Whoever reads sweeps up what is pending there after any error.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from squads.adapters.redis_bus.failures import failure
from squads.adapters.redis_bus.lines import Argument, Place, ask, connect

if TYPE_CHECKING:
    from redis.asyncio.connection import AbstractConnection

    from squads.adapters.redis_bus.link import Link

BLOCK_MS_MAX = 2_000
"""Longer waits would outlive a half-open connection unnoticed."""

Item = tuple[str, dict[bytes, bytes]]
"""An entry's id and its fields; no fields where the entry was deleted."""


class Reader:
    """One connection that waits. One read at a time."""

    def __init__(self, link: Link, forget: Callable[[Reader], None]) -> None:
        self._link = link
        self._forget = forget
        self._connection: AbstractConnection | None = None
        self._place: Place | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def read(
        self, group: str, consumer: str, streams: Sequence[str], *, count: int, block_ms: int
    ) -> list[tuple[str, list[Item]]]:
        """Return up to `count` new messages per stream for a group's consumer, after `block_ms` at most; [] for none.

        Streams without news are left out. Raises as `Link.call`; with the code `nogroup` where the group is gone.
        """
        block = _bounded(block_ms)
        tail = [*streams, *(">" for _ in streams)]
        head: list[Argument] = ["XREADGROUP", "GROUP", group, consumer, "COUNT", count]
        return await self._wait((*head, *_block(block), "STREAMS", *tail), block)

    async def xread(self, cursors: Mapping[str, str], *, count: int, block_ms: int) -> list[tuple[str, list[Item]]]:
        """Return up to `count` entries after each stream's cursor (`0`, an id, or `$`), after `block_ms` at most."""
        block = _bounded(block_ms)
        return await self._wait(
            ("XREAD", "COUNT", count, *_block(block), "STREAMS", *cursors.keys(), *cursors.values()), block
        )

    async def close(self) -> None:
        """Close the connection; a read that waits ends with `BusClosed`. Closing twice is no error."""
        self._closed = True
        self._forget(self)
        await self._drop()

    async def _wait(self, command: Sequence[Argument], block_ms: int) -> list[tuple[str, list[Item]]]:
        from redis.exceptions import AskError

        from squads.adapters.redis_bus.link import slot_of

        link, slot = self._link, slot_of(command)
        async with self._turn:
            self._check_open()
            try:
                async with asyncio.timeout(block_ms / 1000 + link.deadline_seconds):
                    return _entries(await ask(await self._connected(slot), command))
            except BaseException as error:
                place = self._place
                await self._drop()
                if not isinstance(error, Exception):
                    raise  # cancelled: the answer that is on its way must reach nobody
                self._check_open()
                if isinstance(error, AskError) and link.address.kind == "cluster" and place is not None:
                    link.routes.moved(error, place)
                    return []
                if place is not None:
                    await link.lost(slot, place, error)
                raise failure(error, link.address, str(command[0])) from error

    async def _connected(self, slot: int) -> AbstractConnection:
        from squads.adapters.redis_bus.link import check

        place = await self._link.routes.find(slot, seconds=self._link.deadline_seconds / 2)
        if place != self._place:
            await self._drop()
        if self._connection is None:
            self._connection, self._place = self._link.connection(place), place
        if not self._connection.is_connected:
            check(await connect(self._connection), self._link.address)
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection, self._place = self._connection, None, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    def _check_open(self) -> None:
        self._link.check_open()
        if self._closed:
            from squads.contracts.errors import BusClosed

            raise BusClosed(f"this reader of the bus at {self._link.address} was closed")


def _bounded(block_ms: int) -> int:
    return max(0, min(block_ms, BLOCK_MS_MAX))


def _block(block_ms: int) -> tuple[Argument, ...]:
    return ("BLOCK", block_ms) if block_ms else ()  # BLOCK 0 would wait without end


def _entries(answer: Any) -> list[tuple[str, list[Item]]]:
    return [(bytes(stream).decode(), [_item(entry) for entry in entries]) for stream, entries in answer or ()]


def _item(entry: Any) -> Item:
    fields = entry[1] or ()
    return bytes(entry[0]).decode(), dict(zip(fields[::2], fields[1::2], strict=True))

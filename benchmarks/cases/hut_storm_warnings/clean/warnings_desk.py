"""Storm warnings to the huts of a region."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger("warnings")


@dataclass(frozen=True)
class Hut:
    name: str
    channel: int


class Radio(Protocol):
    async def call(self, channel: int, text: str) -> None: ...


class Book(Protocol):
    async def huts(self, region: str) -> list[Hut]: ...

    async def note(self, region: str, text: str) -> None: ...


class WarningDesk:
    def __init__(self, radio: Radio, book: Book) -> None:
        self._radio = radio
        self._book = book
        self._calling = asyncio.Semaphore(4)

    async def warn(self, region: str, text: str) -> int:
        """Warn every hut of a region and return how many there are."""
        huts = await self._book.huts(region)
        for hut in huts:
            await self._call(hut, text)
        await self._book.note(region, text)
        log.info("%s: %d huts warned", region, len(huts))
        return len(huts)

    async def _call(self, hut: Hut, text: str) -> None:
        async with self._calling:
            await self._radio.call(hut.channel, f"{hut.name}: {text}")

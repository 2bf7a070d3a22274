"""Keeps a worker's book current. Whatever is read here must never end the worker: it only stops it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from squads.contracts.errors import BusError, Denied
from squads.roster.book import RosterBook

log = logging.getLogger("squads.roster")

LOOK_SECONDS: Final = 2.0
"""How often a worker looks whether there is a newer roster, and a runner whether something changed."""

READ_SECONDS_MAX: Final = 10.0
PAUSE_SECONDS: Final = 0.1
"""What lies at least between two looks, however often one is told to look."""

ReadRoster = Callable[[], Awaitable[bytes | None]]


class RosterWatch:
    """Keeps a worker's book current: reads every few seconds, and at once when told to.

    Args:
        read: Reads what lies in the roster's place.
        looked: Called after every look, also after one that found nothing new.
    """

    def __init__(
        self,
        read: ReadRoster,
        book: RosterBook,
        *,
        look_seconds: float = LOOK_SECONDS,
        looked: Callable[[], None] = lambda: None,
    ) -> None:
        self.complaint = "no roster was read yet"
        """Why the newest look brought nothing that is believed; empty where it did."""
        self._read = read
        self._book = book
        self._look_seconds = look_seconds
        self._looked = looked
        self._now = asyncio.Event()

    def look_now(self) -> None:
        """Look without waiting for the next time."""
        self._now.set()

    async def look(self) -> None:
        """Read once. What goes wrong stands in `complaint` and in the log, once."""
        try:
            async with asyncio.timeout(READ_SECONDS_MAX):
                content = await self._read()
            if content is None:
                said = "there is no roster: no runner of this workspace has published one; start a runner"
            else:
                self._book.take(content)
                said = ""
        except (BusError, Denied) as error:
            said = str(error)
        except Exception as error:  # a reader that breaks is as good as one that cannot read
            said = f"the roster cannot be read: {type(error).__name__}"
            log.debug("what reading the roster raised", exc_info=True)
        if said and said != self.complaint:
            log.warning("%s", said)
        self.complaint = said
        self._looked()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._now.clear()
            await self.look()
            # Hints come from anybody: they bring the next look forward, and no more than so many of them.
            await asyncio.sleep(min(PAUSE_SECONDS, self._look_seconds))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._now.wait(), self._look_seconds)

"""Tells whoever keeps the ledger that queues were lost on the server, so that everything pending is sent again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("squads.bus")
Tell = Callable[[], Awaitable[None]]


class Loss:
    """Tells once for all consumers that notice together, and once more for what is noticed meanwhile."""

    def __init__(self) -> None:
        self.tell: Tell | None = None
        self._telling: asyncio.Task[None] | None = None
        self._again = False

    def noticed(self) -> None:
        """Have it told."""
        if self._telling is not None and not self._telling.done():
            self._again = True
        elif self.tell is not None:
            self._telling = asyncio.create_task(self._run(self.tell))

    async def close(self) -> None:
        """Stop telling."""
        if self._telling is not None:
            self._telling.cancel()
            await asyncio.gather(self._telling, return_exceptions=True)

    async def _run(self, tell: Tell) -> None:
        self._again = True
        while self._again:
            self._again = False
            try:
                await tell()
            except Exception:  # whoever tells this sends what is pending again from time to time anyway
                log.exception("not everything that is pending could be sent again")

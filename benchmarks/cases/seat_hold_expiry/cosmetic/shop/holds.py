from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

log = logging.getLogger("shop.holds")


class Store(Protocol):
    async def reserve(self, basket: str, seats: Sequence[str]) -> None: ...

    async def release(self, basket: str) -> int: ...


class Holds:
    """Seats that wait for their buyer."""

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._seconds = seconds
        self._timers: dict[str, asyncio.TimerHandle] = {}

    async def hold(self, basket: str, seats: Sequence[str]) -> None:
        await self._store.reserve(basket, seats)
        if earlier := self._timers.pop(basket, None):
            earlier.cancel()
        loop = asyncio.get_running_loop()
        self._timers[basket] = loop.call_later(self._seconds, self._expired, basket)

    async def bought(self, basket: str) -> None:
        if timer := self._timers.pop(basket, None):
            timer.cancel()

    def _expired(self, basket: str) -> None:
        # a plain function, since timers cannot call coroutines
        self._release(basket)

    async def _release(self, basket: str) -> None:
        self._timers.pop(basket, None)
        free = await self._store.release(basket)
        log.info("basket %s: %d seats are free again", basket, free)

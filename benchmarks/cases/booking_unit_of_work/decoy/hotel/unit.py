from __future__ import annotations

import logging
from types import TracebackType
from typing import Self

log = logging.getLogger("hotel.unit")


class Bookings:
    def __init__(self, connection):
        self._connection = connection

    async def add(self, guest: str, room: int, night: str) -> None:
        await self._connection.execute(
            "INSERT INTO bookings (guest, room, night) VALUES ($1, $2, $3)", guest, room, night
        )


class UnitOfWork:
    """One transaction. Not to be used twice."""

    def __init__(self, pool):
        self._pool = pool
        self._connection = None

    async def __aenter__(self) -> Self:
        self._connection = await self._pool.acquire()
        await self._connection.begin()
        self.bookings = Bookings(self._connection)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            finish = self._connection.commit if kind is None else self._rollback
            await finish()
        finally:
            await self._pool.release(self._connection)
            self._connection = None

    def _rollback(self):
        log.info("rolling back")
        return self._connection.rollback()

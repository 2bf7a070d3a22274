"""What the bus suites share: messages that are told apart by a number, and waiting without sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, TypeVar

from squads.contracts.messages import Envelope, Failed
from squads.kernel.bus_ports import Bus, Consumer, Delivery

T = TypeVar("T")
PATIENCE = 10.0
"""Seconds after which something that must happen is taken not to happen."""
SOON = 0.05
"""Seconds after which a sender that may not go on gives up."""


class BusSuite:
    """How a suite gets its bus, and how long that bus may take."""

    soon_seconds: float = SOON
    """Seconds after which what may not happen is taken not to happen. A bus over a network needs more than 0.05."""
    settling_seconds: float = 0.0
    """Seconds within which whatever can go on has gone on. Within one process no time passes."""

    async def settled(self) -> None:
        """Let everything that can go on go on."""
        await settled()
        if self.settling_seconds:
            await asyncio.sleep(self.settling_seconds)

    async def is_empty(self, consumer: Consumer) -> bool:
        """Say whether nothing comes."""
        return await is_empty(consumer, self.soon_seconds)

    async def make_bus(self, deliveries_max: int, backlog_max: int) -> Bus:
        """Return a new, empty bus."""
        raise TypeError("write make_bus in the subclass")

    @asynccontextmanager
    async def bus(self, *recipients: str, deliveries_max: int = 3, backlog_max: int = 100) -> AsyncIterator[Bus]:
        """Yield a bus with these recipients, `carpenter` by default, and close it."""
        bus = await self.make_bus(deliveries_max, backlog_max)
        for recipient in recipients or ("carpenter",):
            bus.declare(recipient)
        try:
            yield bus
        finally:
            await bus.close()


def letter(number: int, recipient: str = "carpenter") -> Envelope:
    """Return a message; the same number and recipient are the same message."""
    about = sha256(f"{recipient} {number}".encode()).hexdigest()
    return Envelope(
        id=about,
        sender="runner",
        recipient=recipient,
        packet="ab" * 16,
        cause=about,
        body=Failed(about=about, reason="crashed", detail=str(number)),
    )


def number_of(delivery: Delivery) -> int:
    """Return the number that a `letter` was made with."""
    body = delivery.envelope.body
    assert isinstance(body, Failed)
    return int(body.detail)


async def soon(awaitable: Awaitable[T]) -> T:
    """Return what comes of it; fail when nothing does."""
    return await asyncio.wait_for(awaitable, PATIENCE)


async def settled() -> None:
    """Let everything that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def raised(awaitable: Awaitable[object]) -> BaseException:
    """Return what it raises; fail when it raises nothing."""
    try:
        got = await soon(awaitable)
    except Exception as error:
        return error
    raise AssertionError(f"nothing was raised; it returned {got!r}")


async def drained(consumer: Consumer, count: int) -> list[int]:
    """Receive and acknowledge `count` letters, and return their numbers in the order they came."""
    found = []
    for _ in range(count):
        delivery = await soon(consumer.receive())
        await delivery.ack()
        found.append(number_of(delivery))
    return found


async def is_empty(consumer: Consumer, seconds: float = SOON) -> bool:
    """Say whether nothing comes."""
    reading = asyncio.ensure_future(consumer.receive())
    await asyncio.wait({reading}, timeout=seconds)
    if reading.done():
        return False
    await stopped(reading)
    return True


async def stopped(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait for their ends."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

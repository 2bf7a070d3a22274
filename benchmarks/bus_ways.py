"""What `bus.py` measures: the Redis bus, an asyncio queue, and what is written by hand, by one name each.

A way is opened on a workspace of its own, does one kind of traffic, and is closed again. Who asks and who answers may
be two processes: both open the same way on the same workspace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from bus_by_hand import Bare, Equal
from bus_messages import ADDRESS, ROLE, answer_to

from squads.adapters.keys import InProcessSigner
from squads.adapters.redis_bus.bus import RedisBus
from squads.adapters.redis_bus.seals import OwnSeals, Seals, SharedSeals
from squads.contracts.messages import RUNNER, Envelope
from squads.kernel.bus_ports import Consumer, Delivery

BACKLOG_MAX = 4_000_000
FETCH = 100
RUNNER_KEY, ROLE_KEY = (sha256(name).digest() for name in (b"runner", b"role"))


class Way(Protocol):
    """One way to carry requests and replies."""

    async def open(self) -> None:
        """Connect, and make what it sends to."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def send(self, envelope: Envelope) -> object:
        """Send one request and know that it was accepted."""
        ...

    async def send_batch(self, envelopes: Sequence[Envelope]) -> object:
        """Send many at once, by the quickest means that it has."""
        ...

    async def consume(self, count: int, slots: int) -> None:
        """Read, check, answer and be done with `count` requests that wait, up to `slots` of them at once."""
        ...

    async def consume_batch(self, count: int, slots: int) -> None:
        """Do the same by the quickest means that it has."""
        ...

    async def answer(self, slots: int) -> None:
        """Answer requests until cancelled."""
        ...

    def collect(self, arrived: Callable[[Envelope], None]) -> Coroutine[Any, Any, None]:
        """Hand every reply over and be done with it, until cancelled."""
        ...


class Squads:
    """`RedisBus`, used as the runner and a worker use it."""

    def __init__(self, url: str, workspace: str, *, own: bool = False) -> None:
        self.url, self.workspace, self.own = url, workspace, own

    async def open(self) -> None:
        self.bus = await RedisBus.open(self.url, self.workspace, seals(own=self.own), backlog_max=BACKLOG_MAX)
        self.bus.declare(ADDRESS)
        self.bus.declare(RUNNER)

    async def close(self) -> None:
        await self.bus.close()

    async def send(self, envelope: Envelope) -> object:
        return await self.bus.send(envelope)

    async def send_batch(self, envelopes: Sequence[Envelope]) -> object:
        return await asyncio.gather(*map(self.bus.send, envelopes))

    async def consume(self, count: int, slots: int) -> None:
        consumer = self.bus.consumer(ADDRESS, slots=slots)
        if slots == 1:
            for _ in range(count):
                await _reply(await consumer.receive())
        else:
            await _in_slots(consumer, count, slots, _reply)
        await consumer.close()

    consume_batch = consume

    async def answer(self, slots: int) -> None:
        await self.consume(1 << 62, slots)

    async def collect(self, arrived: Callable[[Envelope], None]) -> None:
        async def be_done(delivery: Delivery) -> None:
            arrived(delivery.envelope)
            await delivery.ack()

        await _in_slots(self.bus.consumer(RUNNER, slots=FETCH), 1 << 62, FETCH, be_done)


class InProcess:
    """An asyncio queue in each direction: objects are handed over as they are, and nothing is kept."""

    def __init__(self, url: str, workspace: str) -> None:
        self.requests: asyncio.Queue[Envelope] = asyncio.Queue()
        self.replies: asyncio.Queue[Envelope] = asyncio.Queue()

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def send(self, envelope: Envelope) -> None:
        await self.requests.put(envelope)

    async def send_batch(self, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            await self.requests.put(envelope)

    async def consume(self, count: int, slots: int) -> None:
        for _ in range(count):
            await self.replies.put(answer_to(await self.requests.get()))

    consume_batch = consume

    async def answer(self, slots: int) -> None:
        await self.consume(1 << 62, slots)

    async def collect(self, arrived: Callable[[Envelope], None]) -> None:
        while True:
            arrived(await self.replies.get())


WAYS: dict[str, Callable[[str, str], Way]] = {
    "queue": InProcess,
    "bare": Bare,
    "equal_hmac": Equal,
    "equal_ed25519": partial(Equal, private_key=RUNNER_KEY),
    "squads_shared": Squads,
    "squads_own": partial(Squads, own=True),
}
BESIDE = {"squads_shared": ("bare", "equal_hmac"), "squads_own": ("bare", "equal_ed25519")}
"""What each way of the library is compared with: the least traffic, and traffic with the same promises of a message."""


def seals(*, own: bool) -> Seals:
    """Return how messages are signed: with one key for all, or with one key each of the runner and the role."""
    if not own:
        return SharedSeals(bytes(32))
    signers = {RUNNER: InProcessSigner(RUNNER_KEY), ROLE: InProcessSigner(ROLE_KEY)}
    names = {RUNNER: RUNNER, ROLE: f"gate:{ROLE}"}
    known = {s.key_id: (s.public_key, frozenset({names[name]})) for name, s in signers.items()}
    return OwnSeals(signers.__getitem__, known.get)


async def ended(task: asyncio.Future[Any]) -> None:
    """Cancel a task until it has ended, and raise what it failed with.

    Once is not enough: a pipeline of redis-py 8.1 that is cancelled at a bad moment goes on all the same.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.05)
    if not task.cancelled():
        task.result()


async def _reply(delivery: Delivery) -> None:
    if not await delivery.reply(answer_to(delivery.envelope)):
        raise RuntimeError("a request was taken away from the benchmark's only consumer")


async def _in_slots(consumer: Consumer, count: int, slots: int, handle: Callable[[Delivery], Any]) -> None:
    """Handle messages in tasks of their own, as `Worker` does."""
    free = asyncio.Semaphore(slots)
    working: set[asyncio.Task[None]] = set()

    def done(task: asyncio.Task[None]) -> None:
        working.discard(task)
        free.release()
        if not task.cancelled():
            task.result()

    for _ in range(count):
        await free.acquire()
        task = asyncio.ensure_future(handle(await consumer.receive()))
        working.add(task)
        task.add_done_callback(done)
    await asyncio.gather(*working)

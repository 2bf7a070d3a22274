"""The bus inside one process: at least once, deduplicated, bounded, with dead letters. Nothing survives the process.

It is a real bus, held to the same suite as the others: a message is gone only when it was acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from squads.contracts.errors import BusClosed, BusFull, UnknownRecipient
from squads.contracts.messages import Envelope
from squads.kernel.bus_ports import DeadLetter

SEEN_MAX = 100_000
"""How many ids are remembered for deduplication."""


class LocalBus:
    """Queues in memory.

    Args:
        backlog_max: How many messages may wait for one recipient before senders wait.
        deliveries_max: After this many deliveries without an acknowledgement a message is a dead letter.
    """

    can_lose = False

    def __init__(self, *, backlog_max: int = 10_000, deliveries_max: int = 3) -> None:
        self._backlog_max = backlog_max
        self._deliveries_max = deliveries_max
        self._queues: dict[str, _Queue] = {}
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._dead: list[DeadLetter] = []
        self._closed = False
        self._draining = False

    def declare(self, address: str) -> None:
        """Make an address known."""
        self._queues.setdefault(address, _Queue())

    async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
        """Hand a message over; False when its id was already accepted."""
        queue = self._open(envelope.address)
        if envelope.id in self._seen:
            return False
        if len(queue.waiting) >= self._backlog_max:
            try:
                # Not `wait_for`, which would go on a moment later, when another sender has taken the room.
                async with asyncio.timeout(timeout):
                    await queue.room(self._backlog_max)
            except TimeoutError:
                raise BusFull(
                    f"{envelope.address!r} has had {self._backlog_max} messages waiting for {timeout} s; "
                    "start more workers for it, or send more slowly"
                ) from None
            self._open(envelope.address)
            if envelope.id in self._seen:
                return False
        self._seen[envelope.id] = None
        if len(self._seen) > SEEN_MAX:
            self._seen.popitem(last=False)
        queue.put(_Message(envelope))
        return True

    def consumer(self, address: str, *, slots: int = 1) -> LocalConsumer:
        """Return a new consumer of a declared address; it never fetches ahead."""
        return LocalConsumer(self, self._open(address, reading=True))

    async def dead(self) -> list[DeadLetter]:
        """Return the dead letters, oldest first."""
        return list(self._dead)

    async def drain(self) -> None:
        """Refuse new messages, and return when every accepted one is acknowledged or dead."""
        self._draining = True
        for queue in list(self._queues.values()):
            await queue.idle()

    async def close(self) -> None:
        """Let go of everything; waiting consumers get `BusClosed`."""
        self._closed = True
        for queue in self._queues.values():
            queue.close()

    def _open(self, address: str, *, reading: bool = False) -> _Queue:
        if self._closed or (self._draining and not reading):
            raise BusClosed("the bus is closed or draining; nothing more can be sent on it")
        try:
            return self._queues[address]
        except KeyError:
            known = ", ".join(sorted(self._queues)) or "nobody"
            raise UnknownRecipient(f"{address!r} does not listen on this bus; known: {known}") from None

    def give_back(self, queue: _Queue, message: _Message, reason: str) -> None:
        """Have a message delivered again, or bury it after its last allowed delivery."""
        if message.deliveries >= self._deliveries_max:
            self.bury(queue, message, reason)
        else:
            queue.out -= 1
            queue.put(message, first=True)

    def bury(self, queue: _Queue, message: _Message, reason: str) -> None:
        """Make a message a dead letter."""
        queue.out -= 1
        self._dead.append(DeadLetter(envelope=message.envelope, reason=reason, deliveries=message.deliveries))
        queue.settle()


class _Message:
    __slots__ = ("deliveries", "envelope")

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self.deliveries = 0


class _Queue:
    """What waits for one recipient, who waits for it, and how much is out."""

    def __init__(self) -> None:
        self.waiting: deque[_Message] = deque()
        self.out = 0
        self.closed = False
        self._readers: deque[asyncio.Future[None]] = deque()
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def put(self, message: _Message, *, first: bool = False) -> None:
        if first:
            self.waiting.appendleft(message)
        else:
            self.waiting.append(message)
        self._wake_reader()

    def _wake_reader(self) -> None:
        while self._readers:
            reader = self._readers.popleft()
            if not reader.done():
                reader.set_result(None)
                return

    def wake_readers(self) -> None:
        """Have every waiting reader look again."""
        for _ in range(len(self._readers)):
            self._wake_reader()

    async def take(self, consumer: LocalConsumer) -> _Message:
        while not self.waiting:
            if self.closed:
                raise BusClosed("the bus was closed while waiting for a message")
            if consumer.closed:
                raise BusClosed("this consumer was closed while waiting for a message")
            reader = asyncio.get_running_loop().create_future()
            self._readers.append(reader)
            try:
                await reader
            except asyncio.CancelledError:
                if reader.done() and not reader.cancelled():
                    self._wake_reader()  # the wake-up that this reader takes with it belongs to the next one
                raise
        if self.closed or consumer.closed:
            self._wake_reader()  # what it was woken for is for the next one
            raise BusClosed("the bus or this consumer was closed while waiting for a message")
        message = self.waiting.popleft()
        message.deliveries += 1
        self.out += 1
        self.settle()
        return message

    async def room(self, backlog_max: int) -> None:
        await self._until(lambda: len(self.waiting) < backlog_max or self.closed)

    async def idle(self) -> None:
        await self._until(lambda: (not self.waiting and not self.out) or self.closed)

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            watcher = asyncio.get_running_loop().create_future()
            self._watchers.append((holds, watcher))
            await watcher

    def settle(self) -> None:
        """Wake whoever waits for something that is true now."""
        if not self._watchers:
            return
        still = []
        for holds, watcher in self._watchers:
            if watcher.done():
                continue
            if holds():
                watcher.set_result(None)
            else:
                still.append((holds, watcher))
        self._watchers = still

    def close(self) -> None:
        self.closed = True
        self.wake_readers()
        self.settle()


class LocalConsumer:
    """Reads one address's queue."""

    def __init__(self, bus: LocalBus, queue: _Queue) -> None:
        self.bus = bus
        self.queue = queue
        self._held: set[LocalDelivery] = set()
        self.closed = False

    async def receive(self) -> LocalDelivery:
        """Wait for the next message."""
        if self.closed:
            raise BusClosed("this consumer was closed")
        delivery = LocalDelivery(await self.queue.take(self), self)
        self._held.add(delivery)
        return delivery

    async def close(self) -> None:
        """Give back what was not acknowledged; who waits in `receive` gets `BusClosed`."""
        self.closed = True
        self.queue.wake_readers()
        for delivery in list(self._held):
            await delivery.defer()

    def holds(self, delivery: LocalDelivery) -> bool:
        """Say whether a delivery is still in this consumer's hands."""
        return delivery in self._held

    def let_go(self, delivery: LocalDelivery) -> bool:
        """Take a delivery out of this consumer's hands; False when it was not there any more."""
        if delivery not in self._held:
            return False
        self._held.discard(delivery)
        return True


class LocalDelivery:
    """One message in the hands of one consumer."""

    __slots__ = ("_consumer", "attempt", "message")

    def __init__(self, message: _Message, consumer: LocalConsumer) -> None:
        self.message = message
        self.attempt = message.deliveries
        self._consumer = consumer

    @property
    def envelope(self) -> Envelope:
        """The message."""
        return self.message.envelope

    async def ack(self) -> None:
        """The message is done with."""
        if self._consumer.let_go(self):
            self._consumer.queue.out -= 1
            self._consumer.queue.settle()

    async def reply(self, answer: Envelope) -> bool:
        """Send the answer, then acknowledge: within one process nothing comes between them."""
        if not self._consumer.holds(self):
            return False
        await self._consumer.bus.send(answer)
        await self.ack()
        return True

    async def release(self, reason: str) -> None:
        """Give the message back."""
        if self._consumer.let_go(self):
            self._consumer.bus.give_back(self._consumer.queue, self.message, reason)

    async def defer(self) -> None:
        """Give the message back without counting this delivery."""
        if self._consumer.let_go(self):
            self.message.deliveries -= 1
            self._consumer.queue.out -= 1
            self._consumer.queue.put(self.message, first=True)

    async def bury(self, reason: str) -> None:
        """Make the message a dead letter."""
        if self._consumer.let_go(self):
            self._consumer.bus.bury(self._consumer.queue, self.message, reason)

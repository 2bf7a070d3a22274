"""The bus over Redis Streams: at least once, deduplicated, bounded, with dead letters, across processes and machines.

Every message has the runner at one end, and each pair of ends a stream of its own. The ledger stays the truth: after
any loss on the server the runner sends the same ids again, and the bus drops what it has. Each guarantee is one script
(`scripts/`); nothing in here counts on two commands being done together.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from secrets import token_bytes
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from squads.adapters.redis_bus.border import Border
from squads.adapters.redis_bus.consumer import RedisConsumer
from squads.adapters.redis_bus.health import Health
from squads.adapters.redis_bus.heartbeat import Heartbeat
from squads.adapters.redis_bus.loss import Loss, Tell
from squads.adapters.redis_bus.names import Edge, Names, consumer_name, name_of
from squads.adapters.redis_bus.patience import for_reconnecting, for_room, worth_waiting
from squads.adapters.redis_bus.seals import Seals, Unacceptable
from squads.contracts.errors import BusClosed, BusError, BusFull, StorageUnavailable, UnknownRecipient
from squads.contracts.messages import MESSAGE_BYTES_MAX, RUNNER, Envelope
from squads.kernel.bus_ports import DeadLetter
from squads.kernel.ports import BlobStore

if TYPE_CHECKING:
    from squads.adapters.redis_bus.lines import Argument
    from squads.adapters.redis_bus.link import Link

_Content = Callable[[Envelope, BlobStore], Awaitable[Envelope]]
log = logging.getLogger("squads.bus")
SEEN_SECONDS: Final = 7 * 24 * 3600
DEAD_MAX: Final = 10_000
"""How many dead letters `dead` reads."""
FETCH_SECONDS: Final = 30.0
"""How long fetching what one message left in the shared store may hold up those that come after it."""
PAGE: Final = 500
DRAIN_SECONDS: Final = 0.2


class RedisBus:
    """One workspace's bus, as one process speaks on it.

    Args:
        link: The way to the server; closed with the bus.
        workspace: The workspace's id.
        seals: How messages are signed and checked.
        blobs: Where content is shared that does not fit into a message; None where it need not be.
        deliveries_max: After this many deliveries that failed a message is a dead letter.
        backlog_max: How many messages one edge holds, waiting or out, before senders wait.
        heartbeat_seconds: How often this process says that it lives.
        dead_after_seconds: After this long without a heartbeat a process is suspected, and after as long again dead.
        seen_seconds: How long the id of an accepted message is remembered.
        name: Where this process runs, in its consumers' names; the host's name by default.
    """

    can_lose = True

    def __init__(
        self,
        link: Link,
        workspace: str,
        seals: Seals,
        *,
        blobs: BlobStore | None = None,
        deliveries_max: int = 3,
        backlog_max: int = 10_000,
        heartbeat_seconds: float = 5.0,
        dead_after_seconds: float = 15.0,
        seen_seconds: float = SEEN_SECONDS,
        bytes_max: int = MESSAGE_BYTES_MAX,
        name: str | None = None,
    ) -> None:
        if heartbeat_seconds * 2 > dead_after_seconds:
            raise ValueError(
                f"a heartbeat every {heartbeat_seconds} s and death after {dead_after_seconds} s: one lost beat would "
                "be a death; let dead_after_seconds be three heartbeats"
            )
        self.link = link
        self.names = Names(workspace)
        self.border = Border(workspace, seals, bytes_max=bytes_max)
        self.content = blobs
        self.deliveries_max = deliveries_max
        self.backlog_max = backlog_max
        self.dead_after_seconds = dead_after_seconds
        self.seen_ms = int(seen_seconds * 1000)
        self.health = Health()
        self.loss = Loss()
        self.closed = False
        self._host = name or socket.gethostname()
        self._heartbeat = Heartbeat(link, every_seconds=heartbeat_seconds, ttl_ms=self._ttl_ms)
        self._declared: dict[str, None] = {}
        self._edges: dict[tuple[str, str], Edge] = {}
        self._consumers: dict[str, RedisConsumer] = {}
        self._draining = False
        self._ended = asyncio.Event()

    @classmethod
    async def open(cls, url: str, workspace: str, seals: Seals, **options: Any) -> RedisBus:
        """Return a bus whose server was reached.

        Raises `BusUnavailable`, `BusUnfit` or `InvalidInput`, each saying what to do.
        """
        from squads.adapters.redis_bus.address import BusAddress
        from squads.adapters.redis_bus.link import Link

        link = Link.open(BusAddress.parse(url))
        try:
            await link.server()
            return cls(link, workspace, seals, **options)
        except BaseException:
            await link.close()
            raise

    # The port -------------------------------------------------------------------------------------------------------

    def declare(self, address: str) -> None:
        """Make an address known."""
        self._declared.setdefault(address)

    async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
        """Hand a message over; False when its id was already accepted.

        Waits while the edge is full, and while the server cannot be reached. Besides what the port says it raises
        `BusUnavailable`: at the timeout, or at once for what does not mend itself, such as a missing right.
        """
        edge, fields = await self.prepared(envelope)
        keys = (*edge.keys, self.names.seen(edge, envelope.id))
        args = (token_bytes(16), self.seen_ms, self.backlog_max, fields[b"b"], fields[b"s"], fields[b"k"])
        deadline = None if timeout is None else monotonic() + timeout
        pauses, trouble = None, None
        while True:
            try:
                said = await self.link.script("send", keys, args)
            except BusClosed:
                raise
            except BusError as error:
                if not worth_waiting(error):
                    raise
                trouble = error
                self.health.failed(error)
            else:
                if said != b"full":
                    return bool(said == b"ok")
                trouble = None
            if pauses is None:
                pauses = for_reconnecting() if trouble else for_room()
            pause = pauses.next()
            if deadline is not None:
                left = deadline - monotonic()
                if left <= 0:
                    raise trouble or BusFull(
                        f"{envelope.address!r} has had {self.backlog_max} messages waiting for {timeout} s; "
                        "start more workers for it, or send more slowly"
                    )
                pause = min(pause, left)
            await self.pause(pause)
            self._check_sending()

    def consumer(self, address: str, *, slots: int = 1) -> RedisConsumer:
        """Return a new consumer of a declared address; it reads at most `slots` messages ahead, and begins when asked.

        Raises `UnknownRecipient`.
        """
        if self.closed:
            raise BusClosed("the bus is closed; nothing more can be read from it")
        if address not in self._declared:
            raise self._unknown(address)
        consumer = RedisConsumer(self, address, slots, consumer_name(address, self._host, os.getpid()))
        self._consumers[consumer.name] = consumer
        return consumer

    async def dead(self) -> list[DeadLetter]:
        """Return the dead letters that can be read as messages, oldest first: `DEAD_MAX` at most."""
        found: list[DeadLetter] = []
        start = "-"
        for _ in range(DEAD_MAX // PAGE):
            rows = await self.link.call("XRANGE", self.names.dead, start, "+", "COUNT", PAGE)
            for _, values in rows:
                letter = self._dead_letter(dict(zip(values[::2], values[1::2], strict=True)))
                if letter is not None:
                    found.append(letter)
            if len(rows) < PAGE:
                break
            start = "(" + bytes(rows[-1][0]).decode()
        return found

    async def drain(self) -> None:
        """Refuse new messages here, and return when the edges to every declared address are empty."""
        self._draining = True
        edges = {edge.key: edge for address in self._declared for edge in self.edges_to(address)}
        streams = [key for edge in edges.values() for key in (edge.key, edge.lane)]
        pauses = for_room()
        while any(await self.lasting("depth", streams, ())):
            await self.pause(min(DRAIN_SECONDS, pauses.next()))

    async def close(self) -> None:
        """Give back what is in hand, tell everybody who waits, end the heartbeat, and let go of the server."""
        if self.closed:
            await self._ended.wait()
            return
        self.closed = True
        self._ended.set()
        await self.loss.close()
        await asyncio.gather(*(consumer.close() for consumer in list(self._consumers.values())))
        await self._heartbeat.close()
        await self.link.close()

    async def forget(self) -> None:
        """Delete every key of this workspace: for one that lives in memory, and ends with its program."""
        cursor: Any = b"0"
        while True:
            cursor, keys = await self.link.script("keys", [self.names.meta], [cursor, self.names.everything, PAGE])
            if keys:
                await self.link.call("UNLINK", *keys)
            if int(cursor) == 0:
                return

    # How it is ------------------------------------------------------------------------------------------------------

    @property
    def on_loss(self) -> Tell | None:
        """Awaited after queues were lost on the server: whoever keeps the ledger sends everything pending again."""
        return self.loss.tell

    @on_loss.setter
    def on_loss(self, tell: Tell | None) -> None:
        """Have `tell` awaited."""
        self.loss.tell = tell

    @property
    def trouble(self) -> str | None:
        """What went wrong when the server was last asked, in a sentence; None while it answers."""
        return self.health.trouble

    @property
    def since_read(self) -> float | None:
        """Seconds since the server last answered a consumer of this bus; None before the first time."""
        return self.health.since_read

    @property
    def beating(self) -> bool:
        """False when this process does not get through that it lives: its work is given to others soon."""
        return not self._heartbeat.failing

    @property
    def dead_letters(self) -> int:
        """How many messages became dead letters in this process's hands."""
        return self.health.buried

    @property
    def healthy(self) -> bool:
        """Whether a consumer here has read within the last 10 s; without consumers, whether nothing is wrong."""
        return not self.closed and (self.health.recent if self._consumers else self.trouble is None)

    # For its consumers and deliveries -------------------------------------------------------------------------------

    def edge_of(self, envelope: Envelope) -> Edge:
        """Return the edge that a message travels. Raises `UnknownRecipient`."""
        address = envelope.address
        if address not in self._declared and address != RUNNER:
            raise self._unknown(address)
        if RUNNER not in (envelope.sender, address):
            raise UnknownRecipient(
                f"{envelope.sender!r} wrote to {address!r}; on this bus everything goes to or from {RUNNER!r}"
            )
        return self._edge(envelope.sender, address)

    def edges_to(self, address: str) -> list[Edge]:
        """Return the edges that a consumer of this address reads."""
        if address != RUNNER:
            return [self._edge(RUNNER, address)]
        senders = dict.fromkeys(name_of(known) for known in self._declared)
        return [self._edge(sender, RUNNER) for sender in senders]

    async def prepared(self, envelope: Envelope, *, answering: bool = False) -> tuple[Edge, dict[bytes, bytes]]:
        """Return a message's edge and its signed fields. What answers a message may be sent while the bus drains."""
        self._check_sending(answering=answering)
        edge = self.edge_of(envelope)
        if self.content is not None:
            from squads.adapters.redis_bus.content import set_down

            envelope = await self._stored(set_down, envelope, self.content)
        return edge, self.border.written(envelope, edge.key)

    async def picked_up(self, envelope: Envelope) -> Envelope:
        """Return a message with what it left in the shared store; wait while that cannot be asked, but not for ever.

        Whoever wrote it chose what is fetched, and others wait meanwhile. Raises `TimeoutError`.
        """
        if self.content is None:
            return envelope
        from squads.adapters.redis_bus.content import picked_up

        async with asyncio.timeout(FETCH_SECONDS):
            return await self._stored(picked_up, envelope, self.content)

    async def opened(self, edge: Edge, group: str) -> bytes:
        """Make sure that an edge has its group; return its origin."""
        return bytes(await self.link.script("open", edge.keys, (group, token_bytes(16))))

    async def lasting(self, script: str, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run a script, and again until the server answers. Raises `BusClosed`, and what does not mend itself."""
        pauses = None
        while True:
            try:
                return await self.link.script(script, keys, args)
            except BusClosed:
                raise
            except BusError as error:
                if not worth_waiting(error):
                    raise
                self.health.failed(error)
            pauses = pauses or for_reconnecting()
            await self.pause(pauses.next())

    async def pause(self, seconds: float) -> None:
        """Wait. Raises `BusClosed` as soon as the bus is closed."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        if self.closed:
            raise BusClosed("the bus was closed meanwhile")

    async def alive(self, consumer: str) -> None:
        """Set a consumer's first heartbeat, and keep it up from now on."""
        key = self.names.heartbeat(consumer)
        pauses = for_reconnecting()
        while True:
            try:
                await self.link.call("SET", key, "1", "PX", self._ttl_ms)
                break
            except BusClosed:
                raise
            except BusError as error:
                self.health.failed(error)
            await self.pause(pauses.next())
        self._heartbeat.add(key)

    async def gone(self, consumer: RedisConsumer, *, began: bool) -> None:
        """Take a consumer's heartbeat away, last of all."""
        key = self.names.heartbeat(consumer.name)
        await self._heartbeat.remove(key)
        if began:
            with suppress(BusError):
                await self.link.call("DEL", key)
        self._consumers.pop(consumer.name, None)

    def consumer_names(self) -> set[str]:
        """Return the names of the consumers here: nobody buries himself."""
        return set(self._consumers)

    # Helpers --------------------------------------------------------------------------------------------------------

    @property
    def _ttl_ms(self) -> int:
        return int(self.dead_after_seconds * 1000)

    def _check_sending(self, *, answering: bool = False) -> None:
        if self.closed or (self._draining and not answering):
            raise BusClosed("the bus is closed or draining; nothing more can be sent on it")

    def _edge(self, sender: str, recipient: str) -> Edge:
        ends = sender, recipient
        edge = self._edges.get(ends)
        if edge is None:
            edge = self._edges[ends] = self.names.edge(sender, recipient)
        return edge

    def _unknown(self, address: str) -> UnknownRecipient:
        known = ", ".join(sorted(self._declared)) or "nobody"
        return UnknownRecipient(f"{address!r} does not listen on this bus; known: {known}")

    async def _stored(self, work: _Content, envelope: Envelope, blobs: BlobStore) -> Envelope:
        pauses = for_reconnecting()
        while True:
            try:
                return await work(envelope, blobs)
            except StorageUnavailable as error:  # what was worked out is not thrown away because a store is away
                self.health.failed(error)
            await self.pause(pauses.next())

    def _dead_letter(self, fields: dict[bytes, bytes]) -> DeadLetter | None:
        edge = self.names.edge_at(fields.get(b"edge", b"").decode(errors="replace"))
        if edge is None:
            return None
        try:
            envelope = self.border.read(fields, edge=edge.key, sender=edge.sender, address=edge.recipient)
        except Unacceptable:
            return None
        reason = fields.get(b"reason", b"").decode(errors="replace")
        count = fields.get(b"deliveries", b"")
        return DeadLetter(envelope=envelope, reason=reason, deliveries=int(count) if count.isdigit() else 0)

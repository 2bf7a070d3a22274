"""Reads one address's messages from its edges.

One task per consumer does everything that reads: it waits for messages, sweeps up what was delivered to it without its
hearing of it, and looks after consumers that died. As nothing of that happens while a read is under way, an entry that
is pending under this name and not known here can only be a stray. The task reads only while somebody waits in
`receive`: what nobody asked for belongs to others.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from squads.adapters.redis_bus.aside import Aside, kept_going
from squads.adapters.redis_bus.delivery import ON_EDGE, ON_LANE, Entry, RedisDelivery, reread
from squads.adapters.redis_bus.patience import for_reconnecting
from squads.adapters.redis_bus.reclaim import PAGE, Reclaimer, left
from squads.adapters.redis_bus.seals import Unacceptable
from squads.contracts.errors import BusClosed, BusError
from squads.contracts.messages import RUNNER

if TYPE_CHECKING:
    from squads.adapters.redis_bus.bus import RedisBus
    from squads.adapters.redis_bus.names import Edge
    from squads.adapters.redis_bus.reader import Item
    from squads.contracts.messages import Envelope

log = logging.getLogger("squads.bus")
BLOCK_SECONDS = 2.0
UPKEEP_SECONDS = 5.0
"""How often at least the server is asked something, so that `healthy` also speaks of who has no time to read."""
LANE_SECONDS = 1.0
ANSWERED_MAX = 256
"""How many answers are kept whose messages were lost on the server."""
LINGER_SECONDS = 1.0
"""How long fetched messages wait for an owner that does not come for them, before others may have them."""


class RedisConsumer:
    """A consumer; `RedisBus.consumer` makes them."""

    def __init__(self, bus: RedisBus, address: str, slots: int, name: str) -> None:
        self.bus = bus
        self.group = address
        self.name = name
        self.closed = False
        self._slots = max(1, slots)
        self._reader = bus.link.reader()
        self._reclaimer = Reclaimer(
            bus.link,
            bus.names,
            address,
            dead_after_seconds=bus.dead_after_seconds,
            deliveries_max=bus.deliveries_max,
        )
        self._held: dict[str, RedisDelivery] = {}
        """By message id: what is in the owner's hands, and what waits for it in `_ready`."""
        self._ready: deque[RedisDelivery] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._edges: dict[str, Edge] = {}
        """By key: those whose groups are there."""
        self._origins: dict[str, bytes] = {}
        self._aside = Aside(many=address == RUNNER)
        self._turned = 0
        self._alone: RedisDelivery | None = None
        self._quiet = False
        """True while it fetches nothing, to be free for the lane."""
        self._abandoned = False
        """True after a wait was cancelled and nobody else waits: what comes in then is for others."""
        self._answered: OrderedDict[str, Envelope] = OrderedDict()
        self._asked_at = self._upkeep_at = self._lane_at = 0.0
        self._lane_since: float | None = None

    # For the owner --------------------------------------------------------------------------------------------------

    async def receive(self) -> RedisDelivery:
        """Wait for the next message."""
        self._check_open()
        self._asked_at, self._abandoned = monotonic(), False
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"reads for {self.group}")
        while not self._ready:
            await self._wait()
            self._check_open()
        delivery = self._ready.popleft()
        return delivery if self.bus.content is None else await self._with_content(delivery)

    async def close(self) -> None:
        """Give back what was not acknowledged; who waits in `receive` gets `BusClosed`."""
        if self._closing is None:
            self.closed = True
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    def holds(self, delivery: RedisDelivery) -> bool:
        """Say whether a delivery is still in this consumer's hands."""
        return self._held.get(delivery.envelope.id) is delivery

    def let_go(self, delivery: RedisDelivery) -> None:
        """Take a delivery out of this consumer's hands, and read on if somebody waits."""
        if self.holds(delivery):
            del self._held[delivery.envelope.id]
        if delivery is self._alone:
            self._alone, self._lane_at = None, 0.0
        elif self._quiet and not self._held:
            self._lane_at = 0.0
        if self._waiters:
            self._stirred.set()

    def remember(self, message: str, answer: Envelope) -> None:
        """Keep the answer to a message that was lost on the server: it is given again when the message comes again."""
        self._answered[message] = answer
        if len(self._answered) > ANSWERED_MAX:
            self._answered.popitem(last=False)

    # Waiting --------------------------------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if self.closed or self.bus.closed or (self._task is not None and self._task.done()):
            raise BusClosed("this consumer or its bus was closed; there is nothing more to receive from it")

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._stirred.set()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self._wake(1)  # what it was woken for is for the next one
            else:
                with suppress(ValueError):  # somebody was about to wake it
                    self._waiters.remove(waiter)
            if not self._waiters:
                self._abandoned = True
                self._stirred.set()
            raise

    def _wake(self, count: int) -> None:
        while count and self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1

    async def _with_content(self, delivery: RedisDelivery) -> RedisDelivery:
        """Return the delivery with what its message left outside; one whose content is missing is given back."""
        try:
            delivery.envelope = await self.bus.picked_up(delivery.envelope)
            return delivery
        except asyncio.CancelledError:
            self._ready.appendleft(delivery)
            self._abandoned = not self._waiters
            self._wake(1)
            self._stirred.set()
            raise
        except BusClosed:
            raise
        except Exception as error:
            reason = f"its content could not be read: {type(error).__name__}"
            await kept_going(delivery.edge, delivery.release(reason))
        return await self.receive()

    # The task -------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        backoff = for_reconnecting()
        try:
            await self.bus.alive(self.name)
            while True:
                try:
                    await self._turn()
                    backoff.reset()
                except BusClosed:
                    return
                except Exception as error:
                    self._upkeep_at = 0.0  # what was on its way to us waits under our name now
                    self._reclaimer.begin_anew()
                    if self._aside.means_loss(error):
                        self._lost()
                    else:
                        self.bus.health.failed(error)
                    await self.bus.pause(backoff.next())
        except BusClosed:
            return
        finally:
            self._wake(len(self._waiters))

    def _lost(self) -> None:
        log.warning("the queues of %s were lost; they are begun anew", self.group)
        self._edges.clear()
        self.bus.loss.noticed()

    async def _turn(self) -> None:
        """Do the next thing there is to do, and no more than one read of messages."""
        await self._open_edges()
        now = monotonic()
        if now >= self._upkeep_at:
            await self._upkeep(now)
        if self._waiters and not self._ready and self._alone is None:
            if self.group != RUNNER and now >= self._lane_at and await self._took_lane(now):
                return
            if not (self._quiet and self._held):
                await self._read(now)
                return
        await self._rest(now)

    async def _rest(self, now: float) -> None:
        """Wait until there is something to do; let others have what nobody here comes for."""
        self._stirred.clear()
        if self._ready and not self._waiters and self._abandoned:
            await self._pass_on()
            return
        until = self._upkeep_at
        if self._ready:
            until = min(until, self._asked_at + LINGER_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, until - now)):
                await self._stirred.wait()
        if self._ready and not self._waiters and monotonic() >= self._asked_at + LINGER_SECONDS:
            await self._pass_on()

    async def _pass_on(self) -> None:
        while self._ready and not self._waiters:
            await self._ready.popleft().defer()

    async def _open_edges(self) -> None:
        for edge in self.bus.edges_to(self.group):
            if edge.key in self._edges or self._aside.holds(edge):
                continue
            origin, before = await self._aside.tried(edge, self.bus), self._origins.get(edge.key)
            if origin is not None:
                self._origins[edge.key] = origin
                if self._aside.opened(edge, lost=before not in (None, origin)):
                    self._edges[edge.key] = edge

    async def _upkeep(self, now: float) -> None:
        edges = list(self._edges.values())
        origins = await self.bus.link.calls([("GET", edge.origin) for edge in edges])
        if origins != [self._origins[edge.key] for edge in edges]:
            self._lost()  # and somebody else has begun them anew before a read could tell us
            return
        await self._sweep(edges)
        moved = await self._reclaimer.look(edges, self.bus.consumer_names(), now)
        if moved and self.group != RUNNER:
            self._quiet, self._lane_at = True, 0.0  # who found it takes it on; others come when that takes too long
        self.bus.health.heard()
        self._upkeep_at = now + min(self.bus.dead_after_seconds / 2, UPKEEP_SECONDS)

    async def _sweep(self, edges: Sequence[Edge]) -> None:
        """Take in what is pending under this name and not in hand: an answer to a read was lost on its way."""
        places = [(edge, place) for edge in edges for place in (ON_EDGE, ON_LANE)]
        page = PAGE + self._slots
        streams = [edge.keys[place - 1] for edge, place in places]
        answers = await self.bus.link.calls(
            [("XPENDING", stream, self.group, "-", "+", page, self.name) for stream in streams]
        )
        known = {(d.edge.keys[e.place - 1], e.id) for d in self._held.values() for e in d.entries}
        for (edge, place), stream, answer in zip(places, streams, answers, strict=True):
            for raw_id, _, _, deliveries in answer:
                entry = Entry(place, bytes(raw_id).decode(), int(deliveries))
                if (stream, entry.id) not in known and not await kept_going(edge, self._stray(edge, stream, entry)):
                    break

    async def _stray(self, edge: Edge, stream: str, entry: Entry) -> None:
        found = await self.bus.link.call("XRANGE", stream, entry.id, entry.id)
        if not found:  # answered while the server was asked
            await self.bus.lasting("acknowledge", (edge.key, edge.lane), (self.group, self.name, *entry))
            return
        fields = found[0][1]
        room = len(self._held) < max(self._slots, len(self._waiters)) and self._alone is None
        if self._held if entry.place == ON_LANE else not room:
            await self._defer(edge, entry)
            return
        await self._take_in(edge, entry, dict(zip(fields[::2], fields[1::2], strict=True)))

    # Reading --------------------------------------------------------------------------------------------------------

    async def _read(self, now: float) -> None:
        """Fetch what its owner waits for, and as many more as it has free slots."""
        room = max(self._slots - len(self._held), len(self._waiters))
        streams = list(self._edges)
        pause = min(BLOCK_SECONDS, self._upkeep_at - now, *([LANE_SECONDS] if self.group != RUNNER else []))
        block_ms = max(1, int(pause * 1000))
        if room >= len(streams):
            answer = await self._fetched(streams, room // max(1, len(streams)), block_ms)
        else:
            answer = await self._fetched_few(streams, room, block_ms)
        self.bus.health.heard()
        for stream, items in answer:
            for item in items:
                edge, entry = self._edges[stream], Entry(ON_EDGE, item[0], 1)
                await kept_going(edge, self._take_in(edge, entry, item[1]) if room > 0 else self._defer(edge, entry))
                room -= 1

    async def _fetched(self, streams: Sequence[str], count: int, block_ms: int) -> list[tuple[str, list[Item]]]:
        if not streams:
            await self.bus.pause(block_ms / 1000)
            return []
        return await self._reader.read(self.group, self.name, streams, count=count, block_ms=block_ms)

    async def _fetched_few(self, streams: list[str], room: int, block_ms: int) -> list[tuple[str, list[Item]]]:
        """Fetch one each from as many edges as there is room for, beginning after those of the last time.

        Only when none of them has anything does it wait on all: should two edges have news at that very moment, one
        comes too many and is given back.
        """
        turned = self._turned % len(streams)
        streams = streams[turned:] + streams[:turned]
        for first in range(0, len(streams), room):
            self._turned += room
            answer = await self._fetched(streams[first : first + room], 1, 0)
            if answer:
                return answer
        return await self._fetched(streams, 1, block_ms)

    async def _took_lane(self, now: float) -> bool:
        """Look at the lane; return True when its next message is in hand now, alone."""
        (edge,) = self._edges.values()
        self._lane_at = now + min(LANE_SECONDS, self.bus.dead_after_seconds / 2)
        if self._held:
            length, pending = await self.bus.link.calls([("XLEN", edge.lane), ("XPENDING", edge.lane, self.group)])
            if int(length) <= int(pending[0]):
                self._lane_since = None
                self._quiet = False
            elif self._lane_since is None:
                self._lane_since = now
            elif now - self._lane_since >= self.bus.dead_after_seconds:
                self._quiet = True  # nobody who has nothing else to do has taken it
            return False
        self._quiet, self._lane_since = False, None
        answer = await self._fetched([edge.lane], 1, 0)
        for _, items in answer:
            for item in items:
                await kept_going(edge, self._take_in(edge, Entry(ON_LANE, item[0], 1), item[1]))
        return bool(answer)

    async def _take_in(self, edge: Edge, entry: Entry, fields: dict[bytes, bytes]) -> None:
        """Put one entry into the owner's reach, unless it may not be shown to anybody."""
        try:
            envelope = await self.bus.border.admit(fields, edge)
        except Exception as error:  # whatever stands on a stream, the reader goes on
            reason = error.reason if isinstance(error, Unacceptable) else "unreadable"
            log.warning("a message on %s is not acceptable: %s", edge.key, reason)
            args = (self.group, self.name, self.bus.names.dead, reason, *entry)
            await self.bus.lasting("bury", (edge.key, edge.lane), args)
            self.bus.health.buried += 1
            return
        first = self._held.get(envelope.id)
        if first is not None and not first.leaving:
            first.entries.append(entry)
            return
        attempt = reread(fields.get(b"d")) + reread(fields.get(b"c")) + entry.deliveries
        origin = self._origins[edge.key]
        delivery = RedisDelivery(self, envelope, edge, entry, attempt=attempt, origin=origin)
        self._held[envelope.id] = delivery
        if envelope.id in self._answered:
            await delivery.reply(self._answered[envelope.id])
            return
        if delivery.alone:
            self._alone = delivery
        self._ready.append(delivery)
        self._wake(1)

    async def _defer(self, edge: Edge, entry: Entry) -> None:
        args = (self.group, self.name, self.bus.names.dead, "defer", "", 0, *entry)
        await self.bus.lasting("give_back", (edge.key, edge.lane), args)

    # The end --------------------------------------------------------------------------------------------------------

    async def _close(self) -> None:
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._wake(len(self._waiters))
        await self._reader.close()
        self._held.clear()
        self._ready.clear()
        left = task is not None and await self._left()
        await self.bus.gone(self, began=left)

    async def _left(self) -> bool:
        """Give back what is pending under this name; False where the server could not be asked."""
        try:
            for edge in (edge for edge in self.bus.edges_to(self.group) if edge.key in self._origins):
                await kept_going(edge, left(self.bus.link, edge, self.group, self.name))
        except BusError as error:  # others find out by our missing heartbeat
            log.warning("%s could not give back what it had: %s", self.name, error)
            return False
        return True

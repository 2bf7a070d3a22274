"""The runner: the one loop that steps packets. Take, step, append, then send; in this order, always.

Every message makes the same trip: role, bus, runner, kernel, ledger, and only then the bus again. A receipt without its
message is sent again from `pending`; a message without a receipt cannot exist. Signatures are checked here, once,
before the kernel sees an event. On a conflict the runner folds again and asks the kernel again: it never decides.

Several runners may serve a workspace. Each packet is held by one of them: it sends, watches the deadlines and appends,
and its appends are compared with its lease. The others follow: they look what happened, and take over when it dies.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any

from squads.asking import Asking
from squads.contracts.errors import BusClosed, LeaseLost, LedgerError, Overdrawn, SquadsError
from squads.contracts.messages import RUNNER, Envelope, Failed, RoleRequest
from squads.contracts.records import DeadlineRecord, FaultRecord, Opened, PacketRecord, RoleRecord
from squads.deadlines import Deadlines
from squads.handover import Reader
from squads.holding import LEASE_SECONDS, Holding
from squads.intake import Intake
from squads.kernel.bus_ports import Bus, Consumer
from squads.kernel.effects import Arm, Ask, Effect, Finish, Ignore, Send
from squads.kernel.lifecycle import Phase
from squads.kernel.pending import pending
from squads.kernel.ports import Approver
from squads.kernel.receipts import payload_of
from squads.lane import Incoming, Lane, Listener
from squads.levels import before_asking_role
from squads.replies import Replies
from squads.sending import Sending, again, committing
from squads.signing import signed_entry
from squads.turns import Turns, unsaid
from squads.workspace import PROGRAM, Workspace

log = logging.getLogger("squads.runner")
SLOTS = 1_000
"""How many replies are handed in at once."""
LOOK_SECONDS = 0.5
"""How often a runner looks what others did, and a role that waits for a stop to be lifted looks again."""


class Runner:
    """Steps the packets of one workspace over one bus.

    Args:
        approver: Puts questions to people in this process; None leaves them waiting in the ledger.
        roles: The roles that this process hosts; a packet that froze others is not handed to them. None: elsewhere.
        reader: Shared with a worker of the same process, so that content is read once.
        offer: Makes what a request speaks of readable before it is sent; None where roles read this store.
        name: Under which it holds packets, never used twice; made where none is given.
        lease_seconds: How long its beat, and those of others, may stand still before somebody takes over.
        monotonic: This process's own clock.
    """

    def __init__(
        self,
        workspace: Workspace,
        bus: Bus,
        *,
        approver: Approver | None = None,
        reader: Reader | None = None,
        roles: Mapping[str, RoleRecord] | None = None,
        offer: Callable[[RoleRequest], Awaitable[None]] | None = None,
        name: str | None = None,
        lease_seconds: float = LEASE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workspace = workspace
        self.bus = bus
        self.reader = reader or Reader(workspace.blobs)
        self.ignored: Counter[str] = Counter()
        """How many events were ignored, by reason."""
        self._roles = roles
        self._sending = Sending(bus, offer)
        self._lanes: dict[str, Lane] = {}
        self._deadlines = Deadlines(workspace.clock, self._deadline)
        self.holding = Holding(
            workspace.ledger.leases,
            held=lambda: any(lane.lease and not lane.ended for lane in self._lanes.values()),
            doubted=self._doubted,
            name=name,
            lease_seconds=lease_seconds,
            monotonic=monotonic,
        )
        self._turns = Turns(workspace, self.reader, self.ignored, act=self._act, lose=self._lose)
        self._asking = Asking(workspace, self.reader, approver, say=self.say, fail=self._fail, spawn=self._spawn)
        self._replies = Replies(
            workspace,
            self._lanes,
            self.holding,
            Intake(workspace, self.reader),
            self.ignored,
            turn=self._turns.turn,
            fault=self._fault,
            fail=self._fail,
            wake=self._wake,
        )
        self._inbox: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lifted = asyncio.Event()
        self._closed = False
        self._sending_again = asyncio.Lock()
        self._lost: set[str] = set()
        """Packets that another runner has taken over from this one."""
        self._size = -1
        """How long the ledger was when this runner last looked what others did."""

    # Starting and stopping ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to read the runner's inbox."""
        self.bus.declare(RUNNER)
        self._inbox = asyncio.create_task(self._read(self.bus.consumer(RUNNER, slots=SLOTS)))

    async def close(self) -> None:
        """Stop reading and give every packet back. They stay open in the ledger and can be resumed."""
        self._closed = True
        tasks = [t for t in (self._inbox, self._looking, *self._tasks) if t is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Last: a turn that was still under way may have armed a deadline.
        await self._deadlines.close()
        await self._sending.close()
        await self.holding.close()

    # What callers do ------------------------------------------------------------------------------------------------

    async def open(self, opened: Opened, content: tuple[bytes, ...], *, listener: Listener | None = None) -> Lane:
        """Open a packet, signed by this program; where the workspace's budget has no room, that is recorded instead."""
        lease = await self.holding.opening(opened.packet)
        lane = self._lanes[opened.packet] = Lane(opened.packet)
        lane.lease = lease
        if listener:
            lane.listeners.append(listener)
        try:
            ignored = await self.say(lane, opened, PROGRAM, content)
        except Overdrawn as error:
            log.info("packet %s: %s", opened.packet, error)
            ignored = await self.say(lane, opened.but(funded=False), PROGRAM, content)
        if ignored:
            lane.tell()  # it was not let in: whoever waits must hear of it
        return lane

    async def resume(self, packet: str, *, listener: Listener | None = None) -> Lane:
        """Take up an open packet from the ledger, and send again whatever is pending.

        While another runner that lives holds it, it is followed: `lane.follows` is true, and nothing is sent. Raises
        `UnknownPacket`, or `LedgerBroken` when its receipts do not replay.
        """
        lane = self._lanes.get(packet) or Lane(packet)
        # Also a packet that is held already is folded again: an append that failed may have been written all the same.
        async with lane.lock:
            await self._turns.fold(lane)
        lane = self._lanes.setdefault(packet, lane)  # somebody else may have taken it up meanwhile
        lane.listeners += [listener] if listener else []
        lane.failure = None
        if not self.workspace.view.stopped(packet):
            self._lifted.set()  # by another process, perhaps
        await self._take_up(lane)
        return lane

    async def say(self, lane: Lane, record: PacketRecord, role: str, content: tuple[bytes, ...] = ()) -> Ignore | None:
        """Hand in a record that this process signs as `role`; return why it was ignored, if it was.

        What people say counts whoever holds the packet; for others it raises `LeaseLost`. `KeyUnavailable`: no key may.
        """
        content, by_person = await self.workspace.keep_words(role, content), role.startswith("human:")
        while True:
            entry = signed_entry(lane.packet, payload_of(record), signer := self.workspace.speaker(role))
            ignored = await self._turns.turn(lane, Incoming(record, entry, content, by_person=by_person))
            if ignored is None or ignored.reason != "not authorised" or self.workspace.speaker(role) is signer:
                return ignored  # else the key was rotated meanwhile, and the new one signs

    def forget(self, lane: Lane) -> None:
        """Drop a packet that nobody waits for; the ledger keeps it."""
        if lane.ended:
            self._lanes.pop(lane.packet, None)

    async def permit(self, packet: str) -> None:
        """Return once neither the workspace nor this packet is stopped; a stop that cannot be read is a stop.

        On a bus of this process's own, a packet that another runner has taken over is like a stopped one: what was
        asked of the roles here is asked there by now. Raises `LeaseLost` when it has ended there.
        """
        while await self._is_stopped(packet) or await self._is_taken(packet):
            self._lifted.clear()
            with suppress(TimeoutError):  # another process may lift it, and nobody here would hear of it
                await asyncio.wait_for(self._lifted.wait(), LOOK_SECONDS)

    async def _is_stopped(self, packet: str) -> bool:
        try:
            await self.workspace.confirm()
        except LedgerError:
            return True
        return self.workspace.view.stopped(packet) is not None

    async def _is_taken(self, packet: str) -> bool:
        if self.bus.can_lose:
            return False  # the holder asks, wherever it is, and the bus drops what it was sent before
        lane = self._lanes.get(packet)
        try:
            if lane and lane.lease and not self.holding.is_sure and not await self.holding.stands(lane.lease):
                await self._lose(lane)
        except LedgerError:
            return True
        if packet in self._lost and (lane is None or lane.ended):
            raise LeaseLost(f"packet {packet} was taken over by another runner, and has ended")
        return lane is not None and lane.follows

    async def stopped(self) -> None:
        """Tell everybody who waits that a stop came into force."""
        for lane in self._lanes.values():
            lane.tell()

    async def lifted(self) -> None:
        """Go on after a stop was lifted: parked replies first, then whatever is pending."""
        self._lifted.set()
        for lane in list(self._lanes.values()):
            await self._take_up(lane)

    async def send_again(self, *, lost: bool = False) -> None:
        """Send what is pending once more: a bus drops twins of what it has. `lost` says that it has some no more."""
        for lane in self._lanes.values():
            lane.asked_twice |= lost
        if self._sending_again.locked() and not lost:
            return
        async with self._sending_again:
            await again(list(self._lanes.values()), self._act)

    async def tick(self) -> None:
        """Hand in every deadline that the clock has reached; only needed with a clock that is moved by hand."""
        await self._deadlines.fire()

    # The loop -------------------------------------------------------------------------------------------------------

    async def _read(self, consumer: Consumer) -> None:
        try:
            while True:
                delivery = await consumer.receive()
                self._spawn(self._replies.take(delivery))
        except BusClosed:
            return
        finally:
            with suppress(BusClosed):
                await consumer.close()

    async def _fault(self, lane: Lane, failed: Failed) -> Ignore | None:
        about = {"workspace": self.workspace.id, "packet": lane.packet, "about": failed.about}
        return await self.say(lane, FaultRecord(**about, reason=failed.reason, usage=failed.usage), RUNNER)

    async def _deadline(self, packet: str, about: str) -> None:
        lane = self._lanes.get(packet)
        if lane is None or lane.lease is None or lane.ended:
            return
        if self.workspace.view.stopped(packet):
            lane.tell()  # a stop by another process, perhaps: nobody may have heard of it
            return
        record = DeadlineRecord(workspace=self.workspace.id, packet=packet, about=about)
        try:
            await self.say(lane, record, RUNNER)
        except LeaseLost:
            return  # whoever holds it watches it
        except Exception as error:
            self._fail(lane, error)

    async def _act(self, lane: Lane, effects: list[Effect]) -> None:
        """Do what the kernel asked for, after the receipts are durable."""
        if lane.follows:
            effects, lane.unanswered = [], True  # they are its holder's
        # Deadlines first: whatever cannot be sent is late one day, and that ends the wait.
        for effect in sorted(effects, key=lambda e: not isinstance(e, Arm)):
            match effect:
                case Send(recipient, about, body):
                    if self._roles is not None:
                        lane.check_frozen(recipient, self._roles.get(recipient))
                    if lane.state and not self.workspace.view.stopped(lane.packet):
                        await before_asking_role(self.workspace, lane)
                        prior = lane.state.roles[recipient].digest
                        asked = await committing(lane, self.workspace.ledger, body)
                        await self._sending.send(Envelope.to_role(recipient, about, asked, prior=prior))
                case Arm(about, at_ms):
                    self._deadlines.arm(at_ms, lane.packet, about)
                case Ask():
                    self._asking.ask(lane, effect)
                    self._wake()
                case Finish():
                    self._deadlines.disarm(lane.packet)
        if lane.state and (lane.state.ended or lane.state.phase is Phase.ASKING):
            lane.tell()

    # Holding and following ------------------------------------------------------------------------------------------

    async def _take_up(self, lane: Lane) -> None:
        """Hold the packet where no other runner does, and go on with it; else follow it."""
        if lane.follows and not self.workspace.view.stopped(lane.packet):
            async with lane.lock:
                if lane.lease is None:
                    lane.lease = await self.holding.take(lane.packet)
                    if lane.lease is not None:
                        log.debug("packet %s: held with token %d", lane.packet, lane.lease.token)
                        await self._catch_up(lane)
        if not lane.follows:
            lane.held_by = ""
            await self._go_on(lane)
            return
        other = await self.holding.other(lane.packet)
        lane.held_by = other.holder if other else ""
        lane.unanswered = True  # nobody is asked here
        lane.tell()
        self._wake()

    async def _go_on(self, lane: Lane) -> None:
        """Hand in what was kept, then do again whatever is pending: the same ids, so that nothing is done twice."""
        kept, lane.parked = [*lane.parked, *self._replies.hand_over(lane.packet)], []
        for delivery in kept:
            await self._replies.take(delivery)
        if lane.state is None or self.workspace.view.stopped(lane.packet):
            lane.tell()
            return
        # Deadlines that passed while nobody looked come first: nothing is sent or asked that is too late already.
        for effect in pending(lane.state):
            if isinstance(effect, Arm) and effect.at_ms <= self.workspace.now_ms():
                await self._deadline(lane.packet, effect.about)
        await self._act(lane, list(pending(lane.state)))

    async def _lose(self, lane: Lane) -> None:
        """Follow from now on a packet that another runner has taken over."""
        lane.lease, lane.asked_twice = None, True
        self._deadlines.disarm(lane.packet)
        self._replies.keep(lane.parked)
        lane.parked, lane.unanswered = [], True
        self._lost.add(lane.packet)
        lane.tell()
        self._wake()

    async def _doubted(self) -> None:
        for lane in list(self._lanes.values()):
            if lane.lease and not lane.ended and not await self.holding.stands(lane.lease):
                await self._lose(lane)

    def _wake(self) -> None:
        """See to it that somebody looks, as long as there is something to look after."""
        self._size = -1  # what was folded before may have grown since
        if not self._closed and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self._look_on())

    async def _look_on(self) -> None:
        while self._replies.waiting or any(lane.concerns_others for lane in self._lanes.values()):
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except SquadsError as error:
                log.info("could not look what others did: %s", error)

    async def look(self) -> None:
        """Look once what others did: to packets that are followed or wait for people, and to those of kept replies."""
        size = (await self.workspace.ledger.head()).size
        moved, self._size = size != self._size, size
        if moved:
            await self.workspace.refresh()
        for lane in [lane for lane in self._lanes.values() if lane.concerns_others]:
            try:
                if moved:
                    async with lane.lock:
                        news = await self._catch_up(lane)
                    if news and lane.lease is not None:
                        await self._act(lane, unsaid(lane))
                    if news or self.workspace.view.stopped(lane.packet):
                        lane.tell()
                if lane.follows:
                    await self._take_up(lane)
            except Exception as error:
                self._fail(lane, error)
        await self._replies.look()

    async def _catch_up(self, lane: Lane) -> bool:
        """Fold again where somebody else wrote to the packet; False where nobody did."""
        if not await self.workspace.ledger.read(lane.packet, start=lane.length):
            return False
        await self._turns.fold(lane)
        return True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(task := asyncio.create_task(work))
        task.add_done_callback(self._tasks.discard)

    def _fail(self, lane: Lane, error: Exception) -> None:
        log.info("packet %s: %s: %s", lane.packet, type(error).__name__, error)
        lane.failure = error
        lane.tell()

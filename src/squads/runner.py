"""The runner: the one loop that steps packets. Take, step, append, then send; in this order, always.

Every message makes the same trip: role, bus, runner, kernel, ledger, and only then the bus again. A receipt without its
message is sent again from `pending`; a message without a receipt cannot exist. Signatures are checked here, once,
before the kernel sees an event. On a conflict the runner folds again and asks the kernel again: it never decides.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from squads.contracts.base import SALT_BYTES, digest_of
from squads.contracts.errors import BusClosed, Conflict, LedgerError, Overdrawn, UnknownPacket
from squads.contracts.messages import RUNNER, Envelope, Failed, Signed
from squads.contracts.records import (
    AnswerRecord,
    DeadlineRecord,
    FaultRecord,
    Opened,
    PacketRecord,
    RoleRecord,
)
from squads.deadlines import Deadlines
from squads.folding import fold
from squads.handover import Reader
from squads.intake import Intake, Unreadable
from squads.kernel.effects import Arm, Ask, Effect, Finish, Ignore, Send
from squads.kernel.funds import reservation_of, settlement_of
from squads.kernel.lifecycle import Phase
from squads.kernel.pending import pending
from squads.kernel.ports import WORKSPACE, Approver, Bus, Consumer, Delivery
from squads.kernel.receipts import payload_of
from squads.kernel.state import Attested
from squads.kernel.step import step
from squads.lane import Batch, Incoming, Lane, Listener
from squads.workspace import PROGRAM, Workspace, signed_entry

log = logging.getLogger("squads.runner")
LOOK_SECONDS = 0.5
"""How often a role that waits for a stop to be lifted looks again."""


class Runner:
    """Steps the packets of one workspace over one bus.

    Args:
        approver: Puts questions to people in this process; None leaves them waiting in the ledger.
        roles: The roles that this process hosts; a packet that froze others is not handed to them. None where roles are
            hosted elsewhere.
        reader: Shared with a worker of the same process, so that content is read once.
    """

    def __init__(
        self,
        workspace: Workspace,
        bus: Bus,
        *,
        approver: Approver | None = None,
        reader: Reader | None = None,
        roles: Mapping[str, RoleRecord] | None = None,
    ) -> None:
        self.workspace = workspace
        self.bus = bus
        self.reader = reader or Reader(workspace.blobs)
        self.ignored: Counter[str] = Counter()
        """How many events were ignored, by reason."""
        self._intake = Intake(workspace, self.reader)
        self._roles = roles
        self._approver = approver
        self._lanes: dict[str, Lane] = {}
        self._deadlines = Deadlines(workspace.clock, self._deadline)
        self._inbox: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lifted = asyncio.Event()

    # Starting and stopping ------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to read the runner's inbox."""
        self.bus.declare(RUNNER)
        self._inbox = asyncio.create_task(self._read(self.bus.consumer(RUNNER)))

    async def close(self) -> None:
        """Stop reading. Packets stay open in the ledger and can be resumed."""
        tasks = [t for t in (self._inbox, *self._tasks) if t is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # Last: a turn that was still under way may have armed a deadline.
        await self._deadlines.close()

    # What callers do ------------------------------------------------------------------------------------------------

    async def open(self, opened: Opened, content: tuple[bytes, ...], *, listener: Listener | None = None) -> Lane:
        """Open a packet, signed by this program; where the workspace's budget has no room, that is recorded instead."""
        lane = self._lanes[opened.packet] = Lane(opened.packet)
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

        Raises `UnknownPacket`, or `LedgerBroken` when its receipts do not replay.
        """
        lane = self._lanes.get(packet) or Lane(packet)
        # Also a packet that is held already is folded again: an append that failed may have been written all the same.
        async with lane.lock:
            await self._fold(lane)
        lane = self._lanes.setdefault(packet, lane)  # somebody else may have taken it up meanwhile
        if listener:
            lane.listeners.append(listener)
        lane.failure = None
        if not self.workspace.view.stopped(packet):
            self._lifted.set()  # by another process, perhaps
        await self._go_on(lane)
        return lane

    async def say(self, lane: Lane, record: PacketRecord, role: str, content: tuple[bytes, ...] = ()) -> Ignore | None:
        """Hand in a record that this process signs as `role`; return why it was ignored, if it was."""
        entry = signed_entry(lane.packet, payload_of(record), self.workspace.signer(role))
        return await self._turn(lane, Incoming(record, entry, content))

    def forget(self, lane: Lane) -> None:
        """Drop a packet that nobody waits for; the ledger keeps it."""
        if lane.state is None or lane.state.ended:
            self._lanes.pop(lane.packet, None)

    async def permit(self, packet: str) -> None:
        """Return once neither the workspace nor this packet is stopped; a stop that cannot be read is a stop."""
        while await self._is_stopped(packet):
            self._lifted.clear()
            with suppress(TimeoutError):  # another process may lift it, and nobody here would hear of it
                await asyncio.wait_for(self._lifted.wait(), LOOK_SECONDS)

    async def _is_stopped(self, packet: str) -> bool:
        try:
            await self.workspace.confirm()
        except LedgerError:
            return True
        return self.workspace.view.stopped(packet) is not None

    async def stopped(self) -> None:
        """Tell everybody who waits that a stop came into force."""
        for lane in self._lanes.values():
            lane.tell()

    async def lifted(self) -> None:
        """Go on after a stop was lifted: parked replies first, then whatever is pending."""
        self._lifted.set()
        for lane in list(self._lanes.values()):
            await self._go_on(lane)

    async def tick(self) -> None:
        """Hand in every deadline that the clock has reached; only needed with a clock that is moved by hand."""
        await self._deadlines.fire()

    # The loop -------------------------------------------------------------------------------------------------------

    async def _read(self, consumer: Consumer) -> None:
        try:
            while True:
                delivery = await consumer.receive()
                self._spawn(self._take(delivery))
        except BusClosed:
            return
        finally:
            with suppress(BusClosed):
                await consumer.close()

    async def _take(self, delivery: Delivery) -> None:
        await self._receive(delivery.envelope)
        await delivery.ack()

    async def _receive(self, envelope: Envelope) -> None:
        lane = self._lanes.get(envelope.packet)
        if lane is None or lane.state is None:
            self.ignored["unknown packet"] += 1
            return
        if self.workspace.view.stopped(lane.packet):
            lane.parked.append(envelope)
            return
        ignored: Ignore | None = None
        try:
            match envelope.body:
                case Signed():
                    ignored = await self._signed(lane, envelope.body)
                case Failed() if envelope.sender != lane.asked_of(envelope.body.about):
                    self.ignored["not asked"] += 1
                case Failed():
                    lane.details[envelope.body.about] = envelope.body.detail
                    ignored = await self._fault(lane, envelope.body)
                case _:
                    self.ignored["not a reply"] += 1
        except Exception as error:  # whoever waits for the packet must hear of it; the loop goes on for the others
            # Nothing may have been recorded of it: `resume` hands it in again, and the role is not asked twice.
            lane.parked.append(envelope)
            self._fail(lane, error)
        if ignored and ignored.reason == "stopped":  # by another process, noticed only now
            lane.parked.append(envelope)

    async def _signed(self, lane: Lane, body: Signed) -> Ignore | None:
        taken = await self._intake.read(lane, body)
        match taken:
            case Incoming():
                return await self._turn(lane, taken)
            case Unreadable():
                return await self._fault(lane, Failed(about=taken.about, reason="unreadable"))
        self.ignored[taken] += 1
        return None

    async def _fault(self, lane: Lane, failed: Failed) -> Ignore | None:
        about = {"workspace": self.workspace.id, "packet": lane.packet, "about": failed.about}
        return await self.say(lane, FaultRecord(**about, reason=failed.reason, usage=failed.usage), RUNNER)

    async def _deadline(self, packet: str, about: str) -> None:
        lane = self._lanes.get(packet)
        if lane is None or lane.state is None or lane.state.ended or self.workspace.view.stopped(packet):
            return
        record = DeadlineRecord(workspace=self.workspace.id, packet=packet, about=about)
        try:
            await self.say(lane, record, RUNNER)
        except Exception as error:
            self._fail(lane, error)

    async def _turn(self, lane: Lane, item: Incoming) -> Ignore | None:
        """Step one event, together with whatever else came in for the packet meanwhile; return why it was ignored."""
        lane.waiting.append(item)
        # The gates of one round answer almost at once: what arrives together is stepped in order and appended together.
        await asyncio.sleep(0)
        async with lane.lock:
            if not item.done:
                taken, lane.waiting = lane.waiting, []
                try:
                    await self._turns(lane, taken)
                except Exception as error:
                    for other in taken:
                        other.done, other.failure = True, error
                except BaseException:
                    # Only this caller was cancelled. Whether the append went through, the next compare will tell.
                    lane.waiting = [other for other in taken if other is not item] + lane.waiting
                    raise
        if item.failure is not None:
            raise item.failure
        return item.ignored

    async def _turns(self, lane: Lane, taken: list[Incoming]) -> None:
        """Step events in order, append every input with its outputs as one batch, then do what the effects say."""
        runner = self.workspace.signer(RUNNER)
        while True:
            view, now, state = self.workspace.view, self.workspace.now_ms(), lane.state
            batch = Batch()
            for item in taken:
                key = item.entry.signatures[0][0].hex()
                receipt = digest_of(item.entry.payload)
                event = Attested(item.record, key, view.roles_of(key), receipt, now, item.manifest)
                state, effects = step(view, state, event)
                item.ignored = next((e for e in effects if isinstance(e, Ignore)), None)
                if item.ignored:
                    continue
                batch.add(item, state, effects, runner)
            if batch.entries:
                try:
                    await self.workspace.ledger.append(
                        batch.entries,
                        expect={lane.packet: lane.length, WORKSPACE: view.length},
                        time_ms=now,
                        content=batch.content,
                        reserve=reservation_of(lane.state, state),
                        settle=settlement_of(lane.state, state),
                    )
                except Conflict:
                    await self._fold(lane, missing_ok=True)
                    self._noticed(lane)
                    continue
                self.workspace.confirmed()
                lane.state = state
                lane.length += len(batch.entries)
                self.reader.remember(batch.content)
            break
        for item in taken:
            item.done = True
            if item.ignored:
                self.ignored[item.ignored.reason] += 1
                log.debug("packet %s: ignored a %s: %s", lane.packet, item.record.kind, item.ignored.reason)
        if lane.listeners:
            for record in batch.happened:
                lane.tell(record)
        await self._act(lane, batch.todo)

    async def _act(self, lane: Lane, effects: list[Effect]) -> None:
        """Do what the kernel asked for, after the receipts are durable."""
        # Deadlines first: whatever cannot be sent is late one day, and that ends the wait.
        for effect in sorted(effects, key=lambda e: not isinstance(e, Arm)):
            match effect:
                case Send(recipient, about, body):
                    if self._roles is not None:
                        lane.check_frozen(recipient, self._roles.get(recipient))
                    if not self.workspace.view.stopped(lane.packet):
                        await self.bus.send(Envelope.to_role(recipient, about, body))
                case Arm(about, at_ms):
                    self._deadlines.arm(at_ms, lane.packet, about)
                case Ask():
                    self._ask(lane, effect)
                case Finish():
                    self._deadlines.disarm(lane.packet)
                case _:
                    pass
        if lane.state and (lane.state.ended or lane.state.phase is Phase.ASKING):
            lane.tell()

    async def _go_on(self, lane: Lane) -> None:
        """Hand in what was parked, then do again whatever is pending: the same ids, so that nothing is done twice."""
        parked, lane.parked = lane.parked, []
        for envelope in parked:
            await self._receive(envelope)
        if lane.state is None or self.workspace.view.stopped(lane.packet):
            lane.tell()
            return
        # Deadlines that passed while nobody looked come first: nothing is sent or asked that is too late already.
        for effect in pending(lane.state):
            if isinstance(effect, Arm) and effect.at_ms <= self.workspace.now_ms():
                await self._deadline(lane.packet, effect.about)
        await self._act(lane, list(pending(lane.state)))

    def _noticed(self, lane: Lane) -> None:
        """Somebody else wrote to this packet or stopped it: wake who waits, and watch the deadlines that were set.

        What they asked for they send themselves; should they die first, a deadline here moves the packet on.
        """
        for effect in pending(lane.state) if lane.state else ():
            if isinstance(effect, Arm):
                self._deadlines.arm(effect.at_ms, lane.packet, effect.about)
        lane.tell()

    # People ---------------------------------------------------------------------------------------------------------

    def _ask(self, lane: Lane, effect: Ask) -> None:
        question = effect.question
        if self._approver is None:
            lane.unanswered = True
        elif lane.asked != question.question:
            lane.asked, lane.unanswered = question.question, False
            self._spawn(self._put(lane, self._approver, effect))

    async def _put(self, lane: Lane, approver: Approver, effect: Ask) -> None:
        question = effect.question
        try:
            composition = await self.reader.artifact(question.subject)
            for answer in await approver.ask(question, composition):
                content: tuple[bytes, ...] = ()
                digest = None
                if answer.statement:
                    digest, blob = answer.statement.seal(self.workspace.entropy(SALT_BYTES))
                    content = (blob,)
                record = AnswerRecord(
                    workspace=self.workspace.id,
                    packet=lane.packet,
                    question=question.question,
                    subject=question.subject,
                    author=answer.name,
                    decision=answer.decision,
                    channel=answer.channel,
                    content=digest,
                )
                await self.say(lane, record, f"human:{answer.name}", content)
        except Exception as error:
            self._fail(lane, error)
        finally:
            lane.asked, lane.unanswered = "", True
            lane.tell()

    async def _fold(self, lane: Lane, *, missing_ok: bool = False) -> None:
        """Take the lane's state from the ledger. Raises `UnknownPacket` where there is none, unless that is fine."""
        lane.state, lane.length = await fold(self.workspace, self.reader, lane.packet)
        if lane.state is None and not missing_ok:
            raise UnknownPacket(f"no packet {lane.packet} in this ledger; every outcome carries its packet's id")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fail(self, lane: Lane, error: Exception) -> None:
        log.info("packet %s: %s: %s", lane.packet, type(error).__name__, error)
        lane.failure = error
        lane.tell()

"""One event's way into the ledger: stepped by the kernel, appended with its outputs, and only then acted on.

On a conflict the packet is folded again and the kernel asked again: nothing here decides. What is appended is compared
with the lease that this runner holds the packet by; once another runner has it, nothing goes through from here but what
people say.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace

from squads.contracts.base import digest_of
from squads.contracts.errors import Conflict, LeaseLost, UnknownPacket
from squads.contracts.messages import RUNNER
from squads.contracts.records import PacketRecord, VerdictRecord
from squads.folding import fold
from squads.handover import Reader
from squads.kernel.effects import Ask, Effect, Ignore
from squads.kernel.funds import reservation_of, settlement_of
from squads.kernel.pending import pending
from squads.kernel.ports import WORKSPACE, Lease
from squads.kernel.receipts import receipt_of, record_in
from squads.kernel.state import Attested, PacketState
from squads.kernel.step import step
from squads.lane import Batch, Incoming, Lane
from squads.workspace import Workspace

log = logging.getLogger("squads.runner")


class Turns:
    """Steps and appends for one runner.

    Args:
        ignored: Counts what was not acted on, by reason.
        act: Does what the kernel asked for, once the receipts are durable.
        lose: Follows a packet that another runner has taken over.
    """

    def __init__(
        self,
        workspace: Workspace,
        reader: Reader,
        ignored: Counter[str],
        *,
        act: Callable[[Lane, list[Effect]], Awaitable[None]],
        lose: Callable[[Lane], Awaitable[None]],
    ) -> None:
        self._workspace = workspace
        self._reader = reader
        self._ignored = ignored
        self._act = act
        self._lose = lose

    async def turn(self, lane: Lane, item: Incoming) -> Ignore | None:
        """Step one event, together with whatever else came in for the packet meanwhile; return why it was ignored.

        Raises `LeaseLost` where another runner holds the packet.
        """
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

    async def fold(self, lane: Lane, *, missing_ok: bool = False) -> None:
        """Take the lane's state from the ledger, and tell what others wrote there.

        Raises `UnknownPacket` where there is none, unless that is fine.
        """
        before = lane.length
        lane.state, lane.length = await fold(self._workspace, self._reader, lane.packet)
        if lane.state is None and not missing_ok:
            raise UnknownPacket(f"no packet {lane.packet} in this ledger; every outcome carries its packet's id")
        if before and lane.listeners and lane.length > before:
            for stored in (await self._workspace.ledger.read(lane.packet, start=before))[: lane.length - before]:
                record = record_in(receipt_of(stored.seq, stored.payload_type, stored.payload, (), stored.time_ms))
                if isinstance(record, PacketRecord):
                    lane.tell(record)

    async def _turns(self, lane: Lane, taken: list[Incoming]) -> None:
        """Step events in order, append every input with its outputs as one batch, then do what the effects say."""
        noticed = False
        while taken := _let_through(lane, taken):
            # Every time: its key may have been rotated since, and what a key signs after its end breaks the log.
            runner = self._workspace.speaker(RUNNER)
            view, now, state = self._workspace.view, self._workspace.now_ms(), lane.state
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
                    appended = await self._workspace.ledger.append(
                        batch.entries,
                        expect={lane.packet: lane.length, WORKSPACE: view.length},
                        time_ms=now,
                        content=batch.content,
                        reserve=reservation_of(lane.state, state),
                        settle=settlement_of(lane.state, state),
                        fence=_fence(lane, state),
                        subject=self._workspace.subject_of(lane.packet),
                    )
                except Conflict:
                    noticed = True
                    await self.fold(lane, missing_ok=True)
                    lane.tell()
                    continue
                except LeaseLost as error:
                    log.info("%s", error)
                    await self._lose(lane)
                    await self.fold(lane, missing_ok=True)
                    continue
                self._workspace.confirmed()
                if any(isinstance(said, VerdictRecord) and said.decision == "refused" for said in batch.happened):
                    self._workspace.anchoring.at_once()
                lane.state, lane.head = state, appended.head
                lane.length += len(batch.entries)
                self._reader.remember(batch.content)
            break
        else:
            return
        for item in taken:
            item.done = True
            if item.ignored:
                self._ignored[item.ignored.reason] += 1
                log.debug("packet %s: ignored a %s: %s", lane.packet, item.record.kind, item.ignored.reason)
        if lane.listeners:
            for record in batch.happened:
                lane.tell(record)
        await self._act(lane, [*batch.todo, *(unsaid(lane) if noticed else ())])


def unsaid(lane: Lane) -> list[Effect]:
    """Return what may not have been sent yet of a packet that somebody else wrote to; who was asked is not asked."""
    return [effect for effect in pending(lane.state) if not isinstance(effect, Ask)] if lane.state else []


def _let_through(lane: Lane, taken: list[Incoming]) -> list[Incoming]:
    """Return what may be appended: all of it while this runner holds the packet, else what people say."""
    if not lane.follows:
        return taken
    for item in taken:
        if not item.by_person:
            item.done, item.failure = True, LeaseLost(f"packet {lane.packet} is held by another runner")
    return [item for item in taken if item.by_person]


def _fence(lane: Lane, after: PacketState | None) -> Lease | None:
    """Return what the append is compared with; with the packet's last one the lease goes too."""
    if lane.lease is None:
        return None
    return replace(lane.lease, last=True) if after is not None and after.ended else lane.lease

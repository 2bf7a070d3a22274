"""The runner's inbox: every reply is recorded, kept, given on to the runner that holds its packet, or buried.

A reply is acknowledged only once it is recorded, or can never be: a process that dies loses none that counts. What is
no honest reply becomes a dead letter, where people can look at it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping

from squads.contracts.errors import LeaseLost, SquadsError
from squads.contracts.messages import Envelope, Failed, Signed
from squads.holding import Holding
from squads.intake import Intake, Unreadable
from squads.kernel.bus_ports import Delivery
from squads.kernel.effects import Ignore
from squads.kernel.receipts import receipt_of
from squads.lane import Incoming, Lane
from squads.workspace import Workspace

log = logging.getLogger("squads.runner")
IN_HAND_MAX = 500
"""How many replies are kept for packets that nobody holds; more are given back to the bus. Half of the runner's slots:
what nobody waits for must not keep out what somebody does."""
PARKED_MAX = 1_000
"""How many replies of one role are kept for a packet that is stopped; more are dead letters."""


class Replies:
    """What comes in for the packets of one runner.

    Args:
        lanes: The packets that the runner holds or follows.
        ignored: Counts what was not acted on, by reason.
        turn: Steps an event of a packet; raises `LeaseLost` where the packet is held by another runner.
        fault: Records that a role gave no usable answer.
        fail: Lets whoever waits for the packet hear of an error.
        wake: Called when there is something to look after.
    """

    def __init__(
        self,
        workspace: Workspace,
        lanes: Mapping[str, Lane],
        holding: Holding,
        intake: Intake,
        ignored: Counter[str],
        *,
        turn: Callable[[Lane, Incoming], Awaitable[Ignore | None]],
        fault: Callable[[Lane, Failed], Awaitable[Ignore | None]],
        fail: Callable[[Lane, Exception], None],
        wake: Callable[[], None],
    ) -> None:
        self._workspace = workspace
        self._lanes = lanes
        self._holding = holding
        self._intake = intake
        self._ignored = ignored
        self._turn = turn
        self._fault = fault
        self._fail = fail
        self._wake = wake
        self._in_hand: dict[str, list[Delivery]] = {}
        self._given_on: set[str] = set()
        """Messages that were given back since the last look: who gets them again at once keeps them until the next."""

    @property
    def waiting(self) -> bool:
        """True while there are replies for packets that this runner does not hold."""
        return bool(self._in_hand)

    async def take(self, delivery: Delivery) -> None:
        """Do with one reply what is to be done with it; never raises what the bus or the ledger comes to."""
        lane = self._lanes.get(delivery.envelope.packet)
        if lane is None or lane.state is None or lane.follows:
            await self._tried(delivery, self._elsewhere(delivery))
        else:
            await self._tried(delivery, self._here(lane, delivery))

    def keep(self, deliveries: Iterable[Delivery]) -> None:
        """Keep replies until somebody holds their packets."""
        for delivery in deliveries:
            self._in_hand.setdefault(delivery.envelope.packet, []).append(delivery)
        if self._in_hand:
            self._wake()

    def hand_over(self, packet: str) -> list[Delivery]:
        """Return what was kept for a packet that is held here now."""
        return self._in_hand.pop(packet, [])

    async def look(self) -> None:
        """Look again who holds the packets of what is in hand, and let go of what is theirs or nobody's any more."""
        self._given_on.clear()
        for packet in list(self._in_hand):
            lane = self._lanes.get(packet)
            if lane is not None and lane.lease is not None:
                for delivery in self.hand_over(packet):
                    await self.take(delivery)
            elif await self._holding.other(packet) is not None:
                for delivery in self.hand_over(packet):
                    await self._tried(delivery, self._give_on(delivery))
            elif why := await self._is_past(packet):
                for delivery in self.hand_over(packet):
                    await self._tried(delivery, self._drop(delivery, why))
        spare = sum(map(len, self._in_hand.values())) - IN_HAND_MAX
        while spare > 0:
            for delivery in self.hand_over(next(iter(self._in_hand))):
                spare -= 1
                await self._tried(delivery, self._give_on(delivery))

    async def _tried(self, delivery: Delivery, doing: Awaitable[None]) -> None:
        """Do something with a reply; where bus or ledger cannot be reached, it stays in hand until the next look."""
        try:
            await doing
        except SquadsError as error:
            log.info("a reply for packet %s waits: %s: %s", delivery.envelope.packet, type(error).__name__, error)
            self.keep([delivery])

    async def _here(self, lane: Lane, delivery: Delivery) -> None:
        if self._workspace.view.stopped(lane.packet):
            await self._park(lane, delivery)
            return
        try:
            ignored = await self._hand_in(lane, delivery.envelope)
        except LeaseLost:
            await self._elsewhere(delivery)
            return
        except Exception as error:  # whoever waits for the packet must hear of it; the loop goes on for the others
            # Nothing may have been recorded of it: `resume` hands it in again, and the role is not asked twice.
            lane.parked.append(delivery)
            self._fail(lane, error)
            return
        if isinstance(ignored, str):
            self._ignored[ignored] += 1
            await delivery.bury(ignored)
        elif ignored and ignored.reason == "stopped":  # by another process, noticed only now
            await self._park(lane, delivery)
        else:
            await delivery.ack()

    async def _park(self, lane: Lane, delivery: Delivery) -> None:
        """Keep a reply until the stop is lifted; whoever sends more than anybody is asked for fills no memory."""
        sender = delivery.envelope.sender
        if sum(parked.envelope.sender == sender for parked in lane.parked) < PARKED_MAX:
            lane.parked.append(delivery)
            lane.tell()  # whoever waits for the packet may not have heard of a stop by another process
            return
        self._ignored["too many"] += 1
        await delivery.bury("too many")

    async def _hand_in(self, lane: Lane, envelope: Envelope) -> Ignore | str | None:
        """Record a reply; return why it was ignored, as a plain word where it is no honest reply at all."""
        match envelope.body:
            case Signed():
                taken = await self._intake.read(lane, envelope.body)
                if taken == "unknown key":  # enrolled by another process a moment ago, perhaps
                    await self._workspace.refresh()
                    taken = await self._intake.read(lane, envelope.body)
                match taken:
                    case Incoming() if lane.asked_twice and lane.was_answered(taken.record):
                        # A role was asked again, and its first answer stands: nobody contradicts himself.
                        self._ignored["too late"] += 1
                        return None
                    case Incoming():
                        ignored = await self._turn(lane, taken)
                        if ignored and (about := self._rotated_away(lane, taken)):
                            # Signed a moment too late. As good as no answer: the role is asked again.
                            return await self._fault(lane, Failed(about=about, reason="unreadable"))
                        return ignored
                    case Unreadable():
                        return await self._fault(lane, Failed(about=taken.about, reason="unreadable"))
                return taken
            case Failed() if envelope.sender != lane.asked_of(envelope.body.about):
                return "not asked"
            case Failed():
                lane.details[envelope.body.about] = envelope.body.detail
                return await self._fault(lane, envelope.body)
        return "not a reply"

    def _rotated_away(self, lane: Lane, taken: Incoming) -> str:
        """Return what was answered by the role that was asked, with the key it had before; else nothing.

        A key that was revoked is not listened to at all: its thief could have written this.
        """
        about = getattr(taken.record, "ticket", None) or getattr(taken.record, "request", None) or ""
        key = self._workspace.view.registry.keys.get(taken.entry.signatures[0][0])
        ended = key is not None and key.successor is not None and not key.revoked
        asked = lane.asked_of(about)
        if not (ended and key and asked) or self._workspace.view.roles_of(taken.entry.signatures[0][0].hex()):
            return ""
        return about if any(role.partition(":")[2] == asked for role in key.roles) else ""

    async def _elsewhere(self, delivery: Delivery) -> None:
        """Give on a reply for a packet that another runner holds; keep it where nobody does."""
        envelope = delivery.envelope
        if await self._holding.other(envelope.packet) is not None and envelope.id not in self._given_on:
            await self._give_on(delivery)
            return
        why = await self._is_past(envelope.packet)
        lane = self._lanes.get(envelope.packet)
        if why:
            await self._drop(delivery, why)
        elif lane is not None and lane.lease is not None:  # taken up while it was being asked
            await self._here(lane, delivery)
        else:
            self.keep([delivery])

    async def _is_past(self, packet: str) -> str:
        """Return why no reply is wanted for a packet: there is none, or it has ended. Empty while it is open."""
        lane = self._lanes.get(packet)
        if lane is not None and lane.state is not None:
            return "ended" if lane.state.ended else ""
        stored = await self._workspace.ledger.read(packet)
        if not stored:
            return "unknown packet"
        last = stored[-1]
        kind = receipt_of(last.seq, last.payload_type, last.payload, (), last.time_ms).kind
        return "ended" if kind == "finish" else ""

    async def _drop(self, delivery: Delivery, why: str) -> None:
        self._ignored[why] += 1
        if why == "ended":
            await delivery.ack()
        else:
            await delivery.bury(why)

    async def _give_on(self, delivery: Delivery) -> None:
        if len(self._given_on) >= IN_HAND_MAX:
            self._given_on.clear()  # nobody looks while nothing waits here; one more turn is all that it costs
        self._given_on.add(delivery.envelope.id)
        await delivery.defer()

"""One message in the hands of one consumer of the Redis bus.

Everything that ends a delivery is one script, fenced by who holds it and how often it had been delivered, and asked
again until the server answers: what was worked out is not thrown away because a server restarts.
"""

from __future__ import annotations

from secrets import token_bytes
from typing import TYPE_CHECKING, Any, NamedTuple

from squads.adapters.redis_bus.patience import for_room

if TYPE_CHECKING:
    from squads.adapters.redis_bus.consumer import RedisConsumer
    from squads.adapters.redis_bus.lines import Argument
    from squads.adapters.redis_bus.names import Edge
    from squads.contracts.messages import Envelope

REASON_CHARS_MAX = 2_000
ON_EDGE, ON_LANE = 1, 2
_NOT_OURS = (b"gone", 0)
"""What the scripts say when nothing of a message was in the caller's hands."""


class Entry(NamedTuple):
    """Where a message stands: 1 on the edge, 2 on its lane; its id there; and how often that was delivered."""

    place: int
    id: str
    deliveries: int


class RedisDelivery:
    """A message, until it is acknowledged or given back."""

    __slots__ = ("_consumer", "attempt", "edge", "entries", "envelope", "leaving", "origin")

    def __init__(
        self, consumer: RedisConsumer, envelope: Envelope, edge: Edge, entry: Entry, *, attempt: int, origin: bytes
    ) -> None:
        self.envelope = envelope
        self.attempt = attempt
        self.edge = edge
        self.entries = [entry]
        """More than one where the same message stood on the edge twice: they are done with together."""
        self.leaving = False
        """True once it is being given back: what comes under its id from then on is the message given back."""
        self.origin = origin
        self._consumer = consumer

    @property
    def alone(self) -> bool:
        """Whether it came from the lane, and nothing else may be worked on beside it."""
        return self.entries[0].place == ON_LANE

    async def ack(self) -> None:
        """The message is done with."""
        await self._end("acknowledge", (self.edge.key, self.edge.lane))

    async def reply(self, answer: Envelope) -> bool:
        """Send the answer and acknowledge the message, in one script; False when somebody else has it by now."""
        consumer, bus = self._consumer, self._consumer.bus
        if not consumer.holds(self):
            return False
        out, fields = await bus.prepared(answer, answering=True)
        keys = (*self.edge.keys, *out.keys, bus.names.seen(out, answer.id))
        args = (self.origin, token_bytes(16), bus.seen_ms, bus.backlog_max, fields[b"b"], fields[b"s"], fields[b"k"])
        said = await self._end("commit", keys, *args)
        if said == b"lost":
            consumer.remember(self.envelope.id, answer)
        return said is not None and said != b"gone"

    async def release(self, reason: str) -> None:
        """Give the message back; the last allowed delivery makes it a dead letter."""
        await self._give_back("release", reason)

    async def defer(self) -> None:
        """Give the message back without counting this delivery."""
        await self._give_back("defer", "")

    async def bury(self, reason: str) -> None:
        """Make the message a dead letter."""
        keys = (self.edge.key, self.edge.lane)
        await self._end("bury", keys, self._consumer.bus.names.dead, reason_bytes(reason))

    async def _give_back(self, how: str, reason: str) -> None:
        bus = self._consumer.bus
        keys = (self.edge.key, self.edge.lane)
        await self._end("give_back", keys, bus.names.dead, how, reason_bytes(reason), bus.deliveries_max)

    async def _end(self, script: str, keys: tuple[str, ...], *args: Argument) -> Any:
        """Run a script that ends this delivery, wait while it says that there is no room, and let go of the message.

        None where it was not in this consumer's hands any more.
        """
        consumer = self._consumer
        self.leaving = script == "give_back"
        room = None
        while consumer.holds(self):
            known = len(self.entries)
            marks = [part for entry in self.entries for part in entry]
            said = await consumer.bus.lasting(script, keys, (consumer.group, consumer.name, *args, *marks))
            late = [part for entry in self.entries[known:] for part in entry]
            if said == b"full":
                room = room or for_room()
                await consumer.bus.pause(room.next())
            elif late and said in _NOT_OURS:
                continue  # it was taken away from us, and has come to us again
            else:
                consumer.let_go(self)
                consumer.bus.health.buried += said == b"dead"
                if late:  # it came once more while the server was asked
                    await consumer.bus.lasting("acknowledge", keys[:2], (consumer.group, consumer.name, *late))
                return said
        return None


def reason_bytes(reason: str) -> bytes:
    """Return a reason as it stands in a dead letter: bounded, and UTF-8 whatever it quotes."""
    return reason[:REASON_CHARS_MAX].encode(errors="replace")


def reread(count: bytes | None) -> int:
    """Return a count from a field that anybody with access to the stream could have written; 0 for nonsense."""
    return int(count) if count is not None and count.isdigit() and len(count) <= 7 else 0

"""What a bus must promise: envelopes carried at least once, bounded, in nobody's order.

The other ports stand in `ports`. An adapter may promise more, never less; one conformance suite holds every bus to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from squads.contracts.messages import Envelope


class Delivery(Protocol):
    """One message in the hands of one consumer, until it is acknowledged or given back."""

    @property
    def envelope(self) -> Envelope:
        """The message."""
        ...

    @property
    def attempt(self) -> int:
        """1 for the first delivery of this message, one more for each further one."""
        ...

    async def ack(self) -> None:
        """The message is done with and will not be delivered again. Acknowledging twice is no error."""
        ...

    async def reply(self, answer: Envelope) -> bool:
        """Send the answer and acknowledge the message: both, or neither.

        False when the message is not in this consumer's hands any more: then nothing happened, and whoever has it now
        answers. An answer that was accepted before is not sent again. Raises what `Bus.send` raises.
        """
        ...

    async def release(self, reason: str) -> None:
        """Give the message back: it is delivered again, or becomes a dead letter after the last allowed delivery."""
        ...

    async def defer(self) -> None:
        """Give the message back as if it had not been delivered: nothing went wrong with it, somebody else has it."""
        ...

    async def bury(self, reason: str) -> None:
        """Make the message a dead letter now: no further delivery would make it any better."""
        ...


class Consumer(Protocol):
    """Reads one recipient's messages. Closing it (or dying) gives back everything it has not acknowledged."""

    async def receive(self) -> Delivery:
        """Wait for the next message. Raises `BusClosed`; safe to cancel, a cancelled wait takes no message with it."""
        ...

    async def close(self) -> None:
        """Stop reading and give back what was not acknowledged, as `defer` does. Closing twice is no error."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message nobody could handle, with the reason of its last delivery."""

    envelope: Envelope
    reason: str
    deliveries: int


class Bus(Protocol):
    """Carries envelopes: at least once, deduplicated by id, bounded. It promises no order.

    Messages wait under `Envelope.address`. A message goes to one consumer of its address. When that consumer gives it
    back, closes or dies, another gets it; after `deliveries_max` deliveries it becomes a dead letter with a reason.
    """

    @property
    def can_lose(self) -> bool:
        """True where accepted messages may vanish with somebody else's machine: then they are sent again at times."""
        ...

    def declare(self, address: str) -> None:
        """Make an address known, so that messages can wait there. Declaring twice is no error."""
        ...

    async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
        """Hand a message over; False when a message with this id was already accepted, which is then all that happens.

        Waits while the recipient's backlog is full. Raises `UnknownRecipient`, `MessageTooLarge`, `BusFull` (still
        full after `timeout` seconds; None waits without end) or `BusClosed`.
        """
        ...

    def consumer(self, address: str, *, slots: int = 1) -> Consumer:
        """Return a new consumer of a declared address. Raises `UnknownRecipient`.

        `slots` is how many messages its owner works on at once: a bus may fetch so many in one go, never more.
        """
        ...

    async def dead(self) -> list[DeadLetter]:
        """Return the dead letters, oldest first."""
        ...

    async def drain(self) -> None:
        """Refuse new messages, and return when every accepted one is acknowledged or dead."""
        ...

    async def close(self) -> None:
        """Let go of everything; waiting consumers get `BusClosed`. Closing twice is no error."""
        ...

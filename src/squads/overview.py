"""What a look at a workspace shows: five questions, and everything that answers them as plain values.

What is known, what is in motion, what needs approval, what changed, and what happens next. Nothing here reads or
writes; `squads.desk` fills it in. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from typing import Literal

from squads.contracts.base import Contract, Digest, Id
from squads.contracts.outcome import RoleSpend
from squads.contracts.reasons import Reason

Move = Literal["person", "role", "runner"]
"""Whose move it is: somebody must answer or lift a stop; a role works; whoever resumes the packet goes on."""


class Person(Contract):
    """Somebody whose key may answer."""

    id: str
    """How receipts call them."""
    name: str | None
    """None where the name is not known on this machine."""
    here: bool
    """True where the key is at hand, so that it can be signed with from here."""

    @property
    def shown(self) -> str:
        """The name, or the id of a person whose name is not known."""
        return self.name or self.id


class StopInForce(Contract):
    """A stop that nobody has lifted."""

    packet: Id | None
    """None stops the whole workspace."""
    by: str
    reason: str | None
    """None where the words were erased."""
    since_ms: int


class Wait(Contract):
    """One answer that a packet waits for."""

    who: str
    """A role or person by name."""
    what: Literal["plan", "build", "accept", "review", "answer"]
    task: str | None = None
    attempt: int | None = None
    since_ms: int
    due_ms: int


class TaskStanding(Contract):
    """How one task of the plan in force stands."""

    task: str
    builder: str
    stage: str
    """A stage of the attempt's lifecycle, or `not begun`."""
    tries: int
    tries_max: int


class GateSaid(Contract):
    """A verdict that let through what would compose."""

    gate: str
    task: str | None
    """None for the composition itself."""
    decision: str
    looked: int
    """Files it read."""
    notes: int | None
    """Findings that ride along with the approval; None where its words were erased."""


class OpenQuestion(Contract):
    """A question that people are asked about exactly one composition."""

    packet: Id
    title: str
    question: Digest
    composition: Digest
    """What is approved: the digest of exactly these paths and bytes."""
    paths: tuple[str, ...]
    removals: tuple[str, ...]
    size_bytes: int
    verdicts: tuple[GateSaid, ...]
    asked: tuple[str, ...]
    quorum: int
    approved: tuple[str, ...]
    """Who said yes."""
    person_required: bool
    """True where an answer by a flag or a program does not count."""
    since_ms: int
    expires_ms: int
    """From here on the answer is no: the question's own end, or the packet's where that comes first."""

    @property
    def open_to(self) -> tuple[str, ...]:
        """Who was asked and has not said yes."""
        return tuple(name for name in self.asked if name not in self.approved)


class Next(Contract):
    """What happens next to a packet."""

    whose: Move
    sentence: str


class OpenPacket(Contract):
    """A packet in motion."""

    packet: Id
    title: str
    """The first line of its brief."""
    phase: str
    opened_ms: int
    moved_ms: int
    """When something last came in for it."""
    due_ms: int
    """When it ends unless it has ended before."""
    tasks: tuple[TaskStanding, ...] = ()
    waits: tuple[Wait, ...] = ()
    question: OpenQuestion | None = None
    stop: StopInForce | None = None
    next: Next
    spent: tuple[RoleSpend, ...] = ()
    """What each role has spent; who spent nothing is not named."""


class EndedPacket(Contract):
    """A packet that ended, and why."""

    packet: Id
    title: str
    opened_ms: int
    ended_ms: int
    outcome: Literal["composed", "not-composed"]
    reason: Reason
    explained: str
    task: str | None
    """The task at which it ended, where there is one."""
    composition: Digest | None
    exit_code: Literal[0, 1, 2]
    spent: tuple[RoleSpend, ...] = ()
    """What each role has spent; who spent nothing is not named."""


class Unreadable(Contract):
    """A packet whose receipts or content cannot be read: how it stands could not be found out."""

    packet: str
    why: str


class ErasedPacket(Contract):
    """A packet that ended, and whose content was erased since."""

    packet: Id
    receipt: int
    """The index of the receipt that says so."""


class Overview(Contract):
    """How a workspace stands at one moment. Lists are bounded; the totals beside them are not."""

    workspace: Id
    origin: str
    now_ms: int
    receipts: int
    people: tuple[Person, ...]
    roles: tuple[str, ...]
    """Every other role that a key holds."""
    stops: tuple[StopInForce, ...]
    open: tuple[OpenPacket, ...]
    """Those with a question that can be answered first, then the newest first."""
    open_total: int
    ended: tuple[EndedPacket, ...]
    """The newest end first."""
    ended_total: int
    erased: tuple[ErasedPacket, ...] = ()
    """Those of the newest ends whose content was erased."""
    unreadable: tuple[Unreadable, ...]

    @property
    def questions(self) -> tuple[OpenQuestion, ...]:
        """What people are asked and could answer now."""
        return tuple(
            p.question for p in self.open if p.question and p.stop is None and self.now_ms < p.question.expires_ms
        )

    @property
    def exit_code(self) -> Literal[0, 2, 3]:
        """2 where something could not be read, 3 where a question or a stop waits for a person, else 0."""
        if self.unreadable:
            return 2
        return 3 if self.questions or self.stops else 0

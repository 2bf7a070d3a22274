"""The state of one packet: the fold of its stream of receipts, and nothing besides.

`PacketState` is copied shallowly at the start of each step and is never changed afterwards by anyone; everything it
holds is immutable. What must be sent, asked and armed can be read off it at any time (`pending.py`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from squads.contracts.artifact import Manifest
from squads.contracts.messages import AcceptRequest, BuildRequest, Grievance, PlanRequest, ReviewRequest
from squads.contracts.packet import AttemptKind
from squads.contracts.records import (
    AssignmentRecord,
    FinishRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    QuestionRecord,
    RoleRecord,
    TaskRecord,
    TicketRecord,
    WaiverRecord,
)
from squads.kernel.budget import NOTHING_SPENT, PACKET, Account, Spend
from squads.kernel.lifecycle import ENDED, Phase, Stage


class Attested(NamedTuple):
    """A receipt whose signature was verified: who signed, and which roles that key held at this point of the ledger."""

    record: PacketRecord
    key: str
    """Hex key id of the signer."""
    roles: frozenset[str]
    receipt: str
    """The digest of the signed payload."""
    time_ms: int
    """The leaf's time, chosen before the step."""
    manifest: Manifest | None = None
    """What an artifact's digest names; it comes from the blob of that very digest."""


AttemptKey = tuple[AttemptKind, int, int]
"""(what it is, task number or 0, attempt number)."""


class Attempt(NamedTuple):
    """One try at a plan, a task's artifact or a composition."""

    key: AttemptKey
    stage: Stage
    author: str
    """The role's name; `runner` for a composition, which the kernel makes."""
    author_key: str = ""
    request: str = ""
    """The assignment it answers; empty for a composition."""
    subject: str = ""
    tickets: tuple[str, ...] = ()
    """The ticket that counts for each gate; one that is asked once more moves to the end."""


class Ticket(NamedTuple):
    """One question to one gate, and its answer once there is one."""

    record: TicketRecord
    attempt: AttemptKey
    request: ReviewRequest
    decision: str = ""
    """`approved`, `refused`, `abstained`, or empty while it is open."""
    receipt: str = ""
    """The payload digest of the answer; empty when the runner closed it for silence."""
    verdict: str = ""
    """The sealed verdict."""
    looked: int = 0


class Job(NamedTuple):
    """One piece of work handed to a coordinator or builder."""

    record: AssignmentRecord
    request: PlanRequest | BuildRequest | AcceptRequest
    receipt: str = ""
    """The payload digest of the answer, or `-` when it was closed without one; empty while it is open."""


class TaskState(NamedTuple):
    """One task of the plan in force."""

    record: TaskRecord
    attempt: int = 0
    """Number of the newest attempt; numbers are never reused, also not after an amendment."""
    tries: int = 0
    """Attempts under the plan in force; at most `Limits.attempts_max`."""
    stage: Stage | None = None
    """The newest attempt's stage; None before the first."""
    artifact: str = ""
    """The newest artifact that was handed in."""
    verdicts: tuple[str, ...] = ()
    """Sealed verdicts on it."""
    reasons: tuple[str, ...] = ()
    """Sealed words of the coordinator that re-opened it."""


@dataclass
class PacketState:
    """Everything the kernel knows of one packet."""

    opened: Opened
    opening: str
    """The payload digest of the opening receipt."""
    phase: Phase = Phase.NEW
    time_ms: int = 0
    due_ms: int = 0
    roles: dict[str, RoleRecord] = field(default_factory=dict)
    plan: PlanRecord | None = None
    """The plan in force."""
    proposal: PlanRecord | None = None
    """The plan that gates are reading."""
    plan_attempt: int = 0
    plan_tries: int = 0
    next_task: int = 1
    tasks: dict[int, TaskState] = field(default_factory=dict)
    attempts: dict[AttemptKey, Attempt] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    """Of artifacts that may still compose."""
    authors: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Artifact to (author's name, author's key), for lineage."""
    grievances: tuple[Grievance, ...] = ()
    """Waiting for the next amendment."""
    composition: str = ""
    composition_attempt: int = 0
    accept_attempt: int = 0
    accept_tries: int = 0
    objections: int = 0
    amendments: int = 0
    messages: int = 0
    question: QuestionRecord | None = None
    approvals: dict[str, str] = field(default_factory=dict)
    """Approver to the key that approved."""
    waivers: dict[str, WaiverRecord] = field(default_factory=dict)
    """Payload digest to waiver."""
    waivers_used: frozenset[str] = frozenset()
    """Waivers that an approval has cited: each counts once."""
    equivocations: frozenset[str] = frozenset()
    """Tickets and requests with a recorded second answer: one is enough, a flood of them is not kept."""
    accounts: dict[Account, Spend] = field(default_factory=dict)
    """What was spent and is reserved: by the packet, by each task, by each role."""
    finish: FinishRecord | None = None

    def fork(self) -> PacketState:
        """Return a copy that a step may change."""
        # Not `dataclasses.replace`: it would cost more than most steps do.
        copy = object.__new__(PacketState)
        own = copy.__dict__
        own.update(self.__dict__)
        for name in _TABLES:
            own[name] = own[name].copy()
        return copy

    @property
    def spend(self) -> Spend:
        """What the whole packet has spent and reserved."""
        return self.accounts.get(PACKET, NOTHING_SPENT)

    @property
    def opened_ms(self) -> int:
        """When the packet was opened, by the leaf's time."""
        return self.due_ms - self.opened.limits.packet_ms_max

    @property
    def ended(self) -> bool:
        """True once nothing more can happen."""
        return self.phase in ENDED


_TABLES = ("tasks", "attempts", "tickets", "jobs", "manifests", "authors", "approvals", "waivers", "accounts")
"""What a step changes in place, in its own copy."""

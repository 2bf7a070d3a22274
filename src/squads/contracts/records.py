"""Records: what receipts say. Digests, opaque ids, configured names, enums and integers; never prose.

Every class is one kind of receipt; `squads.ledger.types` says who may sign it and in which stream it stands. Inputs
are signed by their author, outputs by the runner. A record is part of a signed format: fields are added under a new
version of the kind, never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from squads.contracts.base import Contract, Digest, Id, Name
from squads.contracts.finding import NO_USAGE, FindingCounts, Usage
from squads.contracts.packet import AccountKind, ApprovalRule, AttemptKind, Budget, Limits, WorkspaceBudget
from squads.contracts.reasons import Reason
from squads.contracts.resolved import Count as Count
from squads.contracts.resolved import MemberRecord as MemberRecord
from squads.contracts.resolved import ModelName as ModelName
from squads.contracts.resolved import ModelRecord as ModelRecord
from squads.contracts.resolved import RoleKind as RoleKind
from squads.contracts.resolved import RoleRecord as RoleRecord
from squads.contracts.workspace_records import CalibrationRate as CalibrationRate
from squads.contracts.workspace_records import CalibrationRecord as CalibrationRecord
from squads.contracts.workspace_records import ErasureRecord as ErasureRecord
from squads.contracts.workspace_records import GrantRecord as GrantRecord
from squads.contracts.workspace_records import LiftRecord as LiftRecord
from squads.contracts.workspace_records import PolicyRecord as PolicyRecord
from squads.contracts.workspace_records import Record as Record
from squads.contracts.workspace_records import StopRecord as StopRecord
from squads.contracts.workspace_records import Subject as Subject

RULES_VERSION = 1
"""The version of the kernel's tables that a packet is opened under; old tables stay in the code."""

Work = Literal["plan", "build", "accept"]
Independence = Literal["identity", "prior", "model", "family"]
FaultReason = Literal[
    "crashed", "unreadable", "missing", "cancelled", "undeliverable", "unreachable", "spent", "unsigned"
]
"""`unreachable` is a model that gave no answer, `spent` an answer that could have cost more than was reserved, and
`unsigned` an answer that its key's custody did not sign."""
Channel = Literal["terminal", "page", "chat", "program", "flag"]
TaskNumber = Annotated[int, Field(ge=1)]


class PacketRecord(Record):
    """A receipt of a packet's stream."""

    packet: Id


class RecalledRecord(Contract):
    """What one role is told besides its work: the charter and the facts in its scope, sealed."""

    role: Name
    content: Digest


class Opened(PacketRecord):
    """A packet begins: the squad, the bounds and the rules are frozen here."""

    kind: ClassVar[str] = "opened"
    nonce: Digest
    """32 random bytes; every ticket and request of the packet is derived from it."""
    rules: Annotated[int, Field(ge=1)]
    content: Digest
    """The sealed `Packet`."""
    gates: tuple[Name, ...]
    roles: tuple[RoleRecord, ...]
    limits: Limits
    budget: Budget
    approval: ApprovalRule | None
    independence: Independence
    policy: Digest
    """64 zeros: what the workspace demands stands in its own `policy` receipts."""
    predicates: tuple[Name, ...] = ()
    memory: tuple[RecalledRecord, ...] = ()
    """What was recalled for the roles of this packet; a role that is not named here is told nothing."""
    follows: Id | None = None
    workspace_budget: WorkspaceBudget | None = None
    """What all packets of the workspace may spend together; None where that has no limit."""
    funded: bool = True
    """False where the workspace's budget had no room for this packet's: it ends before anything that costs."""


class TaskRecord(Contract):
    """One task of a plan, by number."""

    task: TaskNumber
    builder: Name
    after: tuple[TaskNumber, ...] = ()
    gates: tuple[Name, ...] = ()
    brief: Digest
    """SHA-256 over the packet's salt and the brief: an unchanged brief is recognised, nothing can be guessed."""
    brief_chars: Count


class PlanRecord(PacketRecord):
    """The coordinator's cut, or its amended cut."""

    kind: ClassVar[str] = "plan"
    request: Digest
    author: Name
    content: Digest
    tasks: tuple[TaskRecord, ...]
    usage: Usage = NO_USAGE
    model: ModelName | None = None
    """Which of its role's models answered; None where none was asked."""


class ObjectionRecord(PacketRecord):
    """A builder refuses a brief, or the coordinator the packet."""

    kind: ClassVar[str] = "objection"
    request: Digest
    author: Name
    content: Digest
    usage: Usage = NO_USAGE
    model: ModelName | None = None
    """Which of its role's models answered; None where none was asked."""


class ArtifactRecord(PacketRecord):
    """A builder hands in an artifact."""

    kind: ClassVar[str] = "artifact"
    request: Digest
    author: Name
    artifact: Digest
    usage: Usage = NO_USAGE
    model: ModelName | None = None
    """Which of its role's models answered; None where none was asked."""


class TreeHead(Contract):
    """A log head that the signer had seen: a lower bound for when it signed."""

    size: Count
    root: Digest


class VerdictRecord(PacketRecord):
    """A gate's one answer to one ticket."""

    kind: ClassVar[str] = "verdict"
    ticket: Digest
    author: Name
    decision: Literal["approved", "refused", "abstained"]
    subject: Digest
    """What it judged: an artifact's or a plan's digest."""
    attempt: Annotated[int, Field(ge=1)]
    saw: Digest
    """The digest of the request it answered, which lists everything it was shown."""
    independence: Independence
    content: Digest
    """The sealed `Approved`, `Refused` or `Abstained`."""
    findings: FindingCounts
    looked: Count
    waivers: tuple[Digest, ...] = ()
    usage: Usage = NO_USAGE
    model: ModelName | None = None
    """Which of the gate's models answered; None where none was asked. An approval by a gate that has models rests on
    one of them, or it counts as an abstention. None for a panel whose members asked several."""
    actor_seq: Count | None = None
    """The gate's own counter, kept where the ledger's writer cannot reach it; None where the custody keeps none."""
    prev_by_actor: Digest | None = None
    """The payload digest of this gate's previous verdict, beside `actor_seq`."""
    tree_head: TreeHead | None = None


class HeldRecord(Contract):
    """Whether one predicate of `done_when` holds."""

    predicate: Name
    holds: bool
    evidence: Digest


class AcceptanceRecord(PacketRecord):
    """The coordinator's end-to-end check of one composition."""

    kind: ClassVar[str] = "acceptance"
    request: Digest
    author: Name
    subject: Digest
    held: tuple[HeldRecord, ...] = ()
    reopen: tuple[TaskNumber, ...] = ()
    content: Digest
    usage: Usage = NO_USAGE
    model: ModelName | None = None
    """Which of its role's models answered; None where none was asked."""


class AnswerRecord(PacketRecord):
    """A person's answer to one question, bound to one digest."""

    kind: ClassVar[str] = "answer"
    question: Digest
    subject: Digest
    author: Name
    decision: Literal["approved", "denied"]
    channel: Channel
    """How the answer came in; `flag` and `program` are not a person."""
    content: Digest | None = None


class WaiverRecord(PacketRecord):
    """A person's statement that a gate may cite for exactly these bytes, once."""

    kind: ClassVar[str] = "waiver"
    subject: Digest
    author: Name
    gate: Name
    expires_ms: Count
    """A point in time, milliseconds since the epoch."""
    content: Digest


class FaultRecord(PacketRecord):
    """A request or ticket got no usable reply: what the runner saw instead."""

    kind: ClassVar[str] = "fault"
    about: Digest
    reason: FaultReason
    usage: Usage | None = None
    """What the failed answer cost; None where nobody knows, which counts as all that was reserved for it."""


class DeadlineRecord(PacketRecord):
    """A deadline was reached: of a request, a ticket, a question, or the packet itself."""

    kind: ClassVar[str] = "deadline"
    about: Digest


class AssignmentRecord(PacketRecord):
    """Work handed to a coordinator or builder; spends may begin only after this."""

    kind: ClassVar[str] = "assignment"
    request: Digest
    work: Work
    role: Name
    task: TaskNumber | None = None
    attempt: Annotated[int, Field(ge=1)]
    subject: Digest
    """The packet's content, the task's brief, or the composition."""
    due_ms: Count
    tokens_reserved: Count = 0
    microusd_reserved: Count = 0
    wait_ms_reserved: Count = 0


class TicketRecord(PacketRecord):
    """The logged question that one verdict answers."""

    kind: ClassVar[str] = "ticket"
    ticket: Digest
    gate: Name
    reads: AttemptKind
    task: TaskNumber | None = None
    attempt: Annotated[int, Field(ge=1)]
    ask: Annotated[int, Field(ge=1)] = 1
    """2 when an abstention is asked once more."""
    subject: Digest
    independence: Independence
    """The weakest independence between the gate and anyone in the subject's lineage."""
    due_ms: Count
    tokens_reserved: Count = 0
    microusd_reserved: Count = 0
    wait_ms_reserved: Count = 0


class QuestionRecord(PacketRecord):
    """A durable question to named people."""

    kind: ClassVar[str] = "question"
    question: Digest
    subject: Digest
    approvers: tuple[Name, ...]
    quorum: Annotated[int, Field(ge=1)]
    expires_ms: Count


class Part(Contract):
    """One approved artifact inside a composition."""

    task: TaskNumber
    artifact: Digest


class CompositionRecord(PacketRecord):
    """The artifact made of approved artifacts."""

    kind: ClassVar[str] = "composition"
    artifact: Digest
    attempt: Annotated[int, Field(ge=1)]
    parts: tuple[Part, ...]


class EquivocationRecord(PacketRecord):
    """Two different signed answers to one ticket, request or question."""

    kind: ClassVar[str] = "equivocation"
    about: Digest
    author: Name
    first: Digest
    """The payload digest of the answer that came first."""
    second: Digest


class FinishRecord(PacketRecord):
    """A packet ends."""

    kind: ClassVar[str] = "finish"
    outcome: Literal["composed", "not-composed"]
    reason: Reason
    artifact: Digest | None = None
    """The composition; None unless composed."""
    task: TaskNumber | None = None
    """The task at which it ended, where there is one."""
    budget: AccountKind | None = None
    """Whose budget was spent, where that is the reason."""
    role: Name | None = None
    """The role whose next answer did not fit, or whose last one cost too much, where a budget was spent."""


PACKET_RECORDS: Mapping[str, type[PacketRecord]] = {
    cls.kind: cls
    for cls in (
        Opened,
        PlanRecord,
        ObjectionRecord,
        ArtifactRecord,
        VerdictRecord,
        AcceptanceRecord,
        AnswerRecord,
        WaiverRecord,
        FaultRecord,
        DeadlineRecord,
        AssignmentRecord,
        TicketRecord,
        QuestionRecord,
        CompositionRecord,
        EquivocationRecord,
        FinishRecord,
    )
}
"""Every kind of receipt in a packet's stream."""

WORKSPACE_RECORDS: Mapping[str, type[Record]] = {
    cls.kind: cls for cls in (StopRecord, LiftRecord, GrantRecord, PolicyRecord, CalibrationRecord, ErasureRecord)
}
"""The workspace's own kinds that the view folds; keys are folded by `squads.ledger.keys.Registry`."""

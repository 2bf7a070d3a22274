"""What goes over the bus: requests to roles, replies from them, and the envelope around both.

A request holds digests, never content: what a role sees is exactly what the request lists, and the digest of the
request is in its verdict. Content travels as blobs; a role's host fetches them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from squads.contracts.base import Contract, Digest, Id, digest_of
from squads.contracts.finding import Usage
from squads.contracts.packet import AttemptKind
from squads.contracts.records import FaultReason, Independence, Part, TreeHead

MESSAGE_BYTES_MAX = 64 * 1024
STORED_MAX = 256
"""How many blobs one message names. Whoever left more in the store names a list of them."""


class Request(Contract):
    """The base of everything a role is asked."""

    packet: Id
    workspace: Id
    content: Digest
    """The sealed packet."""
    memory: Digest | None = None
    """What was recalled for this role, sealed; None where nothing was."""
    due_ms: int


class Grievance(Contract):
    """Why a plan must be amended: one task, or the whole cut, and the sealed words that say it."""

    task: int | None
    cause: Literal["objection", "refused", "failed", "plan-invalid", "plan-refused", "paths-meet"]
    documents: tuple[Digest, ...] = ()
    """Objections and verdicts."""
    detail: str = ""
    """A kernel rule that was broken, in its own words."""


class PlanRequest(Request):
    """Cut the packet into tasks, or amend the cut."""

    kind: Literal["plan"] = "plan"
    request: Digest
    attempt: int
    builders: tuple[str, ...]
    gates: tuple[str, ...]
    """Gates that read artifacts."""
    previous: Digest | None = None
    """The plan to amend, sealed."""
    numbers: tuple[int, ...] = ()
    """The numbers of the previous plan's tasks, in its order: a task that keeps its name keeps its number."""
    next_task: int = 1
    """The number that the first new task gets."""
    grievances: tuple[Grievance, ...] = ()


class BuildRequest(Request):
    """Make one task's artifact."""

    kind: Literal["build"] = "build"
    request: Digest
    task: int
    attempt: int
    plan: Digest
    numbers: tuple[int, ...] = ()
    """The numbers of the plan's tasks, in its order."""
    inputs: tuple[Part, ...] = ()
    """The approved artifacts of the tasks it comes after."""
    previous: Digest | None = None
    """The artifact of the attempt before, where there was one."""
    verdicts: tuple[Digest, ...] = ()
    """The sealed verdicts on the attempt before."""
    reasons: tuple[Digest, ...] = ()
    """Sealed words of the coordinator that re-opened the task."""


class ReviewRequest(Request):
    """Read one attempt and give one verdict: the ticket as the gate receives it."""

    kind: Literal["review"] = "review"
    ticket: Digest
    reads: AttemptKind
    task: int | None
    attempt: int
    subject: Digest
    plan: Digest | None = None
    numbers: tuple[int, ...] = ()
    """The numbers of the plan's tasks, in its order."""
    inputs: tuple[Part, ...] = ()
    """Approved inputs of the task, or the parts of the composition."""
    waivers: tuple[tuple[Digest, Digest], ...] = ()
    """(waiver, sealed words) of every live waiver for exactly these bytes and this gate."""
    independence: Independence
    tree_head: TreeHead | None = None
    """A log head for the verdict to commit to. Set by whoever hands the request over, so not part of `saw`."""

    @cached_property
    def saw(self) -> str:
        """The digest of exactly what the gate is shown; its verdict repeats it.

        SHA-256 over the fields in order, joined by U+001F; the ticket's id already binds nonce, task, attempt, gate,
        subject and ask.
        """
        shown = (
            "squads.saw/v1",
            self.workspace,
            self.packet,
            self.content,
            self.memory or "",
            self.ticket,
            self.subject,
            self.plan or "",
            ",".join(map(str, self.numbers)),
            ",".join(f"{part.task}:{part.artifact}" for part in self.inputs),
            ",".join(f"{waiver}:{words}" for waiver, words in self.waivers),
            self.independence,
        )
        return digest_of("\x1f".join(shown).encode())


class AcceptRequest(Request):
    """Check a composition end to end against `done_when`; the answer can only refuse."""

    kind: Literal["accept"] = "accept"
    request: Digest
    attempt: int
    subject: Digest
    plan: Digest
    numbers: tuple[int, ...] = ()
    """The numbers of the plan's tasks, in its order."""
    parts: tuple[Part, ...]
    verdicts: tuple[tuple[str, Digest], ...] = ()
    """(gate, sealed verdict) of the composition and of its parts."""
    refused: bool = False
    """True when a gate refused the composition: only the tasks to re-open are asked for."""


class Signed(Contract):
    """A role's answer: the exact bytes it signed, and the content they speak of.

    In JSON its bytes are base64: a payload need not be UTF-8, and comes out as it went in.
    """

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    kind: Literal["signed"] = "signed"
    payload: bytes
    key: bytes
    """32-byte key id."""
    signature: bytes
    content: tuple[bytes, ...] = ()
    stored: tuple[Digest, ...] = Field(default=(), max_length=STORED_MAX)
    """Content that waits in the shared store, because it would make the message too large. Until a bus has fetched it,
    it was not brought."""
    listed: Digest | None = None
    """A blob of the shared store that lists more such content, one digest a line."""


class Failed(Contract):
    """A role's host could not get an answer out of the role."""

    kind: Literal["failed"] = "failed"
    about: Digest
    reason: FaultReason
    detail: str = ""
    """For logs and people; it is not receipted."""
    usage: Usage | None = None
    """What it cost all the same; None where nobody knows."""


Body = Annotated[
    PlanRequest | BuildRequest | ReviewRequest | AcceptRequest | Signed | Failed, Field(discriminator="kind")
]
RoleRequest = PlanRequest | BuildRequest | ReviewRequest | AcceptRequest


class Envelope(Contract):
    """One message on the bus. The same `id` is the same message, however often it arrives."""

    id: Digest
    sender: str
    recipient: str
    packet: Id
    cause: Digest
    """The request, ticket or opening that this message follows from."""
    prior: Digest | None = None
    """The frozen role that must answer, `RoleRecord.digest`; None where nobody in particular must."""
    body: Body

    @property
    def address(self) -> str:
        """Where it waits on the bus: a role of this name with another prior never gets to see it."""
        return address_of(self.recipient, self.prior)

    @classmethod
    def to_role(cls, recipient: str, about: str, body: RoleRequest, *, prior: str | None = None) -> Envelope:
        """Return the runner's envelope around a request: its id depends on nothing but the request and recipient."""
        return cls(
            id=digest_of(f"{about}>{recipient}".encode()),
            sender=RUNNER,
            recipient=recipient,
            packet=body.packet,
            cause=about,
            prior=prior,
            body=body,
        )

    def reply(self, body: Signed | Failed) -> Envelope:
        """Return the recipient's answer to this envelope."""
        return Envelope(
            id=digest_of(f"{self.id}<{self.recipient}".encode()),
            sender=self.recipient,
            recipient=self.sender,
            packet=self.packet,
            cause=self.id,
            body=body,
        )


PRIOR_CHARS = 16


def address_of(name: str, prior: str | None = None) -> str:
    """Return a recipient's address on the bus: its name, and the beginning of the frozen role's digest.

    While two versions of a role are served at once, each gets only what was asked of it.
    """
    return name if prior is None else f"{name}@{prior[:PRIOR_CHARS]}"


RUNNER = "runner"
"""The bus address of the runner's inbox; no role may have this name."""

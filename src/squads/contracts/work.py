"""What a role is given to work with, in full: the content behind a request's digests.

A role's host reads the blobs that a request lists and hands over one of these. Nothing else reaches a role: not the
author's conversation, not another gate's findings. Each knows how to make the replies that fit it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from squads.contracts.artifact import Artifact
from squads.contracts.finding import NO_USAGE, Finding, Usage
from squads.contracts.memory import Fact
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.plan import Acceptance, Held, Objection, Plan, Statement, Task
from squads.contracts.records import Channel
from squads.contracts.thinking import Mind
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """Why a plan has to be amended, in words."""

    task: str | None
    """The task it is about; None for the whole plan."""
    cause: str
    objections: tuple[Objection, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    detail: str = ""


class _Given:
    """What all work has in common: it is copied and pickled without its mind, which belongs to one request."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        given: Any = self
        return _again, (type(self), {f.name: getattr(self, f.name) for f in fields(given) if f.name != "mind"})


def _again(kind: type[Any], given: dict[str, Any]) -> Any:
    return kind(**given)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWork(_Given):
    """Cut a packet into tasks, or amend the cut."""

    packet: Packet
    attempt: int
    builders: tuple[str, ...]
    """Who can build, by name."""
    gates: tuple[str, ...]
    """Who reads artifacts, by name; a plan may add these to a task."""
    previous: Plan | None = None
    """The plan to amend. A task that keeps its name is the same task; one that is unchanged keeps its approval."""
    complaints: tuple[Complaint, ...] = ()
    charter: str = ""
    """What binds every role of this workspace."""
    facts: tuple[Fact, ...] = ()
    """What is known, as far as this role may read it, the most useful first."""
    mind: Mind | None = field(default=None, repr=False, compare=False)
    """What it may ask models with; None where the work did not come from a squad."""

    def plan(self, *tasks: Task, usage: Usage = NO_USAGE) -> Plan:
        """Return the plan made of these tasks."""
        return Plan(tasks=tasks, usage=usage)

    def objection(self, *reasons: str, proposal: str, usage: Usage = NO_USAGE) -> Objection:
        """Refuse the packet: why, and what would do instead."""
        return Objection(reasons=reasons, proposal=proposal, usage=usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildWork(_Given):
    """Make one task's artifact."""

    packet: Packet
    task: str
    """The task's name in the plan."""
    brief: str
    attempt: int
    author: str
    salt: str = field(repr=False)
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    """The approved artifacts of the tasks it comes after, by task name, in the order of the plan."""
    previous: Artifact | None = None
    """The artifact that was refused, on a later attempt."""
    verdicts: tuple[Verdict, ...] = ()
    """What the gates said of it."""
    reasons: tuple[str, ...] = ()
    """Why the coordinator re-opened the task."""
    charter: str = ""
    """What binds every role of this workspace."""
    facts: tuple[Fact, ...] = ()
    """What is known, as far as this role may read it, the most useful first."""
    mind: Mind | None = field(default=None, repr=False, compare=False)
    """What it may ask models with; None where the work did not come from a squad."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding on the attempt before; empty on the first."""
        return tuple(f for verdict in self.verdicts for f in verdict.findings)

    def artifact(
        self,
        files: Mapping[str, str | bytes],
        *,
        modes: Mapping[str, str] | None = None,
        removals: Iterable[str] = (),
        base: str | None = None,
    ) -> Artifact:
        """Return this attempt's artifact: path to text or bytes. Raises `InvalidPath` and `EmptyArtifact`.

        `modes` says which paths are `executable` or a `link`; the others are plain files.
        """
        return Artifact.of(
            files,
            modes=modes,
            removals=removals,
            base=base,
            made_from=[a.digest for a in self.inputs.values()],
            author=self.author,
            attempt=self.attempt,
            salt=self.salt,
        )

    def objection(self, *reasons: str, proposal: str, usage: Usage = NO_USAGE) -> Objection:
        """Refuse the brief: why, and what would do instead."""
        return Objection(reasons=reasons, proposal=proposal, usage=usage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A person's signed statement about exactly these bytes, which an approval may cite once."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewWork(_Given):
    """Read one attempt and give one verdict."""

    packet: Packet
    reads: AttemptKind
    attempt: int
    brief: str
    """The task's brief; the packet's for a plan or a composition."""
    artifact: Artifact | None = None
    """What is judged; None when a plan is."""
    plan: Plan | None = None
    """What is judged when it is a plan, else the plan in force."""
    inputs: Mapping[str, Artifact] = field(default_factory=dict)
    """Approved inputs of the task, or the parts of the composition, by task name."""
    waivers: tuple[Waiver, ...] = ()
    charter: str = ""
    """What binds every role of this workspace."""
    facts: tuple[Fact, ...] = ()
    """What is known, as far as this role may read it, the most useful first."""
    mind: Mind | None = field(default=None, repr=False, compare=False)
    """What it may ask models with; None where the work did not come from a squad."""

    def approve(self, *, looked: int = 1, notes: Iterable[Finding] = (), waivers: Iterable[str] = ()) -> Approved:
        """Let these bytes through; `looked` is how many files were read."""
        return Approved(looked=looked, notes=tuple(notes), waivers=tuple(waivers))

    def refuse(self, *findings: Finding, looked: int = 1) -> Refused:
        """Refuse, with at least one finding."""
        return Refused(findings=findings, looked=looked)

    def abstain(self, reason: str) -> Abstained:
        """Say that nobody could look, and why."""
        return Abstained(reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptWork(_Given):
    """Check a composition end to end. The answer can only refuse."""

    packet: Packet
    composition: Artifact
    plan: Plan
    parts: Mapping[str, Artifact]
    """The approved artifacts by task name."""
    verdicts: tuple[tuple[str, Verdict, str], ...] = ()
    """(gate, verdict, the sealed verdict's digest) on the composition and on its parts."""
    refused: bool = False
    """True when a gate refused the composition: the question is only which tasks to re-open."""
    charter: str = ""
    """What binds every role of this workspace."""
    facts: tuple[Fact, ...] = ()
    """What is known, as far as this role may read it, the most useful first."""
    mind: Mind | None = field(default=None, repr=False, compare=False)
    """What it may ask models with; None where the work did not come from a squad."""

    def accept(self, evidence: Mapping[str, str] | None = None) -> Acceptance:
        """Find nothing against it; `evidence` gives, for each predicate of `done_when`, the digest of what shows it."""
        return Acceptance(held=tuple(Held(predicate=p, holds=True, evidence=d) for p, d in (evidence or {}).items()))

    def refuse(self, *reasons: str, reopen: Iterable[str] = ()) -> Acceptance:
        """Refuse it, and name the tasks to try again; naming none ends the packet."""
        return Acceptance(reopen=tuple(reopen), reasons=reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person says to a question."""

    name: str
    decision: Literal["approved", "denied"]
    channel: Channel
    statement: Statement | None = None
    """The justification."""


Work = PlanWork | BuildWork | ReviewWork | AcceptWork
Reply = Plan | Objection | Artifact | Verdict | Acceptance

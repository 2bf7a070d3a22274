"""The forms that a model fills in, one per thing a role may answer, and what a filled form becomes.

Their docstrings are what the model reads beside their fields. They are kept flat, so that every provider's schema rules
accept them; names of ours that a model cannot know (digests, salts, authors) stand in none of them.
"""

from __future__ import annotations

import re
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from squads.contracts.finding import Finding, Location, Severity
from squads.contracts.plan import Task

TEXT_MAX = 4_000


class Form(BaseModel):
    """Something a model fills in; `called` is the name under which it is offered."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    called: ClassVar[str] = ""


def name_of(form: type[BaseModel]) -> str:
    """Return the name under which a form is offered: its `called`, or its class's name in lower case."""
    return getattr(form, "called", "") or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", form.__name__).lower()


class TaskForm(Form):
    """One small brief for one builder."""

    name: str = Field(min_length=1, max_length=64)
    """A short name. A name that an amended plan keeps is the same task."""
    brief: str = Field(min_length=1)
    """What is wanted, complete in itself: the builder sees this, the artifacts it comes after, and nothing else."""
    builder: str
    """Which builder, by name."""
    after: list[str] = []
    """Names of the tasks whose approved artifacts this one builds on."""
    gates: list[str] = []
    """Gates to add to the required ones for this task; usually none."""


class PlanForm(Form):
    """Cut the work into small tasks."""

    called: ClassVar[str] = "plan"
    tasks: list[TaskForm] = Field(min_length=1)

    def to_tasks(self) -> tuple[Task, ...]:
        """Return the tasks. Raises `InvalidInput` for a builder or gate whose name cannot be one."""
        return tuple(
            Task(name=t.name, brief=t.brief, builder=t.builder, after=tuple(t.after), gates=tuple(t.gates))
            for t in self.tasks
        )


class ObjectForm(Form):
    """Refuse what was asked, because it cannot be done well as it stands. Say why, and what would do instead."""

    called: ClassVar[str] = "object"
    reasons: list[str] = Field(min_length=1)
    proposal: str = Field(min_length=1, max_length=TEXT_MAX)
    """What you would accept instead."""


class FileForm(Form):
    """One file, whole."""

    path: str
    """Relative, with `/`."""
    text: str
    executable: bool = False


class FilesForm(Form):
    """Hand in files, each one whole."""

    called: ClassVar[str] = "hand_in"
    files: list[FileForm] = []
    removals: list[str] = []
    """Paths to remove."""


class BuiltForm(Form):
    """Hand in the scratch workspace as it stands now, after you wrote everything with your tools."""

    called: ClassVar[str] = "hand_in"
    summary: str = Field(max_length=TEXT_MAX)
    """One sentence on what you made."""


class FindingForm(Form):
    """One violation of one invariant."""

    invariant: str
    """The rule that does not hold: lower-case words joined by dots and dashes, such as `sql.unique-null`."""
    severity: Severity
    """`blocker` or `major` when it must not go in, `minor` or `note` when it may."""
    message: str = Field(min_length=1, max_length=TEXT_MAX)
    """What is wrong, as one sentence about this place."""
    path: str = ""
    """The file, as its fence names it."""
    line: int | None = Field(default=None, ge=1)
    """The line, as numbered in the fence."""
    evidence: str = Field(default="", max_length=TEXT_MAX)
    """Text copied from that line exactly; where something is missing, the line at which it is missing."""
    satisfy: str = Field(default="", max_length=TEXT_MAX)
    """What would satisfy the invariant here."""

    def to_finding(self) -> Finding:
        """Return it as a finding."""
        return Finding(
            invariant=_invariant(self.invariant),
            severity=self.severity,
            message=self.message,
            location=Location(path=self.path, line=self.line) if self.path else None,
            evidence=self.evidence,
            satisfy=self.satisfy,
        )


class ApproveForm(Form):
    """Let it through: you read all of it, and every invariant you hold is kept."""

    called: ClassVar[str] = "approve"
    notes: list[FindingForm] = []
    """What could be better and need not be."""
    waivers: list[int] = []
    """Numbers of the waivers that you rest this on; usually none."""


class RefuseForm(Form):
    """Refuse it: at least one invariant does not hold."""

    called: ClassVar[str] = "refuse"
    findings: list[FindingForm] = Field(min_length=1)


class AbstainForm(Form):
    """Say that you could not look: something you needed is missing, unreadable or outside what you know."""

    called: ClassVar[str] = "abstain"
    reason: str = Field(min_length=1, max_length=TEXT_MAX)


class HeldForm(Form):
    """Whether one predicate holds, and which file of the composition shows it."""

    predicate: str
    holds: bool
    path: str = ""
    """A file of the composition; needed where it holds."""


class AcceptForm(Form):
    """Say of every predicate whether it holds, and name the tasks to try again where the whole does not work."""

    called: ClassVar[str] = "accept"
    held: list[HeldForm] = []
    reopen: list[str] = []
    """Tasks to try again; naming one refuses the composition."""
    reasons: list[str] = []
    """Why; needed where something does not hold or a task is named."""


def _invariant(text: str) -> str:
    """Return what a model called a rule in the form that rules have."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")[:64]
    return name if re.match(r"[a-z]", name) else f"rule-{name}"[:64].rstrip("-")

"""One row for every verdict of a run or a replay: what all figures are counted from."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from pydantic import Field

from squads.bench.case import Case, Place
from squads.contracts.base import Content, Digest, Name
from squads.contracts.finding import Severity
from squads.contracts.verdict import Refused

Decision = Literal["refused", "approved", "abstained", "error"]
"""Kept apart everywhere: who could not look, or crashed, has caught nothing and passed nothing."""

SLACK_LINES = 3
"""How far beside a place's lines a finding may point and still be in the right place."""


class Hit(StrEnum):
    """How right a refusal of a defect is; each level is counted within the one before."""

    MISSED = "missed"
    REFUSED = "refused"
    """Level one: any refusal."""
    PLACE = "place"
    """Level two: some refusing finding points to the right place."""
    REASON = "reason"
    """Level three: one refusing finding has the right place and the right reason."""

    @property
    def level(self) -> int:
        """0 for a miss up to 3 for the right reason in the right place."""
        return ("missed", "refused", "place", "reason").index(self.value)


class Found(Content):
    """A refusing finding, as figures need it."""

    invariant: str
    """The reason code; a tool's rule where nothing maps it."""
    severity: Severity = Severity.MAJOR
    path: str | None = None
    line: int | None = None
    end_line: int | None = None


class Judged(Content):
    """What one gate said of one case, once."""

    case: str
    """The case's id."""
    gate: Name
    """The gate's name in the run."""
    prior: str = ""
    """The digest of its prior: what makes two gates the same gate."""
    repeat: int = Field(default=1, ge=1)
    factors: Mapping[str, str] = Field(default_factory=dict)
    """Factor to level, such as `model` to `anthropic:...`."""
    decision: Decision
    reason: str = ""
    """Why it abstained, or what went wrong."""
    looked: int = 0
    """How many files it read; an approval of nothing that was read is told apart by 0."""
    found: tuple[Found, ...] = ()
    """Findings that refuse; notes are not here."""
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microusd: int = 0
    wait_ms: int = 0
    packet: str = ""
    """The packet whose receipts say so; empty for a replay of recorded findings."""
    receipt: Digest | None = None
    """The digest of the verdict's receipt."""


def hit_of(case: Case, judged: Judged, *, slack_lines: int = SLACK_LINES) -> Hit:
    """Return how right a verdict on a defect is; a verdict that is not a refusal missed it.

    Where a case says no places there is nothing to miss, and where a place says no lines the path alone counts. A
    finding without a line is in the right place only where that is a whole file. The reason is right where the
    finding's invariant is one of the case's.
    """
    if judged.decision != "refused":
        return Hit.MISSED
    there = [f for f in judged.found if _at(f, case.places, slack_lines)]
    if any(f.invariant in case.invariants for f in there):
        return Hit.REASON
    return Hit.PLACE if there else Hit.REFUSED


def _at(found: Found, places: tuple[Place, ...], slack: int) -> bool:
    if not places:
        return True
    return any(_meets(found, place, slack) for place in places)


def _meets(found: Found, place: Place, slack: int) -> bool:
    if found.path != place.path:
        return False
    if place.line is None or found.line is None:
        return place.line is None
    first, last = place.line - slack, (place.end_line or place.line) + slack
    return found.line <= last and (found.end_line or found.line) >= first


def found_in(verdict: Refused, *, refuse_at: Severity) -> tuple[Found, ...]:
    """Return the findings of a refusal that refuse: those from `refuse_at` on, and all where none reaches it.

    A panel weighs its members' verdicts and no findings, so its own `refuse_at` says nothing of theirs; they count as
    findings of a gate do that says nothing else.
    """
    least = Severity.MAJOR if verdict.members else refuse_at
    return tuple(
        Found(
            invariant=f.invariant,
            severity=f.severity,
            path=f.location.path if f.location else None,
            line=f.location.line if f.location else None,
            end_line=f.location.end_line if f.location else None,
        )
        for f in [f for f in verdict.findings if f.severity >= least] or verdict.findings
    )


class Results(Content):
    """A finished run or replay: the cases that were judged, and every verdict. All figures and reports start here."""

    title: str
    cases: tuple[Case, ...]
    judged: tuple[Judged, ...]
    about: Mapping[str, str] = Field(default_factory=dict)
    """What a reader has to know: versions, seeds, commands, digests, where the data came from."""

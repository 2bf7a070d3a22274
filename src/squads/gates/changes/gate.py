"""The gate around a check of a change: without a change there is nothing to look at."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Invariant, Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Approved, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.check import CheckGate, Holds, base_of

OfWork = Callable[[ReviewWork], "list[Finding]"]


class ChangeGate(CheckGate):
    """A check of what a change does to what stood before. Files that stand alone are not looked at."""

    before: tuple[str, Artifact] | None = None
    """The digest that artifacts name as their base, and what stood there at the paths they touch."""
    idle: re.Pattern[str] | None = None
    """A brief that gives this check nothing to hold a change against: what it lets through then, nobody looked at."""

    async def review(self, work: ReviewWork) -> Verdict:
        """Read the change; an artifact without a base changes nothing, and it says that it did not look."""
        work = _with(work, self.before)
        if work.artifact is not None and work.artifact.base is None and base_of(work) is None:
            return self.decide((), looked=0)
        verdict = await super().review(work)
        if self.idle is not None and self.idle.fullmatch(work.brief.strip()) and isinstance(verdict, Approved):
            return self.decide(verdict.notes, looked=0)
        return verdict


def check_of_change(
    invariant: Invariant, *, files: Sequence[str], holds: Holds | None = None, refuse_at: Severity = Severity.MAJOR
) -> Callable[[OfWork], ChangeGate]:
    """Return a decorator that makes a gate of a function from the work on a change to findings."""

    def wrap(function: OfWork) -> ChangeGate:
        return ChangeGate(
            function,
            invariant,
            files=files,
            refuse_at=refuse_at,
            reads=(AttemptKind.ARTIFACT,),
            holds=holds,
            of_work=True,
        )

    return wrap


def shown(gate: Any, digest: str, base: Artifact) -> Any:
    """Return a gate that is shown `base` wherever an artifact names `digest` as what it changes.

    It is the same gate: name and prior stay. Panels show it to their members; gates that ask for no base are returned
    as they are. What an artifact with another base is compared with, this never decides.
    """
    if getattr(gate, "members", ()):
        own = copy.copy(gate)
        own.members = tuple(shown(member, digest, base) for member in gate.members)
        return own
    if not isinstance(gate, CheckGate) or not gate.of_work:
        return gate
    own = copy.copy(gate)
    if isinstance(own, ChangeGate):
        own.before = (digest, base)
    else:
        function: Any = gate.function
        own.function = lambda work: function(_with(work, (digest, base)))
    return own


def _with(work: ReviewWork, before: tuple[str, Artifact] | None) -> ReviewWork:
    if before is None or work.artifact is None or work.artifact.base != before[0] or base_of(work) is not None:
        return work
    return replace(work, inputs={**work.inputs, "base": before[1]})

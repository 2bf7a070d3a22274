"""`@check` turns a pure function over an artifact into a gate.

The function returns the findings it has; an empty list approves. A function that returns nothing, raises, or cannot
read its files abstains: could not look is never passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import InvalidSquad, NotText
from squads.contracts.finding import Finding, Invariant, Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Abstained, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate

Violations = Callable[[Artifact], "list[Finding]"]
Holds = Callable[[File], bool]


class CannotLook(Exception):
    """Raise it in a check to abstain: the reason says which file, and what would make it readable."""


class CheckGate(Gate):
    """A gate around one function. Call it like the function, or hand it to a squad."""

    def __init__(
        self,
        function: Violations,
        invariant: Invariant | str,
        *,
        files: Sequence[str],
        refuse_at: Severity,
        reads: Sequence[AttemptKind],
        holds: Holds | None = None,
    ) -> None:
        self.function = function
        self.invariant = invariant
        self.files = tuple(files)
        self.holds = holds
        self.name = invariant if isinstance(invariant, str) else invariant.id
        self.prior = (function.__doc__ or "") if isinstance(invariant, str) else invariant.statement
        self.refuse_at = refuse_at
        self.reads = tuple(AttemptKind(r) for r in reads)
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, artifact: Artifact) -> list[Finding]:
        """Return the function's findings, for tests of the check itself."""
        return self.function(artifact)

    def __repr__(self) -> str:
        return f"<check {self.name}>"

    async def review(self, work: ReviewWork) -> Verdict:
        """Read the artifact's files of this check's kind; without one there is nothing to look at, and it says so."""
        if work.artifact is None:
            return Abstained(reason="a check reads artifacts and compositions, not plans")
        matching = work.artifact.matching(*self.files)
        if not matching:
            return self.decide((), looked=0)
        # In a thread, so that a slow check holds up neither its neighbours nor its own deadline.
        return await asyncio.to_thread(self._judge, work.artifact, matching)

    def _judge(self, artifact: Artifact, matching: Sequence[File]) -> Verdict:
        try:
            looked = sum(1 for f in matching if self.holds is None or self.holds(f))
            if not looked:
                return self.decide((), looked=0)
            findings: Any = self.function(artifact)
        except (CannotLook, NotText) as error:
            return Abstained(reason=str(error) or "the check could not look")
        if not isinstance(findings, list) or not all(isinstance(f, Finding) for f in findings):
            return Abstained(
                reason=f"the check {self.name} returned {type(findings).__name__}; "
                "return a list of Finding, an empty one where nothing is wrong"
            )
        return self.decide(findings, looked=looked)


def check(
    invariant: Invariant | str,
    *,
    files: Sequence[str] = ("*",),
    refuse_at: Severity = Severity.MAJOR,
    reads: Sequence[AttemptKind] = (AttemptKind.ARTIFACT,),
    holds: Holds | None = None,
) -> Callable[[Violations], CheckGate]:
    """Return a decorator that makes a gate of a function from artifact to findings.

    Args:
        invariant: The rule that must hold, or its id; the gate is called by the id.
        files: Shell patterns of the files it reads. An artifact without such a file is approved as not looked at,
            and where no gate at all looked, nothing composes.
        refuse_at: The severity from which a finding refuses.
        reads: `artifact`, `composition`, or both.
        holds: Says of one matching file whether there is something in it for this check, where the name does not tell
            (Python with SQL in it). Only such files count as looked at. Make it cheap: a test of the bytes before any
            parse. It may raise `CannotLook`, and the check abstains. Without it every matching file counts.
    """
    if not invariant or not isinstance(invariant, (str, Invariant)):
        raise InvalidSquad(f"{invariant!r:.60} names no invariant; write @check('an.invariant-id') above the function")

    def wrap(function: Violations) -> CheckGate:
        if iscoroutinefunction(function):
            raise InvalidSquad(
                f"@check({invariant!r:.60}) decorates a plain function; subclass Gate for an asynchronous one"
            )
        if not callable(function):
            raise InvalidSquad(f"@check({invariant!r}) decorates a function that takes an artifact; got {function!r}")
        return CheckGate(function, invariant, files=files, refuse_at=refuse_at, reads=reads, holds=holds)

    return wrap

"""`@check` turns a pure function over an artifact into a gate.

The function returns the findings it has; an empty list approves. A function that returns nothing, raises, or cannot
read its files abstains: could not look is never passed.

A check that judges a change by what stood before it, or by its brief, is made with `@check(..., of_work=True)`: its
function takes the whole work. `base_of(work)` is what stood before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from inspect import iscoroutinefunction
from typing import Any, Literal, cast, overload

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import InvalidSquad, NotText
from squads.contracts.finding import Finding, Invariant, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.verdict import Abstained, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate

Violations = Callable[[Artifact], "list[Finding]"]
WorkViolations = Callable[[ReviewWork], "list[Finding]"]
Holds = Callable[[File], bool]


class CannotLook(Exception):
    """Raise it in a check to abstain: the reason says which file, and what would make it readable."""


def base_of(work: ReviewWork) -> Artifact | None:
    """Return what stood before the change that `work` is about; None where that was not given.

    It is the input whose digest the artifact names as its base, or else the input called `base`.
    """
    named = work.artifact.base if work.artifact is not None else None
    given = (a for a in work.inputs.values() if named is not None and a.digest == named)
    return next(given, work.inputs.get("base"))


class CheckGate(Gate):
    """A gate around one function. Call it like the function, or hand it to a squad."""

    def __init__(
        self,
        function: Violations | WorkViolations,
        invariant: Invariant | str,
        *,
        files: Sequence[str],
        refuse_at: Severity,
        reads: Sequence[AttemptKind],
        holds: Holds | None = None,
        of_work: bool = False,
    ) -> None:
        self.function = function
        self.of_work = of_work
        self.invariant = invariant
        self.files = tuple(files)
        self.holds = holds
        self.name = invariant if isinstance(invariant, str) else invariant.id
        self.prior = (function.__doc__ or "") if isinstance(invariant, str) else invariant.statement
        self.refuse_at = refuse_at
        self.reads = tuple(AttemptKind(r) for r in reads)
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, given: Artifact | ReviewWork) -> list[Finding]:
        """Return the function's findings, for tests of the check itself; an artifact alone is a work without a base."""
        if isinstance(given, Artifact):
            given = ReviewWork(
                packet=Packet(brief="-"), reads=self.reads[0], attempt=given.attempt, brief="", artifact=given
            )
        found: list[Finding] = self._found(given)
        return found

    def _found(self, work: ReviewWork) -> Any:
        return self.function(cast("Any", work if self.of_work else work.artifact))

    def __repr__(self) -> str:
        return f"<check {self.name}>"

    async def review(self, work: ReviewWork) -> Verdict:
        """Read the artifact's files of this check's kind; without one there is nothing to look at, and it says so."""
        if work.artifact is None:
            return Abstained(reason="a check reads artifacts and compositions, not plans")
        matching = [*work.artifact.matching(*self.files), *self._removed(work)]
        if not matching:
            return self.decide((), looked=0)
        # In a thread, so that a slow check holds up neither its neighbours nor its own deadline.
        return await asyncio.to_thread(self._judge, work, matching)

    def _removed(self, work: ReviewWork) -> list[File]:
        """Return what this change takes away of the files that this check reads."""
        base = base_of(work) if self.of_work else None
        if base is None or work.artifact is None:
            return []
        return [f for f in base.matching(*self.files) if f.path in work.artifact.removals]

    def _judge(self, work: ReviewWork, matching: Sequence[File]) -> Verdict:
        try:
            looked = sum(1 for f in matching if self.holds is None or self.holds(f))
            if not looked:
                return self.decide((), looked=0)
            findings = self._found(work)
        except (CannotLook, NotText) as error:
            return Abstained(reason=str(error) or "the check could not look")
        if not isinstance(findings, list) or not all(isinstance(f, Finding) for f in findings):
            return Abstained(
                reason=f"the check {self.name} returned {type(findings).__name__}; "
                "return a list of Finding, an empty one where nothing is wrong"
            )
        return self.decide(findings, looked=looked)


@overload
def check(
    invariant: Invariant | str,
    *,
    files: Sequence[str] = ...,
    refuse_at: Severity = ...,
    reads: Sequence[AttemptKind] = ...,
    holds: Holds | None = ...,
    of_work: Literal[False] = ...,
) -> Callable[[Violations], CheckGate]: ...


@overload
def check(
    invariant: Invariant | str,
    *,
    files: Sequence[str] = ...,
    refuse_at: Severity = ...,
    reads: Sequence[AttemptKind] = ...,
    holds: Holds | None = ...,
    of_work: Literal[True],
) -> Callable[[WorkViolations], CheckGate]: ...


def check(
    invariant: Invariant | str,
    *,
    files: Sequence[str] = ("*",),
    refuse_at: Severity = Severity.MAJOR,
    reads: Sequence[AttemptKind] = (AttemptKind.ARTIFACT,),
    holds: Holds | None = None,
    of_work: bool = False,
) -> Callable[[Any], CheckGate]:
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
        of_work: The function takes a `ReviewWork`, so that it can ask for the brief and for `base_of(work)`; its
            `artifact` is always there. Matching files of the base that the artifact removes count as files it reads.
    """
    if not invariant or not isinstance(invariant, (str, Invariant)):
        raise InvalidSquad(f"{invariant!r:.60} names no invariant; write @check('an.invariant-id') above the function")

    def wrap(function: Any) -> CheckGate:
        if iscoroutinefunction(function):
            raise InvalidSquad(
                f"@check({invariant!r:.60}) decorates a plain function; subclass Gate for an asynchronous one"
            )
        if not callable(function):
            raise InvalidSquad(f"@check({invariant!r}) decorates a function that takes an artifact; got {function!r}")
        return CheckGate(
            function, invariant, files=files, refuse_at=refuse_at, reads=reads, holds=holds, of_work=of_work
        )

    return wrap

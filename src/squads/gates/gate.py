"""The gate: reads an attempt with other priors than its maker's, and gives one verdict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable
from inspect import isawaitable
from typing import Any, ClassVar, Literal

from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.contracts.work import Reply, ReviewWork, Work


class Gate(ABC):
    """Subclass it and write `review`. Returning nothing, raising, or running late lets nothing through."""

    kind: ClassVar[Literal["gate"]] = "gate"
    name: str = ""
    """How the squad calls it; the class's name in lower case with dashes when empty."""
    prior: str = ""
    """What it brings to its reading, in prose; another one than its author's."""
    model: str | None = None
    """The model that reads; None for code."""
    family: str | None = None
    """The model's family."""
    reads: tuple[AttemptKind, ...] = (AttemptKind.ARTIFACT,)
    """Which attempts it reads: `plan`, `artifact`, `composition`."""
    refuse_at: Severity = Severity.MAJOR
    """Findings of at least this severity refuse; lower ones are notes."""
    unsafe: ClassVar[bool] = False
    """True for `UnsafeNoGate` alone."""
    call_tokens_max: int = 0
    """The most that one answer may use; reserved before it is asked. 0 for code."""
    call_microusd_max: int = 0
    """The same in millionths of a US dollar."""

    @abstractmethod
    def review(self, work: ReviewWork) -> Verdict | Awaitable[Verdict]:
        """Return `work.approve(...)`, `work.refuse(...)` or `work.abstain(...)`; may be `async`.

        It is called once per ticket and must keep nothing between calls: each reading starts fresh.
        """

    def decide(self, findings: Iterable[Finding], *, looked: int) -> Verdict:
        """Return the verdict that follows from findings: refused from `refuse_at` on, else approved with notes."""
        found = tuple(findings)
        if any(f.severity >= self.refuse_at for f in found):
            return Refused(findings=found, looked=looked)
        return Approved(notes=found, looked=looked)

    async def answer(self, work: Work) -> Reply:
        """Do one piece of work: the role port. An approval that carries a refusing finding is a refusal."""
        if not isinstance(work, ReviewWork):
            raise TypeError(f"a gate reads; it was given {type(work).__name__}")
        reply: Any = self.review(work)
        verdict = await reply if isawaitable(reply) else reply
        if not isinstance(verdict, (Approved, Refused, Abstained)):
            return Abstained(reason=f"the gate returned {type(verdict).__name__} instead of a verdict")
        if isinstance(verdict, Approved) and any(n.severity >= self.refuse_at for n in verdict.notes):
            return Refused(findings=verdict.notes, looked=verdict.looked, usage=verdict.usage)
        return verdict

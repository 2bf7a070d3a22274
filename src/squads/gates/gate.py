"""The gate: reads an attempt with other priors than its maker's, and gives one verdict."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from inspect import isawaitable
from typing import Any, ClassVar, Literal, Unpack

from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Abstained, Approved, Refused, Verdict
from squads.contracts.work import Reply, ReviewWork, Work
from squads.minds.thinker import Options, Thinker


class Gate(Thinker):
    """Give it a model, or subclass it and write `review`. Silence, an exception and a late answer let nothing through.

    Args:
        reads: Which attempts it reads.
        refuse_at: The severity from which a finding refuses.
        options: What every role may say; see `squads.minds.thinker.Thinker`.
    """

    kind: ClassVar[Literal["gate"]] = "gate"
    reads: tuple[AttemptKind, ...] = (AttemptKind.ARTIFACT,)
    """Which attempts it reads: `plan`, `artifact`, `composition`."""
    refuse_at: Severity = Severity.MAJOR
    """Findings of at least this severity refuse; lower ones are notes."""
    unsafe: ClassVar[bool] = False
    """True for `UnsafeNoGate` alone."""

    def __init__(
        self,
        *,
        reads: Iterable[AttemptKind | str] | None = None,
        refuse_at: Severity | str | None = None,
        **options: Unpack[Options],
    ) -> None:
        super().__init__(**options)
        if reads is not None:
            self.reads = tuple(AttemptKind(kind) for kind in reads)
        if refuse_at is not None:
            self.refuse_at = Severity(refuse_at)

    def review(self, work: ReviewWork) -> Verdict | Awaitable[Verdict]:
        """Return `work.approve(...)`, `work.refuse(...)` or `work.abstain(...)`; may be `async`.

        The default asks the model.

        It is called once per ticket and must keep nothing between calls: each reading starts fresh.
        """
        from squads.minds import think

        self._check_model("review")
        return think.review(self, work)

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

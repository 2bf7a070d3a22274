"""What `run()` returns. Two ends and two waits; each knows its exit code and can raise for those who prefer that."""

from __future__ import annotations

from typing import Literal

from squads.contracts.artifact import Artifact
from squads.contracts.base import Contract, Digest, Id
from squads.contracts.errors import Refusal
from squads.contracts.finding import NO_USAGE, Usage
from squads.contracts.reasons import REFUSALS, Reason
from squads.contracts.records import RoleKind
from squads.contracts.verdict import Verdict


class Judgement(Contract):
    """One verdict with where it stood: which gate, on which attempt of what."""

    gate: str
    reads: Literal["plan", "artifact", "composition"]
    task: str | None
    attempt: int
    subject: Digest
    verdict: Verdict


class RoleSpend(Contract):
    """What one role spent on a packet."""

    role: str
    kind: RoleKind
    usage: Usage


class _Outcome(Contract):
    packet: Id
    judgements: tuple[Judgement, ...] = ()
    """Every verdict of the packet, in the order in which they were asked for."""
    usage: Usage = NO_USAGE
    """What the packet has cost. An answer that nobody knows the cost of counts as all that was reserved for it."""
    spent: tuple[RoleSpend, ...] = ()
    """The same by role; who spent nothing is not named."""

    @property
    def refusals(self) -> tuple[Judgement, ...]:
        """The verdicts that refused."""
        return tuple(j for j in self.judgements if j.verdict.kind == "refused")


class Composed(_Outcome):
    """Every required gate approved exactly these bytes, and so did the people who were asked."""

    kind: Literal["composed"] = "composed"
    artifact: Artifact
    exit_code: Literal[0] = 0

    def raise_for_refusal(self) -> Composed:
        """Return itself."""
        return self

    def __str__(self) -> str:
        return f"composed: {len(self.artifact.files)} file(s), artifact {self.artifact.digest[:12]}"


class NotComposed(_Outcome):
    """The packet ended without a composition, and `reason` says why."""

    kind: Literal["not-composed"] = "not-composed"
    reason: Reason
    detail: str = ""
    """The reason as a sentence, with what to do next."""
    task: str | None = None
    words: tuple[str, ...] = ()
    """What was said besides verdicts: objections and proposals, the coordinator's reasons, why a role was silent."""

    @property
    def exit_code(self) -> int:
        """1 where a signed refusal stands behind it, 2 where we could not find out."""
        return 1 if self.reason in REFUSALS else 2

    def raise_for_refusal(self) -> Composed:
        """Raise `Refusal` with the reason and every finding."""
        raise Refusal(str(self), self)

    def __str__(self) -> str:
        lines = [f"not composed: {self.detail or self.reason}"]
        for judgement in self.refusals:
            for finding in judgement.verdict.findings:
                where = f"{finding.location}: " if finding.location else ""
                lines.append(f"  {judgement.gate} (attempt {judgement.attempt}): {where}{finding.message}")
        if self.reason not in REFUSALS:
            lines += dict.fromkeys(
                f"  {j.gate} (attempt {j.attempt}) abstained: {j.verdict.reason}"
                for j in self.judgements
                if j.verdict.kind == "abstained"
            )
        lines += [f"  {said}" for said in self.words]
        return "\n".join(lines)


class AwaitingApproval(_Outcome):
    """The composition waits for people; the packet stays open and nothing has to keep running."""

    kind: Literal["awaiting-approval"] = "awaiting-approval"
    question: Digest
    subject: Digest
    approvers: tuple[str, ...]
    quorum: int
    expires_ms: int
    exit_code: Literal[3] = 3

    def raise_for_refusal(self) -> Composed:
        """Raise `Refusal`: nothing has composed yet."""
        raise Refusal(str(self), self)

    def __str__(self) -> str:
        return f"awaiting approval by {self.quorum} of {', '.join(self.approvers)}: question {self.question[:12]}"


class Halted(_Outcome):
    """Somebody stopped the workspace or the packet, or its stop state could not be read; the packet stays open."""

    kind: Literal["halted"] = "halted"
    detail: str = ""
    exit_code: Literal[2] = 2

    def raise_for_refusal(self) -> Composed:
        """Raise `Refusal`: nothing has composed."""
        raise Refusal(str(self), self)

    def __str__(self) -> str:
        return f"halted: {self.detail or 'a stop is in force'}"


Outcome = Composed | NotComposed | AwaitingApproval | Halted

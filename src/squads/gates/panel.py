"""A panel: a gate made of gates. It gives one verdict, which cites those of its members.

The kernel asks the panel once and never sees its members' votes; it only knows their priors, because a panel is no more
independent of an author than the least independent of its members. A member that crashes, hangs or answers with
something else has abstained. Nothing here may turn a member's silence into an approval.

Rules, all of them one count:

- any may refuse: every member must approve (the default);
- k of n: `approvals_min=k`; who had nothing to look at is not counted, neither for nor against;
- veto by role: a member named in `veto` must approve itself, whatever the others say;
- cascade, cheap first: members are asked one after the other, and no more than it takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Literal

from squads.contracts.errors import InvalidSquad
from squads.contracts.finding import Finding, FindingCounts, Severity, Usage
from squads.contracts.packet import AttemptKind
from squads.contracts.verdict import Abstained, Approved, Cited, Refused, Verdict
from squads.contracts.work import ReviewWork
from squads.gates.gate import Gate

Decision = Literal["approved", "refused", "abstained"]
_TEXT_MAX = 4_000


class Panel(Gate):
    """Gates that give one verdict together.

    Args:
        members: Two or more gates; the cheap ones first when it is a cascade.
        name: How the squad calls the panel.
        approvals_min: How many members must approve; None is all of them.
        veto: Names of members without whose approval nothing passes.
        cascade: Ask one member after the other, and stop as soon as the outcome is certain.
        seconds_max: How long one member may take before it has abstained; None leaves it to the ticket's deadline.

    Raises:
        InvalidSquad: For a panel that could never decide, or whose members do not read the same attempts.
    """

    # Members decide what refuses; the panel weighs their verdicts and no findings of its own.
    refuse_at = Severity.BLOCKER
    members_min: ClassVar[int] = 2

    def __init__(
        self,
        *members: Gate,
        name: str = "panel",
        approvals_min: int | None = None,
        veto: Iterable[str] = (),
        cascade: bool = False,
        seconds_max: float | None = None,
    ) -> None:
        self.members = members
        self.name = name
        self.approvals_min = len(members) if approvals_min is None else approvals_min
        self.veto = frozenset(veto)
        self.cascade = cascade
        self.seconds_max = seconds_max
        self._check()
        self.reads = tuple(kind for kind in AttemptKind if all(kind in m.reads for m in members))
        rule = f"{self.approvals_min} of {len(members)}" + (", one after the other" if cascade else "")
        vetoes = f"; {', '.join(sorted(self.veto))} must be among them" if self.veto else ""
        self.prior = f"A panel: {rule} must approve{vetoes}."

    def _check(self) -> None:
        for member in self.members:
            if getattr(member, "kind", None) != "gate" or not callable(getattr(member, "answer", None)):
                raise InvalidSquad(f"{member!r:.60} is no gate, so it cannot sit on the panel {self.name!r}")
        names = [called(m) for m in self.members]
        if len(self.members) < self.members_min:
            raise InvalidSquad(
                f"the panel {self.name!r} has {len(self.members)} members; give it at least {self.members_min}"
            )
        if twice := next((n for n in names if names.count(n) > 1), None):
            raise InvalidSquad(f"two members of the panel {self.name!r} are called {twice!r}; give one another `name`")
        if not 1 <= self.approvals_min <= len(self.members):
            raise InvalidSquad(
                f"approvals_min={self.approvals_min} of {len(self.members)} members can never decide; "
                f"give a number from 1 to {len(self.members)}"
            )
        if strangers := self.veto - set(names):
            raise InvalidSquad(
                f"{sorted(strangers)[0]!r} has a veto on the panel {self.name!r} and is no member; "
                f"members: {', '.join(names)}"
            )
        if not any(all(kind in m.reads for m in self.members) for kind in AttemptKind):
            raise InvalidSquad(f"the members of the panel {self.name!r} read different attempts; none is read by all")

    async def review(self, work: ReviewWork) -> Verdict:
        """Ask the members and return what their verdicts come to."""
        votes: dict[str, Verdict] = {}
        if self.cascade:
            for member in self.members:
                votes[called(member)] = await self._ask(member, work)
                if self.decided(votes) is not None:
                    break
        else:
            verdicts = await asyncio.gather(*(self._ask(member, work) for member in self.members))
            votes = dict(zip(map(called, self.members), verdicts, strict=True))
        return self._verdict(self.decided(votes) or "abstained", votes)

    def decided(self, votes: dict[str, Verdict]) -> Decision | None:
        """Return what these votes come to, or None while the members that were not asked yet could change it."""
        waiting = len(self.members) - len(votes)
        approved = {n for n, v in votes.items() if v.kind == "approved"}
        refused = {n for n, v in votes.items() if v.kind == "refused"}
        # Who had nothing to look at has no vote: it must not outvote somebody who looked and refused.
        idle = {n for n in approved if not votes[n].looked}
        voting = len(self.members) - len(idle)
        if refused & self.veto or len(refused) > max(0, voting - self.approvals_min):
            return "refused"
        # While some wait, all of `approvals_min` must have looked: nobody knows yet how many will have a vote. An
        # abstention may rule an approval out, but a refusal could still come, and it brings findings.
        needed = self.approvals_min if waiting else min(self.approvals_min, voting)
        if len(approved - idle) >= needed and self.veto <= approved:
            return "approved"
        return None if waiting else "abstained"

    async def _ask(self, member: Gate, work: ReviewWork) -> Verdict:
        """Return a member's verdict; whatever goes wrong inside it is an abstention."""
        try:
            async with asyncio.timeout(self.seconds_max):
                said: Any = await member.answer(work)
        except TimeoutError:
            return Abstained(reason=f"{called(member)} gave no answer within {self.seconds_max:g} seconds")
        except (Exception, SystemExit) as error:
            # A member is somebody else's code, and only the type of what it raised leaves it: the rest may be secret.
            return Abstained(reason=f"{called(member)} failed with {type(error).__name__}")
        if not isinstance(said, (Approved, Refused, Abstained)):
            return Abstained(reason=f"{called(member)} returned {type(said).__name__} instead of a verdict")
        return said

    def _verdict(self, decision: Decision, votes: dict[str, Verdict]) -> Verdict:
        members = tuple(cited(name, verdict) for name, verdict in votes.items())
        usage = _sum(v.usage for v in votes.values())
        looked = max((v.looked for v in votes.values()), default=0)
        if decision == "refused":
            findings = tuple(f for v in votes.values() if v.kind == "refused" for f in v.findings)
            return Refused(findings=_distinct(findings), looked=looked, usage=usage, members=members)
        if decision == "abstained":
            why = [f"{name}: {v.reason}" for name, v in votes.items() if isinstance(v, Abstained)]
            refused = [name for name, v in votes.items() if v.kind == "refused"]
            text = "; ".join([*why, *(f"{name} refused" for name in refused)]) or "no member could look"
            return Abstained(reason=text[:_TEXT_MAX], usage=usage, members=members)
        # Only who approved has looked at what passes: the most that one of them read.
        looked = max((v.looked for v in votes.values() if v.kind == "approved"), default=0)
        notes = [f for v in votes.values() if v.kind == "approved" for f in v.findings]
        notes += [_outvoted(f, name) for name, v in votes.items() if v.kind == "refused" for f in v.findings]
        waivers = tuple(dict.fromkeys(w for v in votes.values() for w in v.waivers))
        return Approved(looked=looked, notes=_distinct(tuple(notes)), waivers=waivers, usage=usage, members=members)


def called(gate: Gate) -> str:
    """Return what a gate is called, as the squad would call it."""
    return gate.name or type(gate).__name__.lower()


def cited(name: str, verdict: Verdict) -> Cited:
    """Return how a panel's verdict cites a member's."""
    return Cited(name=name, decision=verdict.kind, looked=verdict.looked, findings=FindingCounts.of(verdict.findings))


def _outvoted(found: Finding, by: str) -> Finding:
    """Return a finding of a member whose refusal did not decide, as a note that says so."""
    return found.but(severity=Severity.NOTE, message=f"{by} refuses, and was outvoted: {found.message}"[:_TEXT_MAX])


def _distinct(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return tuple(f for number, f in enumerate(findings) if f not in findings[:number])


def _sum(usages: Iterable[Usage]) -> Usage:
    tokens = cost = calls = 0
    for usage in usages:
        tokens, cost, calls = tokens + usage.tokens, cost + usage.cost_microusd, calls + usage.calls
    return Usage(tokens=tokens, cost_microusd=cost, calls=calls)

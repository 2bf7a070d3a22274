"""A panel gives one verdict that its members' come to: silence never helps, and every vote is cited."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, Builder, Finding, Gate, InvalidSquad, Packet, Refused, Severity, Squad
from squads.contracts.errors import SelfGate
from squads.contracts.finding import Usage
from squads.contracts.packet import AttemptKind
from squads.contracts.work import BuildWork, ReviewWork
from squads.gates.panel import Panel
from squads.gates.unsafe import UnsafeNoGate
from squads.resolve import prior_of, record_of_role

WORK = ReviewWork(
    packet=Packet(brief="It."), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=Artifact.of({"a": "x"})
)
FAULT = Finding(invariant="a.b", message="wrong", severity=Severity.MAJOR)
SAY = {
    "yes": Approved(looked=2),
    "no": Refused(findings=(FAULT,), looked=3),
    "blind": Abstained(reason="no eyes"),
    "idle": Approved(looked=0),
}


class Member(Gate):
    def __init__(self, name: str, says: Any) -> None:
        self.name, self.says, self.asked = name, says, 0
        self.prior = name

    async def review(self, work: ReviewWork) -> Any:
        self.asked += 1
        if isinstance(self.says, BaseException):
            raise self.says
        if self.says == "silence":
            await asyncio.Event().wait()
        return self.says


def panel(*votes: str, **options: Any) -> Panel:
    return Panel(*(Member(f"m{n}", SAY.get(vote, vote)) for n, vote in enumerate(votes)), **options)


@pytest.mark.parametrize(
    ("votes", "kind"),
    [
        (("yes", "yes"), "approved"),
        (("yes", "no"), "refused"),
        (("yes", "blind"), "abstained"),
        (("no", "blind"), "refused"),
        (("blind", "blind"), "abstained"),
    ],
)
async def test_any_member_may_refuse(votes: tuple[str, ...], kind: str) -> None:
    """Without another rule every member must approve."""
    assert kind == (await panel(*votes).answer(WORK)).kind


@pytest.mark.parametrize(
    ("votes", "kind"),
    [
        (("yes", "yes", "no"), "approved"),
        (("yes", "yes", "blind"), "approved"),
        (("yes", "no", "no"), "refused"),
        (("yes", "no", "blind"), "abstained"),
        (("yes", "blind", "blind"), "abstained"),
        (("no", "no", "blind"), "refused"),
    ],
)
async def test_k_of_n_counts_approvals(votes: tuple[str, ...], kind: str) -> None:
    """It refuses when refusals alone rule k out; where it hangs on who could not look, it has not looked either."""
    assert kind == (await panel(*votes, approvals_min=2).answer(WORK)).kind


@pytest.mark.parametrize(
    ("votes", "approvals_min", "kind"),
    [
        (("idle", "no"), 1, "refused"),
        (("idle", "blind"), 1, "abstained"),
        (("idle", "yes", "no"), 2, "refused"),
        (("idle", "yes"), 2, "approved"),
        (("idle", "idle"), 1, "approved"),
    ],
)
async def test_who_had_nothing_to_look_at_outvotes_nobody(
    votes: tuple[str, ...], approvals_min: int, kind: str
) -> None:
    """An approval of nothing is silence: it neither carries a panel nor holds it up."""
    assert kind == (await panel(*votes, approvals_min=approvals_min).answer(WORK)).kind


@pytest.mark.parametrize(("first", "kind"), [("yes", "approved"), ("no", "refused"), ("blind", "abstained")])
async def test_a_veto_outweighs_any_number(first: str, kind: str) -> None:
    """Without the approval of who has the veto nothing passes, however many others approve."""
    assert kind == (await panel(first, "yes", "yes", approvals_min=1, veto=["m0"]).answer(WORK)).kind


async def test_a_cascade_asks_no_more_than_it_takes() -> None:
    """The cheap one refuses, and the dear one is never asked."""
    refusing = panel("yes", "no", "yes", cascade=True)
    passing = panel("yes", "yes", "no", cascade=True, approvals_min=2)

    assert "refused" == (await refusing.answer(WORK)).kind
    assert [1, 1, 0] == [m.asked for m in refusing.members]  # type: ignore[attr-defined]
    assert "approved" == (await passing.answer(WORK)).kind
    assert [1, 1, 0] == [m.asked for m in passing.members]  # type: ignore[attr-defined]


async def test_a_cascade_goes_on_after_who_could_not_look() -> None:
    """A later member may still find what refuses, and a refusal brings findings."""
    seen = panel("blind", "no", cascade=True)

    assert "refused" == (await seen.answer(WORK)).kind


@pytest.mark.parametrize("rule", [{}, {"approvals_min": 1}, {"approvals_min": 2}, {"veto": ["m1"], "approvals_min": 1}])
async def test_a_cascade_decides_as_its_rule_would(rule: dict[str, Any]) -> None:
    """Asking fewer members changes the cost and never lets more through."""
    for votes in itertools.product(SAY, repeat=3):
        together = (await panel(*votes, **rule).answer(WORK)).kind
        in_turn = (await panel(*votes, **rule, cascade=True).answer(WORK)).kind

        assert together == in_turn, votes


@pytest.mark.parametrize(
    "odd", [RuntimeError("secret-7"), SystemExit(0), None, "approved"], ids=["crash", "exit", "nothing", "text"]
)
async def test_a_member_that_fails_has_abstained(odd: Any) -> None:
    """Whatever goes wrong inside a member lets nothing through, and what it raised stays inside."""
    verdict = await Panel(Member("good", SAY["yes"]), Member("odd", odd)).answer(WORK)

    assert isinstance(verdict, Abstained)
    assert "odd" in verdict.reason
    assert "secret-7" not in verdict.reason


async def test_a_member_that_hangs_has_abstained() -> None:
    """`seconds_max` bounds each member."""
    verdict = await Panel(Member("good", SAY["yes"]), Member("slow", "silence"), seconds_max=0.01).answer(WORK)

    assert isinstance(verdict, Abstained)
    assert "slow gave no answer" in verdict.reason


async def test_the_verdict_cites_every_vote() -> None:
    """Who was outvoted stands in it, its findings ride along as notes, and usage adds up."""
    costly = Refused(findings=(FAULT,), usage=Usage(tokens=5, cost_microusd=7, calls=1))
    verdict = await Panel(Member("a", SAY["yes"]), Member("b", costly), approvals_min=1).answer(WORK)

    assert isinstance(verdict, Approved)
    assert [("a", "approved", 0), ("b", "refused", 1)] == [
        (m.name, m.decision, m.findings.total) for m in verdict.members
    ]
    assert [Severity.NOTE] == [n.severity for n in verdict.notes]
    assert verdict.notes[0].message.startswith("b refuses, and was outvoted")
    assert (5, 7, 1) == (verdict.usage.tokens, verdict.usage.cost_microusd, verdict.usage.calls)
    assert 2 == verdict.looked


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Panel(Member("a", None)), "give it at least 2"),
        (lambda: Panel(Member("a", None), Member("a", None)), "another `name`"),
        (lambda: panel("yes", "yes", approvals_min=0), "can never decide"),
        (lambda: panel("yes", "yes", approvals_min=3), "can never decide"),
        (lambda: panel("yes", "yes", veto=["m7"]), "is no member"),
        (lambda: Panel(Member("a", None), object()), "is no gate"),  # type: ignore[arg-type]
    ],
    ids=["one", "twins", "none", "too many", "stranger", "no gate"],
)
def test_a_panel_that_cannot_decide_does_not_construct(make: Any, word: str) -> None:
    """The sentence says what to change."""
    with pytest.raises(InvalidSquad, match=word):
        make()


def test_members_that_read_different_attempts_do_not_sit_together() -> None:
    """A panel reads what all of its members read."""
    plans = Member("a", None)
    plans.reads = (AttemptKind.PLAN,)

    with pytest.raises(InvalidSquad, match="none is read by all"):
        Panel(plans, Member("b", None))


class Twin(Builder):
    name = "twin"

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


def test_nobody_judges_their_own_work_from_inside_a_panel() -> None:
    """A member with the builder's very prior is found through any number of panels."""

    class Both(Member):
        pass

    both = Both("b", None)
    outer = Panel(Panel(both, Member("c", None), name="inner"), Member("d", None), name="outer")
    builder = Twin()
    record = record_of_role(outer)

    assert {"inner", "b", "c", "d"} == {m.name for m in record.members}
    assert prior_of(both) in {m.prior for m in record.members}
    builder.name = "b"
    with pytest.raises(SelfGate):
        Squad(builder=builder, gates=[outer])


def test_a_members_prior_is_part_of_the_panels() -> None:
    """Another member is another panel, also where the rule is the same."""
    assert prior_of(panel("yes", "yes")) != prior_of(Panel(Member("m0", None), Member("m9", None)))


def test_a_panel_with_an_unsafe_member_is_unsafe() -> None:
    """Its name stands in every receipt."""
    assert record_of_role(Panel(Member("a", None), UnsafeNoGate())).unsafe
    assert not record_of_role(panel("yes", "yes")).unsafe


async def test_a_squad_runs_with_a_panel() -> None:
    """The ledger holds one verdict, and its words hold all of them."""
    outcome = await Squad(builder=Twin(), gates=[panel("yes", "no", "yes", approvals_min=2)]).run("It.")

    assert "composed" == outcome.kind
    (judged,) = outcome.judgements
    assert ["approved", "refused", "approved"] == [m.decision for m in judged.verdict.members]

"""The coordinator's port, its usual end-to-end check, and the one that comes with the library."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, Finding, Location, Objection, Packet, Plan, Predicate, Refused, Task
from squads.contracts.packet import AttemptKind
from squads.contracts.plan import Acceptance
from squads.contracts.work import AcceptWork, Complaint, PlanWork, ReviewWork
from squads.roles.coordinator import Coordinator, OneTask

PLAN = Plan(tasks=(Task(name="a", brief="x", builder="b"), Task(name="b", brief="y", builder="b")))


def accepting(*verdicts: Any, refused: bool = False, done_when: tuple[Predicate, ...] = ()) -> AcceptWork:
    parts = {"a": Artifact.of({"a.txt": "a"}), "b": Artifact.of({"b.txt": "b"})}
    return AcceptWork(
        packet=Packet(brief="It.", done_when=done_when),
        composition=Artifact.of({"a.txt": "a", "b.txt": "b"}),
        plan=PLAN,
        parts=parts,
        verdicts=tuple((gate, verdict, f"{n:064x}") for n, (gate, verdict) in enumerate(verdicts)),
        refused=refused,
    )


async def answer(work: AcceptWork) -> Acceptance:
    reply = await OneTask().answer(work)
    assert isinstance(reply, Acceptance)
    return reply


TESTED = Predicate(id="tested", sentence="It is tested.", check="tests")


async def test_a_predicate_is_answered_by_its_gate() -> None:
    """The evidence is that gate's sealed approval; another gate's says nothing."""
    reply = await answer(accepting(("style", Approved()), ("tests", Approved()), done_when=(TESTED,)))

    assert [(h.predicate, h.holds, h.evidence) for h in reply.held] == [("tested", True, f"{1:064x}")]
    assert reply.reopen == ()


@pytest.mark.parametrize(
    "verdicts",
    [(), (("style", Approved()),), (("tests", Abstained(reason="no")),)],
    ids=["nobody", "another gate", "an abstention"],
)
async def test_what_nothing_shows_does_not_hold(verdicts: Any) -> None:
    """Only an approval is evidence."""
    reply = await answer(accepting(*verdicts, done_when=(TESTED,)))

    assert reply.held == ()
    assert reply.reasons == ("nothing shows that this holds: tested",)


async def test_a_refused_composition_re_opens_what_its_findings_name() -> None:
    """By the files of each part; where no file is named, all of them."""
    finding = Finding(invariant="a.b", message="no", location=Location(path="b.txt", line=3))
    named = await answer(accepting(("whole", Refused(findings=(finding,))), refused=True))
    unnamed = await answer(accepting(("whole", Refused(findings=(finding.but(location=None),))), refused=True))

    assert named.reopen == ("b",)
    assert unnamed.reopen == ("a", "b")


def planning(**more: Any) -> PlanWork:
    return PlanWork(packet=Packet(brief="It."), attempt=1, builders=("maker",), gates=("style",), **more)


async def test_one_task_is_the_packets_brief() -> None:
    """For the one builder there is."""
    reply = await OneTask().answer(planning())

    assert reply == Plan(tasks=(Task(name="work", brief="It.", builder="maker"),))


async def test_one_task_cannot_amend() -> None:
    """It refuses the packet, with every complaint."""
    reply = await OneTask().answer(
        planning(previous=PLAN, complaints=(Complaint(task="a", cause="refused"), Complaint(task=None, cause="failed")))
    )

    assert isinstance(reply, Objection)
    assert reply.reasons == ("refused", "failed")


async def test_a_coordinator_plans_and_accepts_only() -> None:
    """Other work is refused."""
    review = ReviewWork(packet=Packet(brief="x"), reads=AttemptKind.PLAN, attempt=1, brief="x")
    with pytest.raises(TypeError, match="it was given ReviewWork"):
        await OneTask().answer(review)


async def test_a_coordinator_may_be_asynchronous() -> None:
    """Both of its methods."""

    class Slow(Coordinator):
        async def plan(self, work: PlanWork) -> Plan:
            return PLAN

        async def accept(self, work: AcceptWork) -> Acceptance:
            return work.accept()

    assert await Slow().answer(planning()) == PLAN
    assert await Slow().answer(accepting()) == Acceptance()

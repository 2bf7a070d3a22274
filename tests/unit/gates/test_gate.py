"""The gate's port: one verdict, whatever happens, and nothing that refuses rides along with an approval."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Abstained, Approved, Artifact, Finding, Gate, InvalidInput, Packet, Refused, Severity
from squads.contracts.packet import AttemptKind
from squads.contracts.work import BuildWork, ReviewWork

WORK = ReviewWork(
    packet=Packet(brief="It."), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=Artifact.of({"a": "x"})
)


def finding(severity: Severity) -> Finding:
    return Finding(invariant="a.b", message=severity.value, severity=severity)


class Says(Gate):
    name = "says"

    def __init__(self, reply: Any, refuse_at: Severity = Severity.MAJOR) -> None:
        self.reply = reply
        self.refuse_at = refuse_at

    def review(self, work: ReviewWork) -> Any:
        return self.reply


@pytest.mark.parametrize(
    "verdict", [Approved(), Refused(findings=(finding(Severity.NOTE),)), Abstained(reason="no")], ids=lambda v: v.kind
)
async def test_a_verdict_is_a_verdict(verdict: Any) -> None:
    """It goes out as it was given: a gate may refuse for a note."""
    assert await Says(verdict).answer(WORK) == verdict


@pytest.mark.parametrize("odd", [None, True, "approved", [], Approved], ids=lambda odd: repr(odd).split(" at 0x")[0])
async def test_anything_else_is_an_abstention(odd: Any) -> None:
    """Returning nothing is not approving."""
    reply = await Says(odd).answer(WORK)

    assert isinstance(reply, Abstained)
    assert "instead of a verdict" in reply.reason


async def test_a_gate_may_be_asynchronous() -> None:
    """The port awaits."""

    class Slow(Gate):
        async def review(self, work: ReviewWork) -> Approved:
            return work.approve(looked=2)

    assert await Slow().answer(WORK) == Approved(looked=2)


@pytest.mark.parametrize("refuse_at", list(Severity))
@pytest.mark.parametrize("severity", list(Severity))
async def test_a_finding_refuses_from_the_gates_severity_on(severity: Severity, refuse_at: Severity) -> None:
    """Below it is a note; from it on an approval that carries it is a refusal, whatever the gate calls it."""
    gate = Says(Approved(notes=(finding(severity),), looked=3), refuse_at)
    decided = gate.decide([finding(severity)], looked=3)
    reply = await gate.answer(WORK)

    assert isinstance(decided, Refused) is (severity.weight >= refuse_at.weight)
    assert reply == decided
    assert reply.looked == 3  # type: ignore[union-attr]


def test_no_findings_approve() -> None:
    """With how many files were read."""
    assert Says(None).decide((), looked=0) == Approved(looked=0)


async def test_a_gate_only_reads() -> None:
    """Other work is refused."""
    work = BuildWork(packet=WORK.packet, task="t", brief="x", attempt=1, author="b", salt="ab" * 32)
    with pytest.raises(TypeError, match="it was given BuildWork"):
        await Says(Approved()).answer(work)


def test_a_refusal_names_what_is_wrong() -> None:
    """Without a finding it cannot be written down, and an abstention not without a reason."""
    with pytest.raises(InvalidInput, match=r"Refused\.findings"):
        WORK.refuse()
    with pytest.raises(InvalidInput, match=r"Abstained\.reason"):
        WORK.abstain("")


async def test_what_a_gate_raises_is_raised() -> None:
    """The worker makes a fault of it; the gate itself hides nothing."""

    class Broken(Gate):
        def review(self, work: ReviewWork) -> Approved:
            raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        await Broken().answer(WORK)

"""The way out: it approves without reading, and says so."""

from __future__ import annotations

from squads import Approved, Artifact, Packet, UnsafeNoGate
from squads.contracts.packet import AttemptKind
from squads.contracts.work import ReviewWork
from squads.resolve import record_of_role
from squads.testing import ScriptedGate

WORK = ReviewWork(
    packet=Packet(brief="It."), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=Artifact.of({"a": "x"})
)


async def test_it_says_that_nobody_looked() -> None:
    """An approval of nothing read."""
    assert await UnsafeNoGate().answer(WORK) == Approved(looked=0)


def test_it_is_the_only_one_that_is_called_unsafe() -> None:
    """Its record says so, by name and by flag."""
    record = record_of_role(UnsafeNoGate())

    assert (record.name, record.unsafe) == ("unsafe-no-gate", True)
    assert record_of_role(ScriptedGate("safe")).unsafe is False

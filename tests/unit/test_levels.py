"""Who waits until something is anchored: whoever is told that a packet composed, and whoever is told of a refusal."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from squads import Approved, Artifact, Composed, Finding, Squad
from squads.adapters.memory_anchor import MemoryAnchor
from squads.contracts.errors import NotAnchored, StorageUnavailable
from squads.contracts.records import FinishRecord, VerdictRecord
from squads.contracts.work import BuildWork
from squads.testing import ScriptedBuilder, ScriptedGate

FINDING = Finding(invariant="a.b", message="no")


class Gated(MemoryAnchor):
    """An anchor that takes notes while it is open."""

    def __init__(self) -> None:
        super().__init__("gated")
        self.open = True
        self.came = asyncio.Event()

    async def put(self, note: str) -> None:
        if not self.open:
            raise StorageUnavailable("gated is away")
        await super().put(note)
        self.came.set()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits in vain does so for a moment only."""
    monkeypatch.setattr("squads.anchoring.Anchoring.wait.__kwdefaults__", {"timeout_seconds": 0.1})
    monkeypatch.setattr("squads.anchoring.Anchoring.rest.__kwdefaults__", {"timeout_seconds": 0.1})
    monkeypatch.setattr("squads.anchoring.BACKOFF_SECONDS_MAX", 0.01)


async def squad(anchor: MemoryAnchor, *builds: Any, gate: tuple[Any, ...] = (Approved(),), **policy: Any) -> Squad:
    made = Squad(
        builder=ScriptedBuilder(*builds, prior="b"), gates=[ScriptedGate("style", *gate, prior="g")], anchors=[anchor]
    )
    workspace = await made.workspace()
    await workspace.set_policy(**policy)
    return made


def newest(notes: list[str]) -> int:
    return int(notes[-1].split("\n")[1]) if notes else 0


async def test_nobody_hears_that_a_packet_composed_before_that_is_anchored() -> None:
    """The finish receipt stands under a checkpoint outside when `run` returns."""
    anchor = MemoryAnchor()
    made = await squad(anchor, {"a": "x"}, end_level="anchored")

    async with made:
        outcome = await made.run("It.")
        size = (await (await made.workspace()).ledger.head()).size
        covered = newest(await anchor.notes())

    assert isinstance(outcome, Composed)
    assert size == covered


async def test_an_anchor_that_stays_away_keeps_the_outcome_back_and_nothing_is_lost() -> None:
    """It has composed in the ledger; the error says so, and `resume` tells it once it is anchored."""
    anchor = Gated()
    made = await squad(anchor, {"a": "x"}, end_level="anchored")
    async with made:
        await (await made.workspace()).anchoring.wait(1)
        anchor.open = False
        with pytest.raises(NotAnchored, match="has composed, and by this workspace's policy") as raised:
            await made.run("It.")
        packet = str(raised.value).split()[1]
        anchor.open = True

        assert isinstance(await made.resume(packet), Composed)


async def test_a_stream_keeps_the_finish_receipt_back_as_well() -> None:
    """Every receipt before it is told as it comes."""
    anchor = Gated()
    made = await squad(anchor, {"a": "x"}, end_level="anchored")
    told: list[Any] = []
    async with made:
        await (await made.workspace()).anchoring.wait(1)
        anchor.open = False

        async def follow() -> None:
            async for happened in made.stream("It."):
                told.append(happened)  # noqa: PERF401

        with pytest.raises(NotAnchored):
            await follow()

    assert any(isinstance(record, VerdictRecord) for record in told)
    assert not any(isinstance(record, FinishRecord) for record in told)


async def test_an_author_hears_of_a_refusal_only_after_it_is_anchored() -> None:
    """A refusal that the author knows of cannot be cut off any more."""
    anchor = MemoryAnchor()
    seen: list[tuple[int, int]] = []

    async def build(work: BuildWork) -> Artifact:
        tickets = await (await made.workspace()).ledger.head()
        seen.append((newest(await anchor.notes()), tickets.size))
        return work.artifact({"a": str(work.attempt)})

    made = await squad(anchor, build, build, gate=(FINDING, Approved()), refusal_level="anchored")
    async with made:
        outcome = await made.run("It.")

    assert isinstance(outcome, Composed)
    (_, _), (covered, size) = seen
    assert size == covered


async def test_where_the_refusal_cannot_be_anchored_its_author_is_not_asked_again() -> None:
    """Resuming goes on with exactly that, once it can be."""
    anchor = Gated()
    made = await squad(anchor, {"a": "1"}, {"a": "2"}, gate=(FINDING, Approved()), refusal_level="anchored")
    builder: Any = made._roles["builder"][0]
    async with made:
        await (await made.workspace()).anchoring.wait(1)
        anchor.open = False
        with pytest.raises(NotAnchored, match="its author is not told before") as raised:
            await made.run("It.")
        packet = str(raised.value).split()[1]
        with pytest.raises(NotAnchored):
            await made.resume(packet)
        assert 1 == len(builder.script.asked)
        anchor.open = True

        assert isinstance(await made.resume(packet), Composed)


async def test_without_such_a_policy_nobody_waits_and_a_refusal_goes_out_at_once() -> None:
    """The default: anchored in the background, and refusals without waiting for the interval."""
    anchor = Gated()
    made = await squad(anchor, {"a": "1"}, {"a": "2"}, gate=(FINDING, Approved()))
    async with made:
        anchor.open = False
        assert isinstance(await made.run("It."), Composed)
        anchor.open = True


async def test_a_refusal_does_not_wait_for_the_interval() -> None:
    """The window in which it could be cut off is as short as the way to the anchor."""
    anchor = Gated()
    covered: list[int] = []

    async def build(work: BuildWork) -> Artifact:
        if work.attempt > 1:
            async with asyncio.timeout(5):  # half of the interval
                await anchor.came.wait()
        anchor.came.clear()
        covered.append(newest(await anchor.notes()))
        return work.artifact({"a": str(work.attempt)})

    made = await squad(anchor, build, build, gate=(FINDING, Approved()))
    async with made:
        await (await made.workspace()).anchoring.wait(1)
        assert isinstance(await made.run("It."), Composed)
    assert covered[0] < covered[1]

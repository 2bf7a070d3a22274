"""What a packet was opened with is what it goes on with: roles, bytes, and what kind of file they are."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from squads import Approved, Artifact, Builder, Composed, Finding, Gate, Halted, NotComposed, Squad
from squads.contracts.errors import InvalidSquad, StorageUnavailable
from squads.contracts.verdict import Verdict
from squads.contracts.work import BuildWork, ReviewWork
from squads.testing import ScriptedBuilder, ScriptedGate


class Mason(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"wall.txt": "stone"})


class Strict(Gate):
    name = "schema"
    prior = "Refuses."

    def review(self, work: ReviewWork) -> Verdict:
        return work.refuse(Finding(invariant="wall.none", message="No walls."))


class Lax(Gate):
    name = "schema"
    prior = "Approves."

    def review(self, work: ReviewWork) -> Verdict:
        return work.approve()


async def test_a_gate_cannot_be_swapped_under_an_open_packet(tmp_path: Path) -> None:
    """A packet resumed by a squad whose gate of that name is another one asks nobody, and says why."""
    strict = Squad(builder=Mason(), gates=[Strict()], store=tmp_path / "s")
    async with strict:
        stream = strict.stream("A wall.")
        async for event in stream:
            packet = event.packet
            if event.kind == "plan":
                await strict.stop("look first")
                break
        await stream.aclose()  # type: ignore[attr-defined]
    lax = Squad(builder=Mason(), gates=[Lax()], store=tmp_path / "s")
    assert isinstance(await lax.resume(packet), Halted)
    await lax.lift("go on", person="owner")

    with pytest.raises(InvalidSquad, match="opened with another gate 'schema'"):
        await lax.resume(packet)
    await lax.close()

    again = Squad(builder=Mason(), gates=[Strict()], store=tmp_path / "s")
    assert isinstance(await again.resume(packet), NotComposed)
    await again.close()


async def test_a_stop_by_another_process_is_seen_before_a_role_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that waits for its slot does not begin after somebody else stopped everything, and goes on when lifted."""
    monkeypatch.setattr("squads.own_stream.FRESH_SECONDS", 0.0)
    monkeypatch.setattr("squads.runner.LOOK_SECONDS", 0.01)
    other = Squad(builder=Mason(), gates=[Lax()], store=tmp_path / "s")
    async with Squad(builder=Mason(), gates=[Lax()], store=tmp_path / "s") as team, other:
        assert team._session is not None
        runner = team._session.runner
        await asyncio.wait_for(runner.permit("ab" * 16), 5)
        await other.stop("enough")

        waiting = asyncio.create_task(runner.permit("ab" * 16))
        await asyncio.wait({waiting}, timeout=0.05)
        assert not waiting.done()

        await other.lift("go on", person="owner")
        await asyncio.wait_for(waiting, 5)


async def test_a_stop_that_cannot_be_read_is_a_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the ledger cannot be read nobody knows whether everything was stopped, so nobody begins."""
    monkeypatch.setattr("squads.own_stream.FRESH_SECONDS", 0.0)
    monkeypatch.setattr("squads.runner.LOOK_SECONDS", 0.01)
    async with Squad(builder=Mason(), gates=[Lax()]) as team:
        assert team._session is not None
        runner, ledger = team._session.runner, team._session.workspace.ledger
        read = ledger.read

        async def fails(stream: str, *, start: int = 0) -> list[object]:
            raise StorageUnavailable("gone")

        monkeypatch.setattr(ledger, "read", fails)
        waiting = asyncio.create_task(runner.permit("ab" * 16))
        await asyncio.wait({waiting}, timeout=0.05)
        assert not waiting.done()

        monkeypatch.setattr(ledger, "read", read)
        await asyncio.wait_for(waiting, 5)


async def test_the_same_bytes_may_be_handed_in_again_for_a_waiver() -> None:
    """A waiver is for exactly these bytes: the builder hands them in once more, and the gate may cite it."""
    squad: Squad

    async def again(work: BuildWork) -> Artifact:
        assert work.previous is not None
        workspace = await squad.workspace()
        packet = next(s for s in await workspace.ledger.streams() if s != "workspace")
        await workspace.grant("human:owner", "waiver")
        later = workspace.now_ms() + 60_000
        words = {"gate": "style", "reason": "agreed", "person": "owner"}
        await squad.waive(packet, artifact=work.previous.digest, expires_ms=later, **words)
        return work.previous

    def cite(work: ReviewWork) -> Approved:
        return work.approve(waivers=[w.id for w in work.waivers])

    fault = Finding(invariant="a.b", message="Odd.")
    gate = ScriptedGate("style", lambda work: work.refuse(fault), cite)
    squad = Squad(builder=ScriptedBuilder({"a.txt": "x"}, again), gates=[gate])

    outcome = await squad.run("It.")

    assert isinstance(outcome, Composed)
    assert outcome.judgements[0].subject == outcome.judgements[1].subject
    assert len(outcome.judgements[1].verdict.waivers) == 1


def test_what_kind_of_file_it_is_belongs_to_the_bytes_that_are_judged() -> None:
    """A file that becomes executable, or a link, is another artifact."""
    kinds = ({}, {"run.sh": "executable"}, {"run.sh": "link"})
    digests = {Artifact.of({"run.sh": "x"}, modes=modes).digest for modes in kinds}

    assert len(digests) == 3


async def test_a_squad_may_be_held_twice(tmp_path: Path) -> None:
    """The inner block ends without taking the outer one's workers or ledger away."""
    team = Squad(builder=Mason(), gates=[Lax()], store=tmp_path / "s")
    async with team:
        async with team:
            assert isinstance(await team.run("one"), Composed)

        assert isinstance(await team.run("two"), Composed)

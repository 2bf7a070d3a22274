"""A squad that serves its workspace: open packets that nobody holds are taken up, until they have ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, Artifact, AwaitingApproval, Composed, Squad
from squads.audit import audit
from squads.contracts.work import BuildWork
from squads.serving import Serving
from squads.testing import ScriptedBuilder, ScriptedGate


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr("squads.runner.LOOK_SECONDS", 0.01)
    caplog.set_level(logging.INFO, "squads.serve")


def make(work: BuildWork) -> Artifact:
    return work.artifact({"a": work.brief})


def squad(store: Path, *builds: Any, gate: int = 1, prior: str = "b", **more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder(*builds, prior=prior),
        gates=[ScriptedGate("style", *[Approved()] * gate, prior="g")],
        store=store,
        **more,
    )


async def left_open(store: Path, count: int = 1) -> list[str]:
    """Open packets whose builder is never done, let go of them, and return their ids."""

    async def for_ever(work: BuildWork) -> Artifact:
        await asyncio.Event().wait()
        return make(work)

    async with squad(store, *[for_ever] * count, gate=0) as made:
        running = [asyncio.create_task(made.run(f"{n}")) for n in range(count)]
        ledger = (await made.workspace()).ledger
        while len(await ledger.streams()) < count + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        packets = (await ledger.streams())[1:]
        while any([len(await ledger.read(packet)) < 4 for packet in packets]):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        for run in running:
            run.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return packets


class Counted(Serving):
    """Says how often it has looked."""

    looks = 0

    async def look(self) -> None:
        await super().look()
        self.looks += 1

    async def looked(self, times: int = 3) -> None:
        """Return when it has looked so often once more."""
        wanted = self.looks + times

        async def enough() -> bool:
            return self.looks >= wanted

        await until(enough)


@asynccontextmanager
async def served(made: Squad) -> AsyncIterator[Counted]:
    """Serve inside the block, looking often."""
    end = asyncio.Event()
    async with made, made._open_session() as session:
        records = {name: record for name, (_, record) in made._roles.items()}
        serving = Counted(session, records, look_seconds=0.01)
        task = asyncio.create_task(serving.until(end))
        try:
            yield serving
        finally:
            end.set()
            await asyncio.wait_for(task, 10)


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "squads.serve"]


async def test_what_others_left_open_is_brought_to_its_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Every open packet, with one line when it is taken up and one when it has ended."""
    store = tmp_path / "s"
    packets = await left_open(store, 3)
    async with served(squad(store, *[make] * 3, gate=3)):

        async def all_ended() -> bool:
            return len(told(caplog)) == 6

        await until(all_ended)

    assert {f"packet {p}: taken up" for p in packets} | {f"packet {p}: ended: composed" for p in packets} == set(
        told(caplog)
    )
    assert audit(store).failed == ()


async def test_serving_ends_with_its_event_and_gives_back_what_is_open(tmp_path: Path) -> None:
    """`Squad.serve` itself: what waits for people stays open, and nobody holds it afterwards."""
    store = tmp_path / "s"
    rule = ApprovalRule(approvers=("owner",))
    async with squad(store, make, approval=rule) as first:
        waiting = await first.run("It.")
    assert isinstance(waiting, AwaitingApproval)
    serves, end = squad(store, gate=0, approval=rule), asyncio.Event()
    async with serves:
        leases = (await serves.workspace()).ledger.leases
        serving = asyncio.create_task(serves.serve(end))

        async def held() -> bool:
            return await leases.look(waiting.packet) is not None

        await until(held)
        end.set()
        await asyncio.wait_for(serving, 10)
        assert not serving.cancelled()
    async with squad(store, gate=0, approval=rule) as again:
        assert await (await again.workspace()).ledger.leases.look(waiting.packet) is None


async def test_what_a_living_runner_holds_is_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Until that one lets go of it."""
    store = tmp_path / "s"
    rule = ApprovalRule(approvers=("owner",))
    holds = squad(store, make, approval=rule)
    async with holds:
        waiting = await holds.run("It.")
        async with served(squad(store, gate=0, approval=rule)) as serving:
            leases = (await holds.workspace()).ledger.leases
            mine = await leases.look(waiting.packet)
            await serving.looked()
            assert mine == await leases.look(waiting.packet)
            assert [] == told(caplog)
            outcome = await holds.answer(waiting.packet, person="owner", approve=True)

    assert isinstance(outcome, Composed)


async def test_an_answer_ends_what_is_served(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A person answers in another process; whoever serves notices it and says so."""
    store = tmp_path / "s"
    rule = ApprovalRule(approvers=("owner",))
    async with squad(store, make, approval=rule) as first:
        waiting = await first.run("It.")
    async with served(squad(store, gate=0, approval=rule)), squad(store, gate=0, approval=rule) as answers:

        async def held() -> bool:
            return len(told(caplog)) == 1

        await until(held)
        assert isinstance(await answers.answer(waiting.packet, person="owner", approve=True), Composed)

        async def ended() -> bool:
            return told(caplog)[1:] == [f"packet {waiting.packet}: ended: composed"]

        await until(ended)


async def test_packets_of_other_roles_are_left_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One line says so, once; a squad with exactly those roles may take them up."""
    store = tmp_path / "s"
    (packet,) = await left_open(store)
    async with served(squad(store, gate=0, prior="another builder")) as serving:

        async def said() -> bool:
            return bool(told(caplog))

        await until(said)
        await serving.looked()

    assert [f"packet {packet}: left alone: it was opened with another builder than this squad has"] == told(caplog)


async def test_a_stopped_packet_is_taken_up_after_the_lift(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is held for a packet that stands still anyway."""
    store = tmp_path / "s"
    (packet,) = await left_open(store)
    async with squad(store, gate=0) as stops:
        await stops.stop("wait")
        async with served(squad(store, make)) as serving:
            await serving.looked()
            assert [] == told(caplog)
            await stops.lift("go on", person="owner")

            async def ended() -> bool:
                return len(told(caplog)) == 2

            await until(ended)

    assert f"packet {packet}: ended: composed" == told(caplog)[1]

"""Several runners on one ledger: one of them holds a packet, the others follow it, and take over when it ends."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, Artifact, AwaitingApproval, Composed, Halted, Squad
from squads.audit import audit
from squads.contracts.errors import StorageUnavailable
from squads.contracts.work import BuildWork
from squads.testing import ScriptedBuilder, ScriptedGate


def squad(store: Path, *builds: Any, gate: int = 1, **more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder(*builds, prior="b"),
        gates=[ScriptedGate("style", *[Approved()] * gate, prior="g")],
        store=store,
        **more,
    )


def make(work: BuildWork) -> Artifact:
    return work.artifact({"a": work.brief})


async def test_two_squads_share_a_store(tmp_path: Path) -> None:
    """Each runs packets of its own at the same time; every conflict is folded and tried again."""
    async with squad(tmp_path / "s", *[make] * 20, gate=20) as one, squad(tmp_path / "s", *[make] * 20, gate=20) as two:
        outcomes = await asyncio.gather(*(s.run(f"{n}") for n in range(20) for s in (one, two)))

    assert all(isinstance(o, Composed) for o in outcomes)
    found = audit(tmp_path / "s")
    assert found.failed == ()
    assert found.packets == 40


async def test_keys_that_come_later_do_not_disturb_what_runs(tmp_path: Path) -> None:
    """Another squad registers roles while packets run: the view is read on, and the packets go on."""
    reached = asyncio.Event()
    let_go = asyncio.Event()

    async def held(work: BuildWork) -> Artifact:
        reached.set()
        await let_go.wait()
        return make(work)

    async with squad(tmp_path / "s", held) as one:
        running = asyncio.create_task(one.run("It."))
        await reached.wait()
        other = Squad(builder=ScriptedBuilder(name="mason"), gates=[ScriptedGate("tests")], store=tmp_path / "s")
        await other.workspace()
        await other.close()
        let_go.set()

        assert isinstance(await asyncio.wait_for(running, 10), Composed)


class Held:
    """A builder's reply that waits until it is let go."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, work: BuildWork) -> Artifact:
        self.reached.set()
        await self.let_go.wait()
        return make(work)


async def opened_packet(made: Squad) -> str:
    """Return the packet that was opened last."""
    return (await (await made.workspace()).ledger.streams())[-1]


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("squads.runner.LOOK_SECONDS", 0.01)


async def test_who_resumes_what_another_holds_waits_for_its_end(tmp_path: Path) -> None:
    """One asks the roles; the other follows, asks nobody, says who holds it, and returns the same outcome."""
    held = Held()
    told: list[str] = []
    async with squad(tmp_path / "s", held) as one, squad(tmp_path / "s", gate=0) as two:
        running = asyncio.create_task(one.run("It."))
        await held.reached.wait()
        resuming = asyncio.create_task(two.resume(await opened_packet(one), held=told.append))
        while not told:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        held.let_go.set()
        here, elsewhere = await asyncio.wait_for(asyncio.gather(running, resuming), 10)

    assert isinstance(here, Composed)
    assert here == elsewhere
    assert [f"process {os.getpid()} on {socket.gethostname()}"] == told
    assert audit(tmp_path / "s").failed == ()


async def test_whoever_follows_takes_over_when_the_holder_ends(tmp_path: Path) -> None:
    """What was not answered is asked once more, by the one that has the packet now."""
    held = Held()
    one, two = squad(tmp_path / "s", held, gate=0), squad(tmp_path / "s", make)
    async with two:
        async with one:
            running = asyncio.create_task(one.run("It."))
            await held.reached.wait()
            resuming = asyncio.create_task(two.resume(await opened_packet(one)))
            while not (await two.workspace()).ledger.leases or not _lanes(two):  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        outcome = await asyncio.wait_for(resuming, 10)

    assert isinstance(outcome, Composed)
    assert audit(tmp_path / "s").failed == ()


def _lanes(made: Squad) -> list[Any]:
    return list(made._session.runner._lanes.values()) if made._session else []


async def test_who_holds_a_packet_notices_what_people_answer_elsewhere(tmp_path: Path) -> None:
    """An answer counts whoever holds the packet, takes it from nobody, and whoever waits for it hears of the end."""
    rule = ApprovalRule(approvers=("owner", "second"), quorum=2)
    people = {"people": ("owner", "second")}
    async with (
        squad(tmp_path / "s", make, approval=rule, **people) as one,
        squad(tmp_path / "s", gate=0, **people) as two,
    ):
        waiting = await one.run("It.")
        assert isinstance(waiting, AwaitingApproval)
        lease = await (await one.workspace()).ledger.leases.look(waiting.packet)
        assert isinstance(await two.answer(waiting.packet, person="owner", approve=True), AwaitingApproval)
        assert await (await two.workspace()).ledger.leases.look(waiting.packet) == lease
        assert isinstance(await two.answer(waiting.packet, person="second", approve=True), Composed)
        (lane,) = _lanes(one)
        while not lane.state.ended:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    assert audit(tmp_path / "s").failed == ()


async def test_a_stop_from_elsewhere_reaches_who_follows(tmp_path: Path) -> None:
    """Whoever waits for a packet that another one holds hears that it was stopped, and goes on after the lift."""
    held = Held()
    async with (
        squad(tmp_path / "s", held) as one,
        squad(tmp_path / "s", gate=0) as two,
        squad(tmp_path / "s", gate=0) as three,
    ):
        running = asyncio.create_task(one.run("It."))
        await held.reached.wait()
        packet = await opened_packet(one)
        resuming = asyncio.create_task(two.resume(packet))
        while not _lanes(two):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await three.stop("wait")
        assert isinstance(await asyncio.wait_for(resuming, 10), Halted)
        await three.lift("go on", person="owner")
        held.let_go.set()

        here, elsewhere = await asyncio.wait_for(asyncio.gather(running, two.resume(packet)), 10)

    assert isinstance(elsewhere, Composed)
    assert isinstance(here, Composed | Halted)


async def test_an_append_that_failed_and_was_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The medium said no and had written it: taking the packet up again finds it, and sends what it had not sent."""
    from squads.adapters.sqlite_ledger import SqliteLedger

    real = SqliteLedger.append
    count = 0

    async def append(self: SqliteLedger, *args: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        made = await real(self, *args, **more)
        if count == at:
            raise StorageUnavailable("the answer of the medium was lost")
        return made

    monkeypatch.setattr(SqliteLedger, "append", append)
    for at in range(2, 8):
        count = 0
        builder = ScriptedBuilder(make, prior="b")
        gate = ScriptedGate("style", Approved(), prior="g")
        made = Squad(builder=builder, gates=[gate], store=tmp_path / f"{at}")
        async with made:
            try:
                outcome: Any = await asyncio.wait_for(made.run("It."), 10)
            except StorageUnavailable:
                packet = (await (await made.workspace()).ledger.streams())[-1]
                outcome = await asyncio.wait_for(made.resume(packet), 10)
        assert isinstance(outcome, Composed), f"append {at}"
        builder.done()
        gate.done()
        assert audit(tmp_path / f"{at}").failed == ()
    assert count < at  # the last one was beyond the run's end


async def test_an_append_that_failed_is_tried_again_with_the_same_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was written: the reply is kept, and handed in when the packet is taken up; nobody is asked twice."""
    from squads.adapters.sqlite_ledger import SqliteLedger

    real = SqliteLedger.append
    count = 0

    async def append(self: SqliteLedger, *args: Any, **more: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            raise StorageUnavailable("no room")
        return await real(self, *args, **more)

    monkeypatch.setattr(SqliteLedger, "append", append)
    for at in range(3, 7):
        count = 0
        builder = ScriptedBuilder(make, prior="b")
        gate = ScriptedGate("style", Approved(), prior="g")
        made = Squad(builder=builder, gates=[gate], store=tmp_path / f"{at}")
        async with made:
            with pytest.raises(StorageUnavailable, match="no room"):
                await asyncio.wait_for(made.run("It."), 10)
            packet = (await (await made.workspace()).ledger.streams())[-1]
            outcome = await asyncio.wait_for(made.resume(packet), 10)
        assert isinstance(outcome, Composed), f"append {at}"
        builder.done()
        gate.done()

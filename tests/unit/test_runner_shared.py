"""Several runners on one ledger: they find each other's receipts, go on from there, and hear of each other's stops."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Artifact, Composed, Limits, NotComposed, Squad
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


async def test_who_waits_hears_that_another_ended_it(tmp_path: Path) -> None:
    """A packet that somebody else's runner brought to its end ends here as well, at the next word that comes in."""
    reached = asyncio.Event()
    let_go = asyncio.Event()

    async def held(work: BuildWork) -> Artifact:
        reached.set()
        await let_go.wait()
        return make(work)

    async with squad(tmp_path / "s", held) as one, squad(tmp_path / "s", make) as two:
        running = asyncio.create_task(one.run("It."))
        await reached.wait()
        packet = (await (await one.workspace()).ledger.streams())[-1]
        elsewhere = await two.resume(packet)
        let_go.set()
        here = await asyncio.wait_for(running, 10)

    assert isinstance(elsewhere, Composed)
    assert here == elsewhere
    assert audit(tmp_path / "s").failed == ()


async def test_a_packet_whose_other_runner_died_moves_on_by_its_deadline(tmp_path: Path) -> None:
    """What the other one had asked for nobody answers; the deadline it had set is watched here too."""
    reached = asyncio.Event()
    asked_twice = asyncio.Event()

    async def held(work: BuildWork) -> Artifact:
        reached.set()
        await asked_twice.wait()
        return make(work)

    async def second(work: BuildWork) -> Artifact:
        return make(work)

    async def for_ever(work: Any) -> Approved:
        await asyncio.Event().wait()
        raise AssertionError

    limits = Limits(reply_ms_max=300, attempts_max=2)
    one = squad(tmp_path / "s", held, second, gate=2, limits=limits)
    two = Squad(
        builder=ScriptedBuilder(make, prior="b"),
        gates=[ScriptedGate("style", for_ever, prior="g")],
        store=tmp_path / "s",
    )
    async with one:
        running = asyncio.create_task(one.run("It."))
        await reached.wait()
        packet = (await (await one.workspace()).ledger.streams())[-1]
        async with two:
            resuming = asyncio.create_task(two.resume(packet))
            while (await (await two.workspace()).ledger.head()).size < 12:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
            resuming.cancel()
            await asyncio.gather(resuming, return_exceptions=True)
        asked_twice.set()
        outcome = await asyncio.wait_for(running, 20)

    assert isinstance(outcome, Composed | NotComposed)
    assert audit(tmp_path / "s").failed == ()


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

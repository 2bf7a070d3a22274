"""A squad over its life: many runs, several loops, closing in the middle, taking up what was left."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Artifact, Composed, Finding, InvalidInput, Limits, NotComposed, Squad, check
from squads.audit import audit
from squads.contracts.errors import StorageUnavailable, UnknownPacket
from squads.contracts.work import BuildWork
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate, seeded_entropy
from squads.workspace import Workspace


def good(count: int = 1, **more: Any) -> Squad:
    return Squad(
        builder=ScriptedBuilder(*[lambda work: work.artifact({"a": work.brief})] * count, prior="b"),
        gates=[ScriptedGate("style", *[Approved()] * count, prior="g")],
        **more,
    )


def test_run_sync_twice() -> None:
    """Two loops, one after the other; the receipts of both are in one ledger."""
    squad = good(2)

    first, second = squad.run_sync("One."), squad.run_sync("Two.")

    assert isinstance(first, Composed)
    assert isinstance(second, Composed)
    assert first.packet != second.packet
    assert len(asyncio.run(_streams(squad))) == 3


async def _streams(squad: Squad) -> list[str]:
    return await (await squad.workspace()).ledger.streams()


def test_run_sync_twice_with_a_store(tmp_path: Path) -> None:
    """The ledger stays open between the loops, and may be closed and opened again."""
    squad = good(3, store=tmp_path / "s")

    outcomes = [squad.run_sync("One."), squad.run_sync("Two.")]
    asyncio.run(squad.close())
    outcomes.append(squad.run_sync("Three."))
    asyncio.run(squad.close())

    assert all(isinstance(o, Composed) for o in outcomes)
    assert audit(tmp_path / "s").failed == ()
    assert audit(tmp_path / "s").packets == 3


def test_an_async_squad_and_then_a_sync_one(tmp_path: Path) -> None:
    """`async with` in one loop, `run_sync` in the next."""
    squad = good(2, store=tmp_path / "s")

    async def first() -> object:
        async with squad:
            return await squad.run("One.")

    assert isinstance(asyncio.run(first()), Composed)
    assert isinstance(squad.run_sync("Two."), Composed)
    asyncio.run(squad.close())


async def test_run_sync_inside_a_loop_says_what_to_write() -> None:
    """No half-made coroutine, no vendor's words."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InvalidInput, match=r"await squad\.run"):
            good().run_sync("It.")
        gc.collect()


def test_a_squad_may_be_used_in_another_thread() -> None:
    """One thread after the other."""
    squad = good(2)
    outcomes: list[object] = [squad.run_sync("One.")]
    thread = threading.Thread(target=lambda: outcomes.append(squad.run_sync("Two.")))
    thread.start()
    thread.join()

    assert all(isinstance(o, Composed) for o in outcomes)


@pytest.mark.parametrize("durable", [False, True])
async def test_gathering_without_async_with(tmp_path: Path, durable: bool) -> None:
    """Concurrent runs share one session, whoever comes first, and each gets its own outcome."""
    squad = good(20, store=tmp_path / "s" if durable else None)

    outcomes = await asyncio.gather(*(squad.run(f"brief {n}") for n in range(20)))
    await squad.close()

    assert all(isinstance(o, Composed) for o in outcomes)
    assert [o.artifact["a"].text for o in outcomes if isinstance(o, Composed)] == [f"brief {n}" for n in range(20)]
    assert squad._session is None


@pytest.mark.parametrize("durable", [False, True])
async def test_two_hundred_runs_at_once(tmp_path: Path, durable: bool) -> None:
    """No run disturbs another, and the ledger audits."""
    count = 200
    refuse_first: set[str] = set()

    def build(work: BuildWork) -> Artifact:
        return work.artifact({"a": f"{work.brief} {work.attempt}"})

    def read(work: Any) -> Any:
        if work.packet.brief not in refuse_first and work.packet.brief.endswith("7"):
            refuse_first.add(work.packet.brief)
            return work.refuse(Finding(invariant="seven", message="no sevens at first"))
        return work.approve()

    squad = Squad(
        builder=ScriptedBuilder(*[build] * (count + 20)),
        gates=[ScriptedGate("style", *[read] * (count + 20))],
        store=tmp_path / "s" if durable else None,
    )
    async with squad:
        outcomes = await asyncio.gather(*(squad.run(f"{n}") for n in range(count)))
        # 11 receipts for an approved run, 4 more for a refused attempt.
        size = (await (await squad.workspace()).ledger.head()).size

    texts = [o.artifact["a"].text for o in outcomes if isinstance(o, Composed)]
    assert texts == [f"{n} {2 if n % 10 == 7 else 1}" for n in range(count)]
    assert size == 1 + 6 + count * 11 + 20 * 4
    if durable:
        found = audit(tmp_path / "s")
        assert found.failed == ()
        assert (found.size, found.packets) == (size, count)


async def test_no_live_run_is_left_behind() -> None:
    """The runner forgets what has ended: a squad that runs for weeks does not grow."""
    async with good(50) as squad, squad._open_session() as session:
        await asyncio.gather(*(squad.run(f"{n}") for n in range(50)))
        assert session.runner._lanes == {}


async def test_cancelling_a_run_leaves_the_packet_resumable(tmp_path: Path) -> None:
    """Whoever gives up waiting loses nothing that was answered."""
    reached = asyncio.Event()

    async def for_ever(work: BuildWork) -> Artifact:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    squad = Squad(
        builder=ScriptedBuilder(for_ever, {"a": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=tmp_path / "s",
    )
    running = asyncio.create_task(squad.run("It."))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    packet = (await _streams(squad))[-1]

    outcome = await asyncio.wait_for(squad.resume(packet), 10)
    await squad.close()

    assert isinstance(outcome, Composed)
    assert audit(tmp_path / "s").failed == ()


async def test_closing_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    """A run whose ledger is closed under it raises, and another squad takes the packet up where it was."""
    reached = asyncio.Event()
    let_go = asyncio.Event()

    async def held(work: BuildWork) -> Artifact:
        reached.set()
        await let_go.wait()
        return work.artifact({"a": "x"})

    first = Squad(
        builder=ScriptedBuilder(held, prior="b"),
        gates=[ScriptedGate("style", prior="g")],
        store=tmp_path / "s",
    )
    running = asyncio.create_task(first.run("It."))
    await reached.wait()
    packet = (await _streams(first))[-1]
    await first.close()
    let_go.set()
    with pytest.raises(StorageUnavailable, match="closed"):
        await asyncio.wait_for(running, 10)

    async with good(store=tmp_path / "s") as second:
        outcome = await second.resume(packet)

    assert isinstance(outcome, Composed)
    assert audit(tmp_path / "s").failed == ()


async def test_leaving_the_block_while_others_run(tmp_path: Path) -> None:
    """`async with` closes the ledger for everybody; what ran can be taken up again."""
    reached = asyncio.Event()

    async def for_ever(work: BuildWork) -> Artifact:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    squad = Squad(
        builder=ScriptedBuilder(for_ever, {"a": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=tmp_path / "s",
        limits=Limits(reply_ms_max=200),
    )
    async with squad:
        running = asyncio.create_task(squad.run("It."))
        await reached.wait()
        packet = (await _streams(squad))[-1]
    with pytest.raises(StorageUnavailable):
        await asyncio.wait_for(running, 10)

    async with squad:
        outcome = await asyncio.wait_for(squad.resume(packet), 10)

    assert isinstance(outcome, Composed)


async def test_resuming_what_has_ended_returns_how_it_ended(tmp_path: Path) -> None:
    """As often as one likes, in any process, without asking anybody."""
    async with good(store=tmp_path / "s") as squad:
        outcome = await squad.run("It.")
        again = await squad.resume(outcome.packet)
    async with good(0, store=tmp_path / "s") as other:
        elsewhere = await other.resume(outcome.packet)

    assert outcome == again == elsewhere


async def test_resuming_nothing_is_an_error(tmp_path: Path) -> None:
    """An unknown packet, and a word that is no packet, are unknown."""
    async with good(store=tmp_path / "s") as squad:
        for packet in ("0" * 32, "", "workspace", "../x"):
            with pytest.raises((UnknownPacket, InvalidInput)):
                await squad.resume(packet)


async def test_two_may_wait_for_one_packet() -> None:
    """Several callers resume the same packet at once; every one of them hears how it ended."""
    reached = asyncio.Event()
    let_go = asyncio.Event()

    async def held(work: BuildWork) -> Artifact:
        reached.set()
        await let_go.wait()
        return work.artifact({"a": "x"})

    builder = ScriptedBuilder(held)
    squad = Squad(builder=builder, gates=[ScriptedGate("style", Approved())])
    async with squad:
        running = asyncio.create_task(squad.run("It."))
        await reached.wait()
        packet = (await _streams(squad))[-1]
        others = [asyncio.create_task(squad.resume(packet)) for _ in range(5)]
        for _ in range(20):
            await asyncio.sleep(0)
        let_go.set()
        outcomes = await asyncio.wait_for(asyncio.gather(running, *others), 10)

    assert all(o == outcomes[0] for o in outcomes)
    builder.done()


async def test_two_take_up_one_packet_at_once(tmp_path: Path) -> None:
    """Neither of them has it yet: it is taken up once, and both hear of its end."""
    async with good(0, store=tmp_path / "s", limits=Limits(reply_ms_max=1)) as first:
        first._roles["builder"][0].script._left.append(_for_ever)  # type: ignore[attr-defined]
        running = asyncio.create_task(first.run("It."))
        while len(await _streams(first)) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        packet = (await _streams(first))[-1]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    squad = good(5, store=tmp_path / "s")
    async with squad:
        outcomes = await asyncio.wait_for(asyncio.gather(*(squad.resume(packet) for _ in range(4))), 10)

    assert all(o == outcomes[0] for o in outcomes)
    assert isinstance(outcomes[0], Composed | NotComposed)


async def _for_ever(work: BuildWork) -> Artifact:
    await asyncio.Event().wait()
    raise AssertionError


# Time -----------------------------------------------------------------------------------------------------------------


async def test_a_role_that_hangs_runs_into_its_deadline() -> None:
    """After `reply_ms_max` the attempt is over, without anybody moving a hand; the role was cancelled."""
    cancelled: list[bool] = []

    async def hang(work: BuildWork) -> Artifact:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        raise AssertionError

    builder = ScriptedBuilder(hang, {"a": "x"})
    squad = Squad(builder=builder, gates=[ScriptedGate("style", Approved())], limits=Limits(reply_ms_max=300))
    outcome = await asyncio.wait_for(squad.run("It."), 10)

    assert isinstance(outcome, Composed)
    assert cancelled == [True]


async def test_a_deadline_by_a_clock_that_is_moved_by_hand() -> None:
    """The clock reaches the deadline, `tick` hands it in, and the gate's silence lets nothing through."""
    clock = FixedClock()
    reached = asyncio.Event()

    async def hang(work: Any) -> Approved:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    squad = Squad(
        builder=ScriptedBuilder({"a": "x"}),
        gates=[ScriptedGate("style", hang, hang)],
        limits=Limits(reply_ms_max=1_000),
        clock=clock,
    )
    async with squad, squad._open_session() as session:
        running = asyncio.create_task(squad.run("It."))
        await reached.wait()
        reached.clear()
        clock.advance(999)
        await session.runner.tick()
        assert not reached.is_set()
        clock.advance(1)
        await session.runner.tick()
        await asyncio.wait_for(reached.wait(), 10)  # asked once more
        clock.advance(1_000)
        await session.runner.tick()
        outcome = await asyncio.wait_for(running, 10)

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("gate-abstained", 2)


async def test_a_packet_has_a_deadline_of_its_own() -> None:
    """Open for longer than `packet_ms_max`, it ends as expired."""
    outcome = await asyncio.wait_for(
        Squad(
            builder=ScriptedBuilder(_for_ever),
            gates=[ScriptedGate("style")],
            limits=Limits(packet_ms_max=30),
        ).run("It."),
        10,
    )

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("packet-expired", 2)


async def test_a_slow_check_runs_into_its_deadline() -> None:
    """A check runs in a thread: its deadline is kept although the function does not come back in time."""
    let_go = threading.Event()

    @check("slow.check")
    def slow(artifact: Artifact) -> list[Finding]:
        let_go.wait(10)
        return []

    try:
        outcome = await asyncio.wait_for(
            Squad(builder=ScriptedBuilder({"a": "x"}), gates=[slow], limits=Limits(reply_ms_max=200)).run("It."), 10
        )
    finally:
        let_go.set()

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "gate-abstained"


# Chance and time come in as arguments -------------------------------------------------------------------------------


async def test_the_same_seed_gives_the_same_receipts() -> None:
    """With a fixed clock and seeded chance a run is the same to the last byte."""

    async def run() -> list[bytes]:
        squad = good(clock=FixedClock(), entropy=seeded_entropy(7))
        outcome = await squad.run("It.")
        ledger = (await squad.workspace()).ledger
        return [s.leaf_hash for s in await ledger.read(outcome.packet)]

    assert await run() == await run()


async def test_receipts_hold_no_prose(tmp_path: Path) -> None:
    """Digests, opaque ids, names, enums and integers: nothing that was said stands in a leaf."""
    words = ["a brief about Mara", "task words", "an objectionable finding", "satisfy it so", "content of a file"]
    finding = Finding(invariant="style.x", message=words[2], satisfy=words[3])
    squad = Squad(
        builder=ScriptedBuilder({"secret-path.txt": words[4]}, {"secret-path.txt": "y"}),
        gates=[ScriptedGate("style", finding, Approved(notes=(finding.but(severity="note"),)))],
    )
    outcome = await squad.run(words[0])
    leaves = [s.payload for s in await (await squad.workspace()).ledger.read(outcome.packet)]

    for word in (*words, "secret-path", "work"):
        for leaf in leaves:
            values = _strings(json.loads(leaf)["predicate"])
            assert word not in values
            assert not any(" " in v for v in values)


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [s for v in value.values() for s in _strings(v)]
    if isinstance(value, list):
        return [s for v in value for s in _strings(v)]
    return [value] if isinstance(value, str) else []


async def test_the_workspace_is_founded_once_however_many_ask() -> None:
    """Runs, and whoever asks for the workspace, at the same moment."""
    squad = good(5)

    found = await asyncio.gather(squad.workspace(), *(squad.run(f"{n}") for n in range(5)), squad.workspace())

    assert found[0] is found[-1]
    assert isinstance(found[0], Workspace)
    kinds = [json.loads(s.payload)["predicateType"] for s in await found[0].ledger.read("workspace")]
    assert sum("log-open" in k for k in kinds) == 1
    assert len(kinds) == 1 + 6

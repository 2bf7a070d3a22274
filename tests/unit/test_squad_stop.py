"""Stop and lift: anyone stops, a person lifts, nothing is sent or claimed meanwhile, and nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, Artifact, Builder, Composed, Halted, InvalidInput, Refusal, Squad
from squads.contracts.errors import Denied, LedgerError, UnknownPacket
from squads.contracts.work import BuildWork, ReviewWork
from squads.testing import ScriptedBuilder, ScriptedGate, ScriptedModel


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return None if request.param == "memory" else tmp_path / ".squads"


class Held:
    """A builder's reply that waits until it is let go."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.let_go = asyncio.Event()

    async def __call__(self, work: BuildWork) -> Artifact:
        self.reached.set()
        await self.let_go.wait()
        return work.artifact({"a": "x"})


def squad(*builds: Any, gate: tuple[Any, ...] = (Approved(),), **more: Any) -> Squad:
    return Squad(builder=ScriptedBuilder(*builds, prior="b"), gates=[ScriptedGate("style", *gate, prior="g")], **more)


async def test_nothing_begins_while_the_workspace_is_stopped(store: Path | None) -> None:
    """A run under a stop is halted, opens nothing, and exits with 2."""
    async with squad(store=store) as made:
        assert await made.stop("the database is being moved") is True
        assert await made.stop("again") is False

        outcome = await made.run("It.")

        assert isinstance(outcome, Halted)
        assert (outcome.exit_code, outcome.judgements) == (2, ())
        assert "nothing was opened" in str(outcome)
        assert await (await made.workspace()).ledger.streams() == ["workspace"]
        with pytest.raises(Refusal):
            outcome.raise_for_refusal()
        with pytest.raises(UnknownPacket):
            await made.resume(outcome.packet)


async def test_a_stop_halts_what_runs_and_a_lift_lets_it_go_on(store: Path | None) -> None:
    """The run returns `Halted`; the reply that came in meanwhile is kept; after the lift nobody is asked again."""
    held = Held()
    async with squad(held, store=store) as made:
        running = asyncio.create_task(made.run("It."))
        await held.reached.wait()
        await made.stop("wait")
        halted = await asyncio.wait_for(running, 10)
        assert isinstance(halted, Halted)
        held.let_go.set()
        assert isinstance(await made.resume(halted.packet), Halted)

        assert await made.lift("go on", person="owner") is True
        outcome = await asyncio.wait_for(made.resume(halted.packet), 10)

    assert isinstance(outcome, Composed)
    assert await_count(made) == 1


def await_count(made: Squad) -> int:
    """How often the builder was asked."""
    return len(made._roles["builder"][0].script.asked)  # type: ignore[attr-defined]


async def test_a_stopped_packet_goes_on_in_another_process(tmp_path: Path) -> None:
    """Stopped here, lifted and resumed there."""
    held = Held()
    async with squad(held, store=tmp_path / "s") as first:
        running = asyncio.create_task(first.run("It."))
        await held.reached.wait()
        await first.stop("wait")
        halted = await asyncio.wait_for(running, 10)

    async with squad({"a": "x"}, store=tmp_path / "s") as second:
        assert isinstance(await second.resume(halted.packet), Halted)
        await second.lift("go on", person="owner")
        outcome = await second.resume(halted.packet)

    assert isinstance(outcome, Composed)


async def test_one_packet_is_stopped_and_the_others_run(store: Path | None) -> None:
    """A stop of one packet leaves the rest alone, and lifting it does not need the whole workspace."""
    held = Held()
    async with squad(held, {"a": "2"}, gate=(Approved(), Approved()), store=store) as made:
        running = asyncio.create_task(made.run("One."))
        await held.reached.wait()
        packet = (await (await made.workspace()).ledger.streams())[-1]
        await made.stop("this one", packet=packet)
        halted = await asyncio.wait_for(running, 10)

        other = await made.run("Two.")
        held.let_go.set()
        with pytest.raises(Denied):
            await made.lift("why", person="stranger", packet=packet)
        assert await made.lift("not that one", person="owner") is False
        assert await made.lift("go on", person="owner", packet=packet) is True
        outcome = await asyncio.wait_for(made.resume(packet), 10)

    assert isinstance(halted, Halted)
    assert isinstance(other, Composed)
    assert isinstance(outcome, Composed)


async def test_a_model_may_be_hung_up_on_as_often_as_people_stop() -> None:
    """The bus gives a message up after three deliveries; a stop is no fault of the request's and uses none up."""
    reached: asyncio.Queue[None] = asyncio.Queue()

    async def silent(_: Any) -> Any:
        reached.put_nowait(None)
        await asyncio.Event().wait()

    model = ScriptedModel(*[silent] * 4, {"a": "x"})
    made = Squad(
        builder=Builder(prior="b", model="scripted:b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        models={"scripted:b": model},
    )
    async with made:
        running = asyncio.create_task(made.run("It."))
        for _ in range(4):
            await asyncio.wait_for(reached.get(), 10)
            await made.stop("wait")
            halted = await asyncio.wait_for(running, 10)
            assert isinstance(halted, Halted)
            await made.lift("go on", person="owner")
            running = asyncio.create_task(made.resume(halted.packet))
        outcome = await asyncio.wait_for(running, 10)
        bus = made._session._worker._bus  # type: ignore[union-attr]

        assert isinstance(outcome, Composed)
        assert [] == await bus.dead()
        model.done()


async def test_a_stop_by_another_process_is_noticed(tmp_path: Path) -> None:
    """The one that runs finds out at its next append, returns `Halted`, keeps the reply, and goes on after a lift."""
    held = Held()
    async with squad(held, store=tmp_path / "s") as runs, squad(store=tmp_path / "s") as stops:
        running = asyncio.create_task(runs.run("It."))
        await held.reached.wait()
        await stops.stop("from over there")
        held.let_go.set()
        halted = await asyncio.wait_for(running, 10)
        assert isinstance(halted, Halted)

        await stops.lift("go on", person="owner")
        outcome = await asyncio.wait_for(runs.resume(halted.packet), 10)

    assert isinstance(outcome, Composed)
    assert await_count(runs) == 1


async def test_a_stop_between_the_look_and_the_opening_halts(tmp_path: Path) -> None:
    """Somebody else stops the workspace just before a packet is opened: it is halted, not hung."""
    async with squad(store=tmp_path / "s") as runs, squad(store=tmp_path / "s") as stops:
        await stops.stop("from over there")

        outcome = await asyncio.wait_for(runs.run("It."), 10)

    assert isinstance(outcome, Halted)
    assert "nothing was opened" in outcome.detail


async def test_nothing_is_claimed_while_stopped() -> None:
    """A request that was sent before the stop is not worked on until the lift."""
    held = Held()
    asked: list[ReviewWork] = []

    def read(work: ReviewWork) -> Approved:
        asked.append(work)
        return Approved()

    async with squad(held, gate=(read,)) as made:
        running = asyncio.create_task(made.run("It."))
        await held.reached.wait()
        await made.stop("wait")
        held.let_go.set()
        halted = await running
        for _ in range(100):
            await asyncio.sleep(0)
        assert asked == []
        await made.lift("go", person="owner")

        assert isinstance(await asyncio.wait_for(made.resume(halted.packet), 10), Composed)
        assert len(asked) == 1


async def test_whoever_stopped_does_not_lift_where_there_is_another() -> None:
    """Two people: the one who stopped may not lift, the other one may. Alone, one may."""
    async with squad(people=("owner", "mara")) as made:
        workspace = await made.workspace()
        await workspace.stop("mine", role="human:owner")

        with pytest.raises(Denied, match="whoever stopped it"):
            await made.lift("mine too", person="owner")
        with pytest.raises(Denied):
            await made.lift("I am nobody", person="stranger")
        assert await made.lift("looked at it", person="mara") is True
    async with squad() as alone:
        await (await alone.workspace()).stop("mine", role="human:owner")
        assert await alone.lift("looked at it", person="owner") is True


async def test_lifting_what_is_not_stopped_is_no_error() -> None:
    """False, and nothing is recorded."""
    async with squad() as made:
        ledger = (await made.workspace()).ledger
        before = (await ledger.head()).size

        assert await made.lift("nothing to lift", person="owner") is False
        assert (await ledger.head()).size == before


@pytest.mark.parametrize("reason", ["", "x" * 4_001])
async def test_a_stop_has_a_reason(reason: str) -> None:
    """Words, and not too many of them; nothing is stopped otherwise."""
    async with squad({"a": "x"}) as made:
        with pytest.raises(InvalidInput, match=r"Statement\.text"):
            await made.stop(reason)

        assert isinstance(await made.run("It."), Composed)


async def test_an_approval_does_not_count_while_stopped() -> None:
    """A stop holds people's answers as well; after the lift the answer counts."""
    async with squad({"a": "x"}, approval=ApprovalRule(approvers=("owner",))) as made:
        waiting = await made.run("It.")
        await made.stop("wait", packet=waiting.packet)
        with pytest.raises(InvalidInput, match="stopped"):
            await made.answer(waiting.packet, person="owner", approve=True)
        await made.lift("go", person="owner", packet=waiting.packet)

        assert isinstance(await made.answer(waiting.packet, person="owner", approve=True), Composed)


async def test_a_hundred_runs_hear_of_a_stop() -> None:
    """Everything that runs is halted at once, and everything goes on."""
    count = 100
    let_go = asyncio.Event()
    reached = 0

    async def build(work: BuildWork) -> Artifact:
        nonlocal reached
        reached += 1
        await let_go.wait()
        return work.artifact({"a": "x"})

    made = squad(*[build] * count, gate=tuple([Approved()] * count), slots=count)
    async with made:
        running = [asyncio.create_task(made.run(f"{n}")) for n in range(count)]
        while reached < count:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await made.stop("all of it")
        halted = await asyncio.wait_for(asyncio.gather(*running), 30)
        assert all(isinstance(h, Halted) for h in halted)
        let_go.set()
        await made.lift("go", person="owner")
        outcomes = await asyncio.wait_for(asyncio.gather(*(made.resume(h.packet) for h in halted)), 30)

    assert all(isinstance(o, Composed) for o in outcomes)
    assert await_count(made) == count


async def test_a_request_that_waited_for_a_permit_goes_on_after_a_lift_from_elsewhere(tmp_path: Path) -> None:
    """One packet holds the builder's only slot, the other one's request comes up while all is stopped; another
    process lifts, and resuming lets it through."""
    held = Held()
    async with (
        squad(held, {"a": "2"}, gate=(Approved(), Approved()), slots=1, store=tmp_path / "s") as runs,
        squad(store=tmp_path / "s") as lifts,
    ):
        first = asyncio.create_task(runs.run("One."))
        await held.reached.wait()
        second = asyncio.create_task(runs.run("Two."))
        ledger = (await runs.workspace()).ledger
        while len(await ledger.streams()) < 3 or len(await ledger.read((await ledger.streams())[-1])) < 4:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await runs.stop("wait")
        halted = await asyncio.wait_for(asyncio.gather(first, second), 10)
        held.let_go.set()
        for _ in range(100):
            await asyncio.sleep(0)
        assert await_count(runs) == 1

        await lifts.lift("go on", person="owner")
        outcomes = await asyncio.wait_for(asyncio.gather(*(runs.resume(h.packet) for h in halted)), 10)

    assert all(isinstance(o, Composed) for o in outcomes)


async def test_a_packet_that_nobody_may_open_is_an_error() -> None:
    """The root took the program's right to open packets away: the run says so instead of waiting for ever."""
    async with squad() as made:
        await (await made.workspace()).grant("program", "opened", revoked=True)

        with pytest.raises(LedgerError, match="could not be opened"):
            await asyncio.wait_for(made.run("It."), 10)

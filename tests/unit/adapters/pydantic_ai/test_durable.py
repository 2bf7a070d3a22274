"""Tool calls of an agent are kept before a model sees them, and given back instead of being called again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from durable_bench import ABOUT, THREE, Bench, Journal, Killed, asking, call_of, returned, told, write
from pydantic_ai import Agent, FunctionToolset

from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.pydantic_ai.durable import SquadsDurability
from squads.adapters.pydantic_ai.tool_steps import write_step
from squads.contracts.errors import InvalidInput, LedgerBroken, StorageUnavailable
from squads.contracts.thinking import Progress, Step


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_killed_turn_goes_on_where_it_was(when: str, at: int) -> None:
    """Killed at every put: what was kept is not called again, its changes are made again, and the end is the same.

    Only the one tool that had run while its step was not yet written is called a second time.
    """
    expected = await Bench().run(*THREE)
    journal = Journal()
    journal.dies = (when, at)
    first = Bench(journal)
    with pytest.raises(Killed):
        await first.run(*THREE)
    journal.dies = ("", 0)
    second = first.again()
    messages = await second.run(*THREE)

    assert expected == messages
    kept = at if when == "after" else at - 1
    assert ["write a", "write b", "write c"][:at] == first.called
    assert ["write a", "write b", "write c"][kept:] == second.called
    assert {"a": "x", "b": "x", "c": "x"} == second.files.now
    assert [json.dumps({p: "x"}).encode() for p in "abc"] == [changes for _, changes in journal.steps]


async def test_a_step_is_kept_before_the_model_sees_it() -> None:
    """Between two requests of the model, every tool's step has been put."""
    bench = Bench()
    await bench.run(*THREE, events=bench.journal.events)

    assert ["model", "put", "model", "put", "put", "model"] == bench.journal.events


async def test_a_journal_that_takes_nothing_ends_the_turn() -> None:
    """What could not be kept is shown to no model."""
    bench = Bench()
    bench.journal.full = True
    with pytest.raises(StorageUnavailable):
        await bench.run(*THREE, events=bench.journal.events)

    assert ["model", "put"] == bench.journal.events


async def test_the_same_call_twice_is_two_steps() -> None:
    """A tool that is called again with the same arguments is called again, and each call has a result of its own."""
    journal, called, ends = Journal(), list[int](), []

    def count() -> int:
        called.append(len(called) + 1)
        return called[-1]

    for _ in range(2):
        agent = Agent(
            asking([("count", {})], [("count", {})], [("count", {})]),
            toolsets=[FunctionToolset([count], id="count")],
            capabilities=[SquadsDurability(call_of(journal))],
        )
        ends.append(told((await agent.run("Count.")).all_messages()))

    assert [1, 2, 3] == called
    assert [1, 2, 3] == returned(ends[0])
    assert ends[0] == ends[1]


async def test_errors_that_the_model_is_told_of_are_kept_as_results() -> None:
    """A retry, a failure and arguments that do not fit lead down the same path when they come out of the journal."""
    turns = ([("retry", {"path": "bad"})], [("retry", {"path": "good"})], [("fail", {})], [("write", {"path": 3})])
    bench = Bench()
    first = await bench.run(*turns)
    again = bench.again()
    second = await again.run(*turns)

    assert first == second
    assert ["retry bad", "retry good", "fail"] == bench.called
    assert [] == again.called
    assert "another path, please" in json.dumps(first)
    assert "this will never work" in json.dumps(first)


async def test_any_other_error_ends_the_run_and_is_not_kept() -> None:
    """Not finding out is no result: whoever resumes calls that tool again."""
    bench = Bench()
    for one in (bench, bench.again()):
        with pytest.raises(OSError, match="the drive is gone"):
            await one.run([write("a")], [("crash", {})])
        assert one.called[-1] == "crash"

    assert 1 == len(bench.journal.steps)


async def test_calls_go_one_after_another() -> None:
    """Several calls in one reply: none begins before the one before it has been kept, so its changes are its own."""
    events: list[str] = []

    class Noting(MemoryJournal):
        async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
            events.append("kept")
            return await super().put(about, step)

    async def slow(number: int) -> str:
        events.append("begins")
        for _ in range(5):  # whatever else can run, does
            await asyncio.sleep(0)
        events.append("ends")
        return str(number)

    agent = Agent(
        asking([("slow", {"number": n}) for n in range(3)]),
        toolsets=[FunctionToolset([slow], id="slow")],
        capabilities=[SquadsDurability(call_of(Noting()))],
    )
    await agent.run("Go.")

    assert ["begins", "ends", "kept"] * 3 == events


async def test_who_loses_a_race_is_told_what_was_kept() -> None:
    """Another process was first: its result is what the model sees, and its changes are made here too."""
    theirs = write_step({"kind": "tool_return", "result": "theirs"}, b'{"a": "their text"}')

    class Lost(MemoryJournal):
        async def put(self, about: str, step: Step, *, packet: str = "") -> Step:
            return await super().put(about, step.but(payload=theirs))

    bench = Bench(Lost())
    messages = await bench.run([write("a", "our text")])

    assert "theirs" in json.dumps(messages)
    assert "wrote a" not in json.dumps(messages)
    assert {"a": "their text"} == bench.files.now


async def test_changes_that_nothing_can_make_again_are_an_error() -> None:
    """A resumed turn without its scratch place would go on as if the files were there."""
    bench = Bench()
    await bench.run([write("a")])
    agent = Agent(
        asking([write("a")]), toolsets=[bench.tools()], capabilities=[SquadsDurability(call_of(bench.journal))]
    )
    with pytest.raises(InvalidInput, match="resume the request with the tools that it was begun with"):
        await agent.run("Write.")


@pytest.mark.parametrize("payload", [b"", b"\x00" * 8, write_step({"kind": "?"}, b""), b"\x00" * 7 + b"\x05[1,2"])
async def test_a_step_that_cannot_be_read_is_an_error(payload: bytes) -> None:
    """It is neither skipped nor shown to the model: the sentence says what to erase."""

    class Damaged(MemoryJournal):
        async def get(self, about: str, kind: str, digest: str, turn: int) -> Step | None:
            return Step(kind="tool", input=digest, turn=turn, payload=payload)

    bench = Bench(Damaged())
    with pytest.raises(LedgerBroken, match=r"cannot be read.*erase the request's steps"):
        await bench.run([write("a")])

    assert [] == bench.called


async def test_what_cannot_be_written_is_an_error() -> None:
    """A tool that returns an object of no known kind is told what to return."""

    def odd() -> Any:
        return object()

    agent = Agent(
        asking([("odd", {})]),
        toolsets=[FunctionToolset([odd], id="odd")],
        capabilities=[SquadsDurability(call_of(Journal()))],
    )
    with pytest.raises(InvalidInput, match="a tool returned what cannot be kept"):
        await agent.run("Go.")


async def test_who_watches_is_told_of_calls_and_not_of_kept_ones() -> None:
    """One sign for each tool that was really called."""
    journal, signs = Journal(), list[Any]()
    for _ in range(2):
        agent = Agent(
            asking([write("a")]),
            toolsets=[Bench(journal).tools()],
            capabilities=[SquadsDurability(call_of(journal, signs.append))],
        )
        await agent.run("Write.")

    (sign,) = signs
    assert isinstance(sign, Progress)
    assert ("tool", "write", ABOUT, "builder", 7) == (sign.stage, sign.tool, sign.about, sign.role, sign.tokens)

"""The test kit itself: strict scripts, a clock that stands still, chance and keys that repeat."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import squads.testing
from squads import Approved, Composed, Finding, NotComposed, Packet, Refused, Squad, Task
from squads.contracts.work import BuildWork
from squads.kernel.ports import Clock, Entropy, Signer
from squads.ledger.keys import verify_signature
from squads.resolve import prior_of
from squads.testing import (
    FixedClock,
    FixedSigner,
    ScriptedBuilder,
    ScriptedCoordinator,
    ScriptedGate,
    UnexpectedWork,
    UnusedReplies,
    seeded_entropy,
)

WORK = BuildWork(packet=Packet(brief="It."), task="table", brief="x", attempt=2, author="b", salt="ab" * 32)


def test_every_public_name_is_there() -> None:
    """Lazily, and an unknown one is unknown."""
    for name in squads.testing.__all__:
        assert getattr(squads.testing, name) is not None
    assert set(dir(squads.testing)) == set(squads.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Ghost'"):
        _ = squads.testing.Ghost


async def test_replies_come_in_order() -> None:
    """Values, functions, asynchronous functions, exceptions and their classes."""

    async def later(work: BuildWork) -> Any:
        await asyncio.sleep(0)
        return work.artifact({"a": "3"})

    builder = ScriptedBuilder(
        {"a": "1"}, lambda work: work.artifact({"a": "2"}), later, RuntimeError("4"), KeyError, {"a": b"6"}
    )
    said: list[Any] = []
    for _ in range(6):
        try:
            said.append((await builder.answer(WORK))["a"].text)  # type: ignore[index]
        except Exception as error:
            said.append(type(error))

    assert said == ["1", "2", "3", RuntimeError, KeyError, "6"]
    builder.done()


async def test_an_unexpected_call_names_role_and_work() -> None:
    """It raises an AssertionError at once, and `done` raises it again."""
    builder = ScriptedBuilder({"a": "1"}, name="carpenter")
    await builder.answer(WORK)
    with pytest.raises(UnexpectedWork, match=r"builder 'carpenter' was asked to build task 'table' \(attempt 2\)"):
        await builder.answer(WORK)

    with pytest.raises(AssertionError, match="its script of 1 reply has none left"):
        builder.done()


async def test_an_unused_reply_is_an_error() -> None:
    """And says what was asked for instead."""
    builder = ScriptedBuilder({"a": "1"}, {"a": "2"})
    with pytest.raises(UnusedReplies, match=r"2 of 2 replies left; it was asked to: nothing"):
        builder.done()
    await builder.answer(WORK)
    with pytest.raises(UnusedReplies, match=r"1 of 2 replies left; it was asked to: build task 'table'"):
        builder.done()


async def test_a_whole_squad_of_scripts() -> None:
    """Every role, both scripts of the coordinator, and a finding as a refusal."""
    coordinator = ScriptedCoordinator(
        Task(name="t", brief="x", builder="builder"), accepts=[lambda work: work.accept()]
    )
    builder = ScriptedBuilder({"a": "1"}, {"a": "2"})
    gate = ScriptedGate("style", Finding(invariant="a.b", message="no"), Approved())
    planning = ScriptedGate("planning", Approved(), reads=["plan"])
    outcome = await Squad(coordinator=coordinator, builder=builder, gates=[gate, planning]).run("It.")

    assert isinstance(outcome, Composed)
    assert isinstance(outcome.refusals[0].verdict, Refused)
    for role in (coordinator, builder, gate, planning):
        role.done()


async def test_a_squad_that_strays_from_its_script_fails_twice() -> None:
    """The run ends as a fault, and `done` says which call nobody had written down."""
    gate = ScriptedGate("style")
    outcome = await Squad(builder=ScriptedBuilder({"a": "1"}), gates=[gate]).run("It.")

    assert isinstance(outcome, NotComposed)
    with pytest.raises(UnexpectedWork, match="gate 'style' was asked to review the artifact of attempt 1"):
        gate.done()


def test_every_scripted_role_has_eyes_of_its_own() -> None:
    """So that any of them may judge any other; told to, they share a prior."""
    roles = [ScriptedBuilder(), ScriptedBuilder(), ScriptedGate("a"), ScriptedGate("b"), ScriptedCoordinator()]
    assert len({prior_of(r) for r in roles}) == len(roles)
    assert prior_of(ScriptedGate("a", prior="same")) == prior_of(ScriptedGate("b", prior="same"))


def test_a_fixed_clock_stands_still() -> None:
    """It moves when it is moved, and never back."""
    clock: Clock = FixedClock(5)
    assert (clock.now_ms(), clock.now_ms()) == (5, 5)
    assert FixedClock(5).advance(10) == 15
    with pytest.raises(ValueError, match="does not go back"):
        FixedClock().advance(-1)


def test_seeded_chance_repeats() -> None:
    """The same seed gives the same bytes in the same order, never the same twice in a row."""
    first: Entropy = seeded_entropy(1)
    second = seeded_entropy(1)
    drawn = [first(32), first(16), first(100)]

    assert drawn == [second(32), second(16), second(100)]
    assert [len(d) for d in drawn] == [32, 16, 100]
    assert drawn[0] != first(32)
    assert seeded_entropy(2)(32) != drawn[0]


def test_a_fixed_signer_is_its_word() -> None:
    """The same word is the same key; it signs like any other."""
    signer: Signer = FixedSigner("mara")
    assert signer.key_id == FixedSigner("mara").key_id != FixedSigner("noor").key_id
    assert verify_signature(signer.public_key, signer.sign(b"x"), b"x")

"""Squads that cannot work say so when they are made: every mistake by its own name, with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from squads import (
    Approved,
    Artifact,
    Builder,
    Composed,
    Coordinator,
    Finding,
    Gate,
    InvalidInput,
    Limits,
    NotComposed,
    Packet,
    Squad,
    Task,
    check,
)
from squads.contracts.errors import BriefTooLong, DuplicateRole, InvalidSquad, NoGates, SelfGate, UnheldGate
from squads.contracts.packet import ApprovalRule, Predicate
from squads.contracts.records import ArtifactRecord, PlanRecord, VerdictRecord
from squads.contracts.work import BuildWork, ReviewWork
from squads.testing import ScriptedBuilder, ScriptedCoordinator, ScriptedGate


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


class Reader(Gate):
    name = "reader"

    def review(self, work: ReviewWork) -> Approved:
        return work.approve()


def plain(artifact: Artifact) -> list[Finding]:
    return []


class Both(Builder):
    """A builder that says it is a gate as well."""

    name = "both"

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no gates": (lambda: Squad(builder=Carpenter(), gates=[]), NoGates, "UnsafeNoGate"),
    "gates left out": (lambda: Squad(builder=Carpenter()), NoGates, "lets everything through"),
    "no builder": (lambda: Squad(gates=[Reader()]), InvalidSquad, "nobody builds"),
    "two roles of one name": (
        lambda: Squad(builder=Carpenter(), gates=[Reader(), Reader()]),
        DuplicateRole,
        "two roles are called 'reader'",
    ),
    "a gate named like the builder": (
        lambda: Squad(builder=ScriptedBuilder(name="same"), gates=[ScriptedGate("same")]),
        DuplicateRole,
        r"\(a builder and a gate\)",
    ),
    "a class instead of an instance": (
        lambda: Squad(builder=Carpenter, gates=[Reader()]),
        InvalidSquad,
        r"Carpenter is a class; hand over an instance: Carpenter\(\)",
    ),
    "a gate class": (lambda: Squad(builder=Carpenter(), gates=[Reader]), InvalidSquad, r"Reader\(\)"),
    "a plain function as a gate": (
        lambda: Squad(builder=Carpenter(), gates=[plain]),
        InvalidSquad,
        r"the function plain is no gate; .*@check",
    ),
    "a builder as a gate": (
        lambda: Squad(builder=Carpenter(), gates=[Both()]),
        InvalidSquad,
        "is no gate",
    ),
    "a gate as the builder": (lambda: Squad(builder=Reader(), gates=[Reader()]), InvalidSquad, "is no builder"),
    "a builder as the coordinator": (
        lambda: Squad(builder=Carpenter(), coordinator=Carpenter(), gates=[Reader()]),
        InvalidSquad,
        "is no coordinator",
    ),
    "a gate that brings the builder's prior": (
        lambda: Squad(builder=SameEyes("builder"), gates=[SameEyesGate()]),
        SelfGate,
        "no one judges their own work",
    ),
    "several builders and no coordinator": (
        lambda: Squad(builders=[ScriptedBuilder(name="a"), ScriptedBuilder(name="b")], gates=[Reader()]),
        InvalidSquad,
        "2 builders and no coordinator",
    ),
    "one gate where several belong": (
        lambda: Squad(builder=Carpenter(), gates=Reader()),
        InvalidSquad,
        r"write gates=\[...\]",
    ),
    "a word where gates belong": (lambda: Squad(builder=Carpenter(), gates="reader"), InvalidSquad, "gates="),
    "one builder where several belong": (
        lambda: Squad(builders=Carpenter(), gates=[Reader()]),
        InvalidSquad,
        r"write builders=\[...\]",
    ),
    "a name with a space": (
        lambda: Squad(builder=ScriptedBuilder(name="My Builder"), gates=[Reader()]),
        InvalidSquad,
        "is no name for a role",
    ),
    "an upper-case name": (
        lambda: Squad(builder=Carpenter(), gates=[ScriptedGate("Style")]),
        InvalidSquad,
        "is no name for a role",
    ),
    "a long name": (
        lambda: Squad(builder=Carpenter(), gates=[ScriptedGate("s" * 65)]),
        InvalidSquad,
        "is no name for a role",
    ),
    "the runner's name": (
        lambda: Squad(builder=Carpenter(), gates=[ScriptedGate("runner")]),
        InvalidSquad,
        "the runner's own address",
    ),
    "check on what is no function": (lambda: check("a.b")(42), InvalidSquad, "decorates a function"),  # type: ignore[arg-type]
}


class SameEyes(Builder):
    """One prior for two roles: a class that can be a builder, and a gate of the same code."""

    prior = "the same eyes"

    def __init__(self, name: str) -> None:
        self.name = name

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


class SameEyesGate(SameEyes):
    """Built on the builder's class, with the builder's prior, under another name."""

    kind = "gate"  # type: ignore[assignment]
    reads = ("artifact",)

    def __init__(self) -> None:
        super().__init__("judge")
        self.__wrapped__ = SameEyes


@pytest.mark.parametrize(("make", "error", "says"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_squad_that_cannot_work_says_so(make: Callable[[], Any], error: type[Exception], says: str) -> None:
    """The error has a name of its own, is an `InvalidInput`, and says what to do instead."""
    with pytest.raises(error, match=says) as caught:
        make()

    assert isinstance(caught.value, InvalidInput)
    assert re.search(r"[;:,(]", str(caught.value)), "an error says what happened, and what to do"


def test_a_role_is_called_by_its_class() -> None:
    """Without a name of its own a role has its class's, in lower case with dashes."""

    class SecondReader(Reader):
        name = ""

    squad = Squad(builder=Carpenter(), gates=[SecondReader()])

    assert list(squad._roles) == ["one-task", "carpenter", "second-reader"]


async def test_a_required_gate_that_nobody_holds_is_not_a_gate() -> None:
    """A packet that names it does not start, and the error says which gates there are."""
    with pytest.raises(UnheldGate, match="'security', which nobody here holds; held: reader"):
        await Squad(builder=Carpenter(), gates=[Reader()]).run(Packet(brief="It.", gates=("security",)))


async def test_a_packet_without_a_gate_that_reads_artifacts_does_not_compose() -> None:
    """A gate that only reads plans is no gate on what would compose."""
    squad = Squad(
        builder=ScriptedBuilder(),
        coordinator=ScriptedCoordinator(),
        gates=[ScriptedGate("planning", reads=["plan"])],
    )
    outcome = await squad.run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("no-applicable-gate", 2)


@pytest.mark.parametrize("level", ["model", "family"])
def test_a_demanded_independence_that_is_not_reached_is_refused_when_the_squad_is_made(level: Any) -> None:
    """Two pieces of code differ by prior and no more: nothing is begun that could not compose."""
    with pytest.raises(SelfGate, match=f"the gate 'reader' is .* 'carpenter' by 'prior', .* demands '{level}'"):
        Squad(builder=Carpenter(), gates=[Reader()], independence=level)


async def test_the_independence_that_was_reached_is_asked_for_again_when_a_packet_is_opened() -> None:
    """A squad whose roles changed after it was made begins nothing."""
    squad = Squad(builder=Carpenter(), gates=[Reader()])
    squad._independence = "family"

    outcome = await squad.run("It.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "self-gate"


async def test_a_builder_that_may_fall_back_to_the_gates_model_is_refused() -> None:
    """Whichever of them answers in the end: nobody knows that before."""
    builder, gate = ScriptedBuilder({"a": "x"}), ScriptedGate("style", Approved())
    builder.model, gate.model = ("openai:gpt-4o", "bedrock:anthropic.claude-x-v1:0"), "anthropic:claude-x"

    with pytest.raises(SelfGate, match="are one model, claude-x; give the gate another"):
        Squad(builder=builder, gates=[gate], independence="model")


async def test_the_model_that_answered_is_in_its_record() -> None:
    """A role that thinks by itself is answered for by the one model that it names."""
    builder, gate = ScriptedBuilder({"a": "x"}), ScriptedGate("style", Approved())
    builder.model, gate.model = "openai:gpt-4o", "anthropic:claude-x"
    squad = Squad(builder=builder, gates=[gate], independence="family")

    records = [record async for record in squad.stream("It.")]

    said = {r.kind: r.model for r in records if isinstance(r, (PlanRecord, ArtifactRecord, VerdictRecord))}
    assert {"plan": None, "artifact": "openai:gpt-4o", "verdict": "anthropic:claude-x"} == said
    assert ["family"] == [r.independence for r in records if isinstance(r, VerdictRecord)]


async def test_another_family_satisfies_every_level() -> None:
    """A model of another family, and code beside a model, are as far apart as it gets."""
    for family, level in (("other", "family"), ("same", "model")):
        builder = ScriptedBuilder({"a": "x"})
        builder.model, builder.family = "maker-1", "same"
        gate = ScriptedGate("style", Approved())
        gate.model, gate.family = "reader-1", family
        outcome = await Squad(builder=builder, gates=[gate], independence=level).run("It.")  # type: ignore[arg-type]
        assert isinstance(outcome, Composed)


@pytest.mark.parametrize("bad", [None, 42, b"bytes", {"brief": "It."}, ["It."]])
async def test_what_is_no_packet_is_an_error(bad: Any) -> None:
    """A squad runs text or a `Packet`."""
    with pytest.raises(InvalidInput, match="runs a brief or a Packet"):
        await Squad(builder=Carpenter(), gates=[Reader()]).run(bad)


async def test_a_brief_has_a_bound() -> None:
    """At the limit it runs; one character over it, or none at all, it does not start."""
    squad = Squad(builder=Carpenter(), gates=[Reader()], limits=Limits(brief_chars_max=10))

    assert isinstance(await squad.run("x" * 10), Composed)
    with pytest.raises(BriefTooLong, match="11 characters and the limit is 10"):
        await squad.run("x" * 11)
    with pytest.raises(InvalidInput, match=r"Packet\.brief"):
        await squad.run("")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Packet(brief="x", gates=("a", "a")), "the gate 'a' twice"),
        (lambda: Packet(brief="x", done_when=(Predicate(id="p", sentence="s"),) * 2), "the predicate 'p' twice"),
        (lambda: Packet(brief="x", gates=("Not A Name",)), r"Packet\.gates"),
        (lambda: Packet(brief="x", budget_usd=3), "budget_usd"),  # type: ignore[call-arg]
        (lambda: Limits(attempts_max=0), r"Limits\.attempts_max"),
        (lambda: Limits(artifact_bytes_max=-1), r"Limits\.artifact_bytes_max"),
        (lambda: ApprovalRule(approvers=()), r"ApprovalRule\.approvers"),
        (lambda: ApprovalRule(approvers=("a", "a")), "named twice"),
        (lambda: ApprovalRule(approvers=("a",), quorum=2), "can never be met"),
        (lambda: Task(name="", brief="x", builder="b"), r"Task\.name"),
        (lambda: Finding(invariant="a.b", message=""), r"Finding\.message"),
    ],
)
def test_a_mistake_in_what_is_handed_over_is_one_sentence(make: Callable[[], Any], says: str) -> None:
    """`InvalidInput`, never a vendor's error page."""
    with pytest.raises(InvalidInput, match=says) as caught:
        make()

    assert "pydantic" not in str(caught.value)


def test_a_role_without_its_method_and_without_a_model_is_refused() -> None:
    """Nobody would answer for it, and that must not be found out when it is asked."""
    empty = {base: type("Empty", (base,), {"prior": base.__name__})() for base in (Builder, Gate, Coordinator)}
    whole = {"builder": Carpenter(), "gates": [Reader()]}
    for base, role, verb in (
        (Builder, "builder", "build"),
        (Gate, "gates", "review"),
        (Coordinator, "coordinator", "plan"),
    ):
        given = [empty[base]] if role == "gates" else empty[base]

        with pytest.raises(InvalidSquad, match=f"`{verb}`"):
            Squad(**{**whole, role: given})

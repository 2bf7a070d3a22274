"""Each request has a mind of its own, and those who watch are told of their own packet."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from squads import Approved, Artifact, Builder, Composed, Finding, Gate, NotComposed, Refused, Squad
from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.errors import InvalidModel, ModelUnreachable
from squads.contracts.thinking import ModelRequest, Progress, UnsafeText
from squads.contracts.work import BuildWork, ReviewWork
from squads.gates.panel import Panel
from squads.minding import Minding, Watchers
from squads.minds import forms
from squads.minds.thinker import CALL_MS_MAX
from squads.testing import Asked, Call, ScriptedModel

BUILDER, GATE, OTHER = "scripted:builder", "scripted:gate", "scripted:other"


class Code(Builder):
    """A builder of code."""

    def build(self, work: BuildWork) -> Artifact:
        """The same each time."""
        return work.artifact({"a.txt": "a"})


class Yes(Gate):
    """A gate of code."""

    def review(self, work: ReviewWork) -> Any:
        """Let it through."""
        return work.approve()


def told(packet: str = "p" * 32) -> Progress:
    """Something that happened."""
    return Progress(packet=packet, about="a" * 64, role="r", stage="asked")


def words(packet: str = "p" * 32) -> UnsafeText:
    """Something that was written."""
    return UnsafeText(packet=packet, about="a" * 64, role="r", text="t")


def test_who_watches_is_told_of_his_packet_alone() -> None:
    """And text only where it was asked for."""
    seen: list[Any] = []
    watchers = Watchers()
    watchers.add("p" * 32, seen.append, None)
    for happened in (told(), told("q" * 32), words()):
        watchers.tell(happened)
    watchers.drop("p" * 32)
    watchers.tell(told())

    assert [told()] == seen
    assert not watchers.text("p" * 32)


def test_text_goes_to_who_asked_by_its_ugly_name() -> None:
    """Until nobody watches any more."""
    seen: list[Any] = []
    watchers = Watchers()
    watchers.add("p" * 32, None, seen.append)
    watchers.tell(words())

    assert watchers.text("p" * 32)
    assert [words()] == seen
    watchers.drop("p" * 32)
    assert not watchers.text("p" * 32)


async def test_a_watcher_that_raises_ends_nothing(caplog: Any) -> None:
    """It watches."""

    def broken(_: Any) -> None:
        raise RuntimeError("the screen is gone")

    squad = Squad(
        builder=Builder(prior="b", model=BUILDER),
        gates=[Yes()],
        models={BUILDER: ScriptedModel({"a.txt": "a"})},
    )
    *_, outcome = [e async for e in squad.stream("x", watch=broken, unsafe_text_before_verdict=broken)]

    assert isinstance(outcome, Composed)
    assert "what watches packet" in caplog.text


def test_each_request_has_a_mind_and_an_allowance_of_its_own() -> None:
    """What one reading spent is nobody else's."""
    squad = Squad(builder=Builder(name="b", prior="b", model=BUILDER), gates=[Yes()], models={BUILDER: ScriptedModel()})
    roles = {name: record for name, (_, record) in squad._roles.items()}
    minding = Minding(None, roles, journal=MemoryJournal(), blobs=MemoryBlobs())
    request: Any = told()

    one, other = (minding.mind("b", "a" * 64, request) for _ in range(2))

    assert one is not other
    assert one._call.meter is not other._call.meter
    assert one._call.asked is not other._call.asked
    assert 200_000 == one._call.meter.tokens_left  # type: ignore[attr-defined]


@pytest.mark.parametrize(("role", "left_ms"), [({"call_ms_max": 7}, 7), ({}, CALL_MS_MAX), ({"model": None}, None)])
def test_an_answer_may_take_as_long_as_its_role_says(role: dict[str, Any], left_ms: int | None) -> None:
    """Five minutes where it says nothing; code that asks nobody has no limit of this kind."""
    builder = (Code if "model" in role else Builder)(name="b", prior="b", **{"model": BUILDER, **role})
    squad = Squad(builder=builder, gates=[Yes()], models={BUILDER: ScriptedModel()})
    roles = {name: record for name, (_, record) in squad._roles.items()}
    request: Any = told()

    mind = Minding(None, roles, journal=MemoryJournal(), blobs=MemoryBlobs()).mind("b", "a" * 64, request)

    assert left_ms == mind._call.meter.wait_ms_left


async def test_a_model_that_takes_longer_than_its_role_may_costs_the_answer() -> None:
    """Nothing composes, and the outcome says which bound was met."""

    async def silent(_: Any) -> Any:
        await asyncio.Event().wait()

    gate = Gate(name="g", prior="g", model=GATE, call_ms_max=20)
    squad = Squad(builder=Code(), gates=[gate], models={GATE: ScriptedModel(silent, silent)})

    outcome = await asyncio.wait_for(squad.run("x"), 10)

    assert isinstance(outcome, NotComposed)
    assert "raise `call_ms_max`" in str(outcome)


def test_each_role_may_have_a_journal_of_its_own() -> None:
    """Where workers share no key, what a builder's worker has kept is no reply to a gate."""
    squad = Squad(builder=Builder(name="b", prior="b", model=BUILDER), gates=[Yes()], models={BUILDER: ScriptedModel()})
    roles = {name: record for name, (_, record) in squad._roles.items()}
    journals = {name: MemoryJournal() for name in roles}
    minding = Minding(None, roles, journal=journals.__getitem__, blobs=MemoryBlobs())
    request: Any = told()

    for name in roles:
        assert journals[name] is minding.mind(name, "a" * 64, request)._call.journal


async def test_members_of_a_panel_share_what_their_panel_may_spend() -> None:
    """Three members with room for two replies: one could not look, and nothing passes."""
    members = [
        Gate(name=f"m{n}", prior=str(n), model=GATE, call_tokens_max=2_000, output_tokens_max=3_000) for n in range(3)
    ]
    gate = ScriptedModel(*[Approved()] * 3, tokens=(2_900, 10))
    squad = Squad(builder=Code(), gates=[Panel(*members, cascade=True)], models={GATE: gate})

    outcome = await squad.run("x")

    assert isinstance(outcome, NotComposed)
    assert 1 <= len(gate.asked) < 3 * 2
    assert "left for this answer" in str(outcome)


class Keeping(Gate):
    """A gate that keeps the mind of its first reading, and asks it in its second."""

    kept: Any = None
    heard: Any = None

    async def review(self, work: ReviewWork) -> Any:
        """Approve only what was read with a mind of its own."""
        if self.kept is None:
            type(self).kept = work.mind
            finding = Finding(invariant="a.b", message="m")
            return work.refuse(finding)
        try:
            await self.kept.ask(ModelRequest(models=(GATE,), instructions="", prompt="", forms=(forms.AbstainForm,)))
        except InvalidModel as error:
            type(self).heard = error
        assert work.mind is not self.kept
        return work.approve()


async def test_a_role_that_keeps_its_mind_gets_nothing_out_of_it() -> None:
    """A mind of yesterday's reading has ended."""
    gate = ScriptedModel(Approved())
    await Squad(builder=Code(), gates=[Keeping(model=GATE)], models={GATE: gate}).run("x")

    assert "after it answered" in str(Keeping.heard)
    assert [] == gate.asked


async def test_the_model_that_answered_stands_in_the_record() -> None:
    """Of a list, the one that did; of a role of code, the one that it names."""
    models = {
        BUILDER: ScriptedModel(ModelUnreachable("busy")),
        OTHER: ScriptedModel({"a.txt": "a"}),
    }

    class Own(Yes):
        model = "my-own:seven"

    squad = Squad(builder=Builder(name="b", prior="b", model=[BUILDER, OTHER]), gates=[Own(name="g")], models=models)
    records = [e async for e in squad.stream("x")]

    said = {(r.author, r.model) for r in records if getattr(r, "model", None)}  # type: ignore[union-attr]
    assert {("b", OTHER), ("g", "my-own:seven")} == said


async def test_half_a_character_in_a_reply_ends_no_worker() -> None:
    """The model is asked again; the record can be written whatever it said."""
    odd = [Call("hand_in", '{"files": [{"path": "a\\ud800", "text": "x"}]}'), {"a.txt": "a"}]
    models = {BUILDER: ScriptedModel(*odd), GATE: ScriptedModel(Approved())}
    squad = Squad(
        builder=Builder(prior="b", model=BUILDER), gates=[Gate(name="g", prior="g", model=GATE)], models=models
    )

    outcome = await squad.run("x")

    assert isinstance(outcome, Composed)


async def test_an_error_that_quotes_half_a_character_is_recorded() -> None:
    """Its sentence is written as far as it can be, and the packet comes to its end."""

    class Quoting(Builder):
        def build(self, work: BuildWork) -> Artifact:
            raise ModelUnreachable("the model said \ud800")

    outcome = await Squad(builder=Quoting(), gates=[Yes()]).run("x")

    assert isinstance(outcome, NotComposed)
    assert "the model said ?" in str(outcome)


async def test_no_role_is_told_of_another_roles_prior() -> None:
    """The builder's prior is not in the gate's request, nor the gate's in the builder's, in any round."""
    finding = Finding(invariant="a.b", message="FOUND-BY-FIRST")
    seen: list[Asked] = []

    def approve(asked: Asked) -> Any:
        seen.append(asked)
        return Approved()

    models = {
        BUILDER: ScriptedModel({"a.txt": "a"}, {"a.txt": "b"}),
        GATE: ScriptedModel(Refused(findings=(finding,)), Approved()),
        OTHER: ScriptedModel(approve, approve),
    }
    squad = Squad(
        builder=Builder(name="carpenter", prior="PRIOR-OF-BUILDER", model=BUILDER),
        gates=[
            Gate(name="first", prior="PRIOR-OF-FIRST", model=GATE),
            Gate(name="second", prior="PRIOR-OF-SECOND", model=OTHER),
        ],
        models=models,
    )

    outcome = await squad.run("x")

    assert isinstance(outcome, Composed)
    for asked in seen:
        told = asked.instructions + asked.prompt
        assert "PRIOR-OF-SECOND" in told
        assert not [w for w in ("PRIOR-OF-FIRST", "PRIOR-OF-BUILDER", "FOUND-BY-FIRST", "carpenter") if w in told]
    assert "FOUND-BY-FIRST" in models[BUILDER].asked[1].prompt
    assert "first" not in models[BUILDER].asked[1].prompt

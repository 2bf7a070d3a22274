"""A scripted model says what is written down, in order, through everything that a real one goes through."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Approved, Builder, Finding, Gate, Location, Objection, Plan, Refused, Squad, Task
from squads.contracts.verdict import Abstained
from squads.minds import forms
from squads.testing import Asked, Call, ScriptedModel, UnexpectedWork, UnusedReplies
from squads.testing.scripted_model import _filled

FINDING = Finding(
    invariant="a.b", message="m", location=Location(path="a.sql", line=2), evidence="e", satisfy="s", severity="minor"
)


@pytest.mark.parametrize(
    ("reply", "form"),
    [
        (Plan(tasks=(Task(name="t", brief="b", builder="c", after=("u",), gates=("g",)),)), forms.PlanForm),
        (Objection(reasons=("r",), proposal="p"), forms.ObjectForm),
        (Approved(notes=(FINDING,)), forms.ApproveForm),
        (Refused(findings=(FINDING,)), forms.RefuseForm),
        (Abstained(reason="r"), forms.AbstainForm),
        ({"a.sql": "x"}, forms.FilesForm),
        (forms.BuiltForm(summary="s"), forms.BuiltForm),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_a_role_answers_is_a_form_that_validates(reply: Any, form: Any) -> None:
    """Nothing of it is lost on the way."""
    name, said = _filled(reply)

    filled = form.model_validate(said)
    assert forms.name_of(form) == name
    if isinstance(reply, Refused):
        assert reply.findings == tuple(each.to_finding() for each in filled.findings)
    if isinstance(reply, Plan):
        assert reply.tasks == filled.to_tasks()


@pytest.mark.parametrize(
    "reply", [3, None, object(), Approved(waivers=("d" * 64,))], ids=["3", "None", "object", "waivers"]
)
def test_what_no_model_could_say_is_refused(reply: Any) -> None:
    """A model knows waivers by number: a digest would be dropped without a word."""
    with pytest.raises(TypeError):
        _filled(reply)


def squad(model: ScriptedModel, builder: ScriptedModel | None = None) -> Squad:
    """A squad whose gate is scripted."""
    return Squad(
        builder=Builder(name="b", prior="b", model="scripted:b"),
        gates=[Gate(name="g", prior="g", model="scripted:g")],
        models={"scripted:b": builder or ScriptedModel({"a.sql": "x"}), "scripted:g": model},
    )


async def test_a_function_sees_what_was_asked() -> None:
    """Instructions, prompt, forms and tools, as the model would."""
    seen: list[Asked] = []

    async def answer(asked: Asked) -> Any:
        seen.append(asked)
        return Approved()

    model = ScriptedModel(answer)
    await squad(model).run("A table.")

    assert ("approve", "refuse", "abstain") == seen[0].forms
    assert "A table." in seen[0].prompt
    assert "You are a gate." in seen[0].instructions
    assert "findings" in str(seen[0].schemas["refuse"])
    model.done()


async def test_a_request_without_a_reply_is_said_by_done() -> None:
    """Whatever the squad made of it."""
    model = ScriptedModel()
    await squad(model).run("x")
    with pytest.raises(UnexpectedWork, match="fill in one of approve, refuse, abstain"):
        model.done()


async def test_a_reply_that_nobody_asked_for_is_said_by_done() -> None:
    """A script is followed to its end."""
    model = ScriptedModel(Approved(), Approved())
    await squad(model).run("x")
    with pytest.raises(UnusedReplies, match="1 of 2 replies left"):
        model.done()


async def test_several_calls_are_one_reply() -> None:
    """As a model would make them at once."""
    model = ScriptedModel([Call("approve", {}), Call("approve", {})], Approved())
    await squad(model).run("x")

    assert "you answered 2 times" in model.asked[1].answers[0]
    model.done()

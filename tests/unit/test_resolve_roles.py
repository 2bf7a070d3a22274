"""Names and priors of roles: what makes two roles read with the same eyes."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Approved, Artifact, Builder, Finding, Gate, Panel, check
from squads.contracts.errors import InvalidSquad, SelfGate
from squads.contracts.packet import AttemptKind
from squads.contracts.records import ModelRecord
from squads.contracts.work import BuildWork, ReviewWork
from squads.resolve import check_independence, members_of, models_of, name_of, prior_of, record_of_role, resolve
from squads.testing import ScriptedBuilder, ScriptedCoordinator, ScriptedGate


class Reader(Gate):
    def review(self, work: ReviewWork) -> Approved:
        return work.approve()


class SlowReader(Reader):
    """The same, with more patience."""


class OtherReader(Gate):
    def review(self, work: ReviewWork) -> Approved:
        return work.approve(looked=2)


def with_(role: Any, **attributes: Any) -> Any:
    for name, value in attributes.items():
        setattr(role, name, value)
    return role


def test_a_prior_is_the_same_for_the_same_eyes() -> None:
    """Two instances of one class with the same words bring the same; a name changes nothing."""
    assert prior_of(Reader()) == prior_of(Reader())
    assert prior_of(Reader()) == prior_of(with_(Reader(), name="another-name"))


@pytest.mark.parametrize(
    "change",
    [{"prior": "suspicious"}, {"model": "reader-1"}, {"tools": ("grep",)}, {"card": "# A card"}],
    ids=lambda c: next(iter(c)),
)
def test_a_prior_covers_what_a_role_brings(change: dict[str, Any]) -> None:
    """Prose, model, tools and card each make it another one."""
    assert prior_of(Reader()) != prior_of(with_(Reader(), **change))


def test_a_prior_covers_the_code() -> None:
    """Another class is another prior, a subclass too."""
    assert len({prior_of(r()) for r in (Reader, SlowReader, OtherReader)}) == 3


def test_a_prior_of_a_check_is_its_functions() -> None:
    """Two checks with the same words and other code are two priors."""

    @check("a.b")
    def one(artifact: Artifact) -> list[Finding]:
        return []

    @check("a.b")
    def two(artifact: Artifact) -> list[Finding]:
        found: list[Finding] = []
        return found

    assert prior_of(one) != prior_of(two)
    assert prior_of(one) == prior_of(one)


def test_code_without_source_has_a_prior() -> None:
    """Where there is no source to read, the compiled code stands in: the same code gives the same digest."""

    def made(body: str) -> Any:
        space: dict[str, Any] = {"Gate": Gate, "__name__": "typed_at_a_prompt"}
        exec(f"class Typed(Gate):\n    def review(self, work):\n        return {body}", space)
        return space["Typed"]()

    assert prior_of(made("work.approve()")) == prior_of(made("work.approve()"))
    assert prior_of(made("work.approve()")) != prior_of(made("work.abstain('x')"))


def test_code_without_source_covers_its_constants_and_lambdas() -> None:
    """A changed word deep inside is another prior."""

    def made(word: str) -> Any:
        space: dict[str, Any] = {"Gate": Gate, "__name__": "typed_at_a_prompt"}
        exec(f"class Typed(Gate):\n    def review(self, work):\n        return (lambda: {word!r})()", space)
        return space["Typed"]()

    assert prior_of(made("one")) != prior_of(made("two"))


class Carpenter(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a": "x"})


class HTTPReader(Reader):
    pass


class _Private(Reader):
    pass


@pytest.mark.parametrize(
    ("role", "name"),
    [
        (Carpenter(), "carpenter"),
        (SlowReader(), "slow-reader"),
        (_Private(), "private"),
        (with_(Reader(), name="sql.unique-null"), "sql.unique-null"),
    ],
)
def test_a_role_has_a_name(role: Any, name: str) -> None:
    """Its own, or its class's."""
    assert name_of(role) == name


@pytest.mark.parametrize("name", ["Runner", "runner", "a b", "1st", "ä", "a/b", "x" * 65, "-a"])
def test_a_name_is_a_name(name: str) -> None:
    """Configured words only; the runner's address is nobody's."""
    with pytest.raises(InvalidSquad):
        name_of(with_(Reader(), name=name))


def test_a_record_freezes_what_counts() -> None:
    """Kind, what it reads, what it may cost, and whether it is the unsafe one."""
    gate = with_(
        ScriptedGate("style", reads=["plan", "composition"]),
        model="reader-1",
        family="readers",
        call_tokens_max=10,
        call_microusd_max=20,
    )
    record = record_of_role(gate)

    assert (record.name, record.kind, record.unsafe) == ("style", "gate", False)
    assert record.reads == (AttemptKind.PLAN, AttemptKind.COMPOSITION)
    assert record.models == (ModelRecord(called="reader-1", name="reader-1", family="readers"),)
    assert (record.call_tokens_max, record.call_microusd_max) == (10, 20)
    assert record_of_role(ScriptedBuilder()).reads == ()


SONNET, HAIKU, GPT = "anthropic:claude-sonnet-4-5", "anthropic:claude-haiku-4-5", "openai:gpt-4o"
BEDROCK = "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize("model", [SONNET, BEDROCK, "litellm:openai/gpt-4o", "openrouter:x/y:free", "google-cloud:c@1"])
def test_a_model_is_recorded_as_it_is_called_and_as_what_it_is(model: str) -> None:
    """The one for people and for the ledger, the other for comparing."""
    (found,) = record_of_role(with_(Reader(), model=model)).models

    assert model == found.called
    assert ":" not in found.name


def test_every_model_that_may_answer_is_recorded() -> None:
    """In their order, each once, on a role and on a panel's member, and all of them are in the prior."""
    several = with_(Reader(), model=[SONNET, GPT, SONNET])
    panel = Panel(several, with_(OtherReader(), model=BEDROCK), name="panel")

    assert [SONNET, GPT] == [m.called for m in record_of_role(several).models]
    assert [[SONNET, GPT], [BEDROCK]] == [[m.called for m in member.models] for member in members_of(panel)]
    assert ["claude", "gpt"] == [m.family for m in models_of(several)]
    assert 3 == len({prior_of(with_(Reader(), model=m)) for m in (SONNET, (SONNET, GPT), (GPT, SONNET))})
    assert prior_of(with_(Reader(), model=SONNET)) == prior_of(with_(Reader(), model=(SONNET,)))


def test_a_family_is_said_of_models_that_do_not_say_theirs() -> None:
    """Of those whose names do, it changes nothing."""
    role = with_(Reader(), model=("acme:prod", SONNET), family="acme")

    assert ["acme", "claude"] == [m.family for m in models_of(role)]


def test_a_family_that_the_name_contradicts_is_refused() -> None:
    """Calling the same weights another family would make a gate independent by a word."""
    with pytest.raises(InvalidSquad, match=r"'reader' says family 'gpt', and '.*' is claude; leave `family` out"):
        models_of(with_(Reader(), model=SONNET, family="gpt"))

    assert ["claude"] == [m.family for m in models_of(with_(Reader(), model=SONNET, family="claude"))]


@pytest.mark.parametrize("model", ["", "two words", 7, ("anthropic:a", None), object(), "x" * 200, "a\nb"])
def test_what_is_no_model_string_is_refused(model: Any) -> None:
    """By the role's name, with how it is written."""
    with pytest.raises(InvalidSquad, match=r"'reader' names the model .* a model is written 'provider:name'"):
        models_of(with_(Reader(), model=model))


TOO_NEAR: dict[str, tuple[Any, Any, str, str]] = {
    # name: (the gate's model, the builder's, what is demanded, what is said)
    "code": (
        None,
        None,
        "model",
        "by 'prior', and this squad demands 'model': both are code; give one of them a model",
    ),
    "one model": (BEDROCK, SONNET, "model", f"'{BEDROCK}' and '{SONNET}' are one model, claude-sonnet-4-5; give the"),
    "a fallback to the gate's model": (SONNET, (GPT, SONNET), "model", "by 'prior', .* are one model"),
    "a gate's fallback to the builder's": ((GPT, HAIKU), HAIKU, "model", "by 'prior', .* are one model"),
    "one family": (HAIKU, SONNET, "family", "by 'model', .* are both claude; give the gate a model of another family"),
    "a fallback in the family": (HAIKU, (GPT, SONNET), "family", "by 'model', .* are both claude"),
    "an unknown family": ("acme:prod", SONNET, "family", "nobody knows the family of 'acme:prod'; say `family:` in"),
    "an unknown author": (SONNET, "acme:prod", "family", "nobody knows the family of 'acme:prod'; say `family:` in"),
}


@pytest.mark.parametrize(("gate", "builder", "demanded", "said"), TOO_NEAR.values(), ids=TOO_NEAR.keys())
def test_a_gate_that_is_too_near_is_refused_with_the_way_out(gate: Any, builder: Any, demanded: Any, said: str) -> None:
    """Who, how near, what was demanded, why, and what to do."""
    records = [
        record_of_role(with_(ScriptedBuilder({"a": "x"}), model=builder)),
        record_of_role(with_(Reader(), model=gate)),
    ]

    with pytest.raises(SelfGate, match=f"the gate 'reader' is independent of the builder 'builder' .*{said}"):
        check_independence(records, demanded)


def test_a_panels_nearest_member_is_named() -> None:
    """It is the member that another model helps."""
    panel = Panel(with_(Reader(), model=GPT), with_(OtherReader(), model=SONNET, name="other"), name="panel")
    records = [record_of_role(with_(ScriptedBuilder({"a": "x"}), model=HAIKU)), record_of_role(panel)]

    with pytest.raises(SelfGate, match=r"the gate 'panel' is independent .* its member 'other': .* are both claude"):
        check_independence(records, "family")


def test_a_gate_answers_only_for_those_whose_work_it_reads() -> None:
    """What a coordinator thinks with is of no weight to a gate that reads no plans."""
    maker, planner = with_(ScriptedBuilder({"a": "x"}), model=GPT), with_(ScriptedCoordinator(), model=SONNET)
    reader = with_(Reader(), model=SONNET)
    check_independence([record_of_role(r) for r in (planner, maker, reader)], "family")

    reader.reads = (AttemptKind.PLAN, AttemptKind.ARTIFACT)
    with pytest.raises(SelfGate, match="of the coordinator 'coordinator' by 'prior'"):
        check_independence([record_of_role(r) for r in (planner, maker, reader)], "family")


def test_an_unknown_demand_is_refused() -> None:
    """With what can be demanded."""
    with pytest.raises(InvalidSquad, match="'much' is no independence; known: identity, prior, model, family"):
        check_independence([], "much")  # type: ignore[arg-type]


def test_roles_come_in_their_order() -> None:
    """Coordinator, builders, gates: as they were given."""
    found = resolve(
        ScriptedCoordinator(),
        [ScriptedBuilder(name="b"), ScriptedBuilder(name="a")],
        [ScriptedGate("z"), ScriptedGate("y")],
    )

    assert list(found) == ["coordinator", "b", "a", "z", "y"]
    assert all(role is not None and record.name == name for name, (role, record) in found.items())

"""Who reads what, how far apart they are, and which squads must not begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_scene import ARTIFACT, CARPENTER, COMPOSITION, COORD, MASON, PLAN, SCHEMA, digest, opened, role

from squads.contracts.packet import AttemptKind
from squads.contracts.records import MemberRecord, ModelRecord, RoleRecord
from squads.kernel.registry import LEVELS, faults, independence, may_answer, readers, weakest


def models(model: str | None, family: str | None = None) -> tuple[ModelRecord, ...]:
    return (ModelRecord(called=f"route:{model}", name=model, family=family),) if model else ()


def modelled(name: str, model: str | None, family: str | None = None) -> RoleRecord:
    return role(name, "gate", ARTIFACT, models=models(model, family))


def member(name: str, model: str | None, family: str | None = None) -> MemberRecord:
    return MemberRecord(name=name, prior=digest(name), models=models(model, family))


@pytest.mark.parametrize(
    ("gate", "author", "reached"),
    [
        ((None, None), (None, None), "prior"),
        ((None, None), ("opus", "a"), "family"),
        (("opus", "a"), (None, None), "family"),
        (("opus", "a"), ("opus", "a"), "prior"),
        (("opus", "a"), ("haiku", "a"), "model"),
        (("opus", "a"), ("gpt", "o"), "family"),
        (("opus", None), ("gpt", "o"), "model"),
    ],
)
def test_independence_is_the_distance_of_two_readers(
    gate: tuple[str | None, str | None], author: tuple[str | None, str | None], reached: str
) -> None:
    """Code and a model are of different families; two models differ by model, or by family where both are known."""
    assert reached == independence(modelled("g", *gate), modelled("b", *author))


def test_one_model_by_two_routes_is_one_model() -> None:
    """How it is called and who serves it make no other reader."""
    ours = ModelRecord(called="anthropic:opus", name="opus", family="claude")
    theirs = ModelRecord(called="bedrock:anthropic.opus-v1:0", name="opus", family="claude")
    author = role("b", "builder", models=(ours,))

    assert "prior" == independence(role("g", "gate", ARTIFACT, models=(theirs,)), author)


def test_a_builder_with_a_fallback_to_the_gates_model_is_near_to_it() -> None:
    """Any of a role's models may have answered, so the nearest two decide."""
    gate = modelled("g", "opus", "claude")
    far, near = models("gpt", "gpt"), models("opus", "claude")

    assert "family" == independence(gate, role("b", "builder", models=far))
    assert "prior" == independence(gate, role("b", "builder", models=far + near))
    assert "model" == independence(gate, role("b", "builder", models=far + models("haiku", "claude")))
    assert "model" == independence(gate, role("b", "builder", models=far + models("mine")))
    assert "prior" == independence(role("g", "gate", ARTIFACT, models=far + near), role("b", "builder", models=near))


MODEL = st.builds(models, st.sampled_from(["a", "b", "c", "d"]), st.sampled_from([None, "x", "y"]))
MODELS = st.lists(MODEL, max_size=3).map(lambda found: tuple(one for each in found for one in each))


@given(MODELS, MODELS, MODEL, st.booleans())
def test_a_fallback_never_raises_independence(
    own: tuple[ModelRecord, ...], others: tuple[ModelRecord, ...], more: tuple[ModelRecord, ...], to_gate: bool
) -> None:
    """Whoever else may answer can only bring the two nearer; code with a first model is no fallback."""
    before = independence(role("g", "gate", ARTIFACT, models=own), role("b", "builder", models=others))
    grown = (own + more, others) if to_gate else (own, others + more)
    after = independence(role("g", "gate", ARTIFACT, models=grown[0]), role("b", "builder", models=grown[1]))

    assert before is not None
    assert after is not None
    if own if to_gate else others:
        assert LEVELS.index(after) <= LEVELS.index(before)


@given(st.lists(st.tuples(MODELS, st.sampled_from(["m", "n", "b"])), min_size=1, max_size=3), MODELS, MODELS)
def test_a_member_never_raises_independence(
    seats: list[tuple[tuple[ModelRecord, ...], str]], others: tuple[ModelRecord, ...], more: tuple[ModelRecord, ...]
) -> None:
    """A panel with one more member is as independent as before, or less."""
    author = role("b", "builder", models=others)
    members = tuple(MemberRecord(name=name, prior=digest(name), models=own) for own, name in seats)
    grown = (*members, MemberRecord(name="o", prior=digest("o"), models=more))

    before = independence(role("panel", "gate", ARTIFACT, members=members), author)
    after = independence(role("panel", "gate", ARTIFACT, members=grown), author)

    if before is None:
        assert after is None
    else:
        assert after is None or LEVELS.index(after) <= LEVELS.index(before)


def test_a_panel_that_asks_a_model_itself_reads_as_well() -> None:
    """Then its own model counts beside its members'."""
    near = role("panel", "gate", ARTIFACT, members=(member("far", "gpt", "o"),), models=models("opus", "a"))

    assert "prior" == independence(near, modelled("b", "opus", "a"))


def test_only_a_roles_own_models_may_have_answered() -> None:
    """By the name that each is called by; a panel's answer comes from any of its members'."""
    panel = role("panel", "gate", ARTIFACT, members=(member("far", "gpt"), member("near", "opus")))

    assert may_answer(modelled("g", "opus"), "route:opus")
    assert may_answer(modelled("g", "opus"), None)
    assert not may_answer(modelled("g", "opus"), "opus")
    assert not may_answer(modelled("g", None), "route:opus")
    assert may_answer(panel, "route:opus")
    assert not may_answer(panel, "route:haiku")


def test_a_panel_is_as_independent_as_its_nearest_member() -> None:
    """The panel itself is code, and that makes none of its members another model."""
    far, near = member("far", "gpt", "o"), member("near", "opus", "a")
    author = modelled("b", "opus", "a")

    assert "family" == independence(role("panel", "gate", ARTIFACT, members=(far,)), author)
    assert "prior" == independence(role("panel", "gate", ARTIFACT, members=(far, near)), author)
    assert "prior" == independence(role("panel", "gate", ARTIFACT), modelled("b", None))


def test_a_panel_with_the_author_inside_must_not_judge() -> None:
    """Neither by name nor by prior."""
    named = role("panel", "gate", ARTIFACT, members=(member("carpenter", "gpt", "o"),))
    same = role(
        "panel", "gate", ARTIFACT, members=(MemberRecord(name="m", prior=CARPENTER.prior, models=models("gpt")),)
    )

    assert independence(named, CARPENTER) is None
    assert independence(same, CARPENTER) is None


def test_nobody_is_independent_of_themselves() -> None:
    """Neither under one name, nor with one prior under two names."""
    twin = role("twin", "gate", ARTIFACT, prior=digest("carpenter"), models=models("opus"))

    assert independence(role("carpenter", "gate", ARTIFACT, prior=digest("else")), CARPENTER) is None
    assert independence(twin, CARPENTER) is None


def test_the_nearest_author_decides() -> None:
    """A gate is only as independent as of the one it is nearest to."""
    gate, near, far = modelled("g", "opus", "a"), modelled("b", "opus", "a"), modelled("c", "gpt", "o")

    assert weakest(gate, [far, near]) == "prior"
    assert weakest(gate, [far, gate]) is None
    assert weakest(gate, []) == "family"


def test_readers_are_the_required_gates_then_the_tasks() -> None:
    """Each once, and only those that read this kind."""
    roles = {r.name: r for r in (SCHEMA, role("spec", "gate", PLAN), role("style", "gate", ARTIFACT))}

    assert readers(roles, ("schema", "spec"), ARTIFACT, ("style", "schema")) == ["schema", "style"]
    assert readers(roles, ("schema", "spec"), PLAN) == ["spec"]
    assert readers(roles, ("schema",), COMPOSITION) == []


def test_a_sound_squad_has_no_fault() -> None:
    """One coordinator, builders, and a gate that reads what they make."""
    assert faults(opened()) is None


ONLY_PLAN = role("spec", "gate", PLAN)
BLIND = role("blind", "gate")
TWIN = role("twin", "gate", ARTIFACT, prior=CARPENTER.prior)
PLAN_TWIN = role("plans", "gate", PLAN, ARTIFACT, prior=COORD.prior)


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("unknown-rules", {"rules": 2}),
        ("no-gates", {"gates": ()}),
        ("unheld-gate", {"gates": ("nobody",)}),
        ("unheld-gate", {"gates": ("schema", "carpenter")}),
        ("unheld-gate", {"gates": ("blind",), "roles": (COORD, CARPENTER, BLIND)}),
        ("self-gate", {"roles": (COORD, CARPENTER, SCHEMA, role("schema", "builder"))}),
        ("self-gate", {"roles": (COORD, CARPENTER, SCHEMA, role("runner", "builder"))}),
        ("no-coordinator", {"roles": (CARPENTER, SCHEMA)}),
        ("no-coordinator", {"roles": (COORD, role("second", "coordinator"), CARPENTER, SCHEMA)}),
        ("no-builder", {"roles": (COORD, SCHEMA)}),
        ("no-applicable-gate", {"gates": ("spec",), "roles": (COORD, CARPENTER, ONLY_PLAN)}),
        ("self-gate", {"gates": ("twin",), "roles": (COORD, CARPENTER, TWIN)}),
        ("self-gate", {"gates": ("twin",), "roles": (COORD, CARPENTER, MASON, TWIN)}),
        ("self-gate", {"gates": ("plans",), "roles": (COORD, CARPENTER, PLAN_TWIN)}),
        ("self-gate", {"independence": "model"}),
    ],
)
def test_a_squad_that_cannot_refuse_must_not_begin(reason: str, change: dict[str, object]) -> None:
    """Every way in which a gate would be no gate ends the packet at once."""
    assert reason == faults(opened(**change))


@pytest.mark.parametrize("wanted", LEVELS)
def test_a_squad_can_demand_more_independence(wanted: str) -> None:
    """A gate of another family meets every demand."""
    builder = role("carpenter", "builder", models=models("gpt", "o"))
    gate = role("schema", "gate", AttemptKind.ARTIFACT, models=models("opus", "a"))

    assert faults(opened(independence=wanted, roles=(COORD, builder, gate))) is None

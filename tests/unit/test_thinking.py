"""Which roles ask models, what asks for them, and what one of their answers may cost."""

from __future__ import annotations

from typing import Any

import pytest

from squads import Builder, Coordinator, Gate, Squad
from squads.adapters.models import Models
from squads.adapters.process_sandbox import ProcessSandbox
from squads.contracts.errors import InvalidModel, InvalidSquad
from squads.contracts.thinking import ToolServer
from squads.gates.panel import Panel
from squads.minds.thinker import CALL_TOKENS_MAX
from squads.testing import ScriptedModel
from squads.thinking import allowance_of, asks_models, left_to_a_model, thinking_with


class Planning(Coordinator):
    """Plans by itself."""

    def plan(self, work: Any) -> Any:
        """Whatever."""


class Deciding(Planning):
    """Does all by itself."""

    def accept(self, work: Any) -> Any:
        """Whatever."""


class Building(Builder):
    """Builds by itself."""

    def build(self, work: Any) -> Any:
        """Whatever."""


@pytest.mark.parametrize(
    ("role", "verb", "asks"),
    [
        (Coordinator(), "plan", True),
        (Planning(), "", True),
        (Deciding(), "", False),
        (Builder(), "build", True),
        (Building(), "", False),
        (Gate(), "review", True),
        (object(), "", False),
    ],
)
def test_a_role_leaves_to_a_model_what_it_did_not_write(role: Any, verb: str, asks: bool) -> None:
    """A coordinator that plans itself may still have its last check done by a model."""
    assert (verb, asks) == (left_to_a_model(role), asks_models(role))


def test_nobody_is_there_to_ask_where_no_role_names_a_model() -> None:
    """A squad of code holds no adapter of models."""
    assert thinking_with(None, [Building(), None]) is None


def test_what_is_given_is_what_asks() -> None:
    """Whoever brings a `Model` of his own is asked with every string that roles use."""
    seen: list[str] = []

    class Own:
        def check(self, name: str) -> None:
            seen.append(name)

    own: Any = Own()

    assert own is thinking_with(own, [Builder(model=["a:1", "a:2"]), Building(model="b:1")])
    assert ["a:1", "a:2"] == seen


def test_models_of_members_are_checked() -> None:
    """A panel's as well, however deep."""
    panel = Panel(Gate(name="a", model="scripted:a"), Gate(name="b", model="nobody:b"))
    with pytest.raises(InvalidModel, match="nobody:b"):
        thinking_with({"scripted:a": ScriptedModel()}, [panel])


NOWHERE = ToolServer(name="docs", command=("no-such-program-anywhere",))
ANSWERED = {"a:1": ScriptedModel()}


@pytest.mark.parametrize(
    ("role", "error", "sentence"),
    [
        (Gate(name="g", model="a:1", tools=["read", "write"]), InvalidSquad, "Gate 'g': a gate is not given 'write'"),
        (Coordinator(model="a:1", tools=["read"]), InvalidSquad, "a coordinator is not given 'read': it has no work"),
        (Builder(name="b", model="a:1", tools=["raed"]), InvalidSquad, "Builder 'b': .*'raed'; did you mean 'read'"),
        (Builder(model="a:1", tools=["run"], run=["python"]), InvalidSquad, "give the squad a `sandbox`"),
        (Builder(model="a:1", servers=[NOWHERE]), InvalidModel, "'docs' is started by 'no-such-program-anywhere'"),
        (
            Panel(Gate(name="a", model="a:1"), Gate(name="b", model="a:1", tools=["run"])),
            InvalidSquad,
            "a gate is not given 'run'",
        ),
    ],
    ids=["a gate", "a coordinator", "unknown", "no sandbox", "a server", "a member"],
)
def test_what_a_role_could_not_use_is_said_before_any_work(role: Any, error: type[Exception], sentence: str) -> None:
    """A squad that is made in Python hears what a project's card would: by the role's name, and with what to do."""
    team = {"builder": Building(name="own"), "gates": [Gate(name="other", model="a:1")], "coordinator": None}
    place = {"builder": "builder", "gate": "gates", "coordinator": "coordinator"}[role.kind]
    team[place] = [role] if place == "gates" else role
    with pytest.raises(error, match=sentence):
        Squad(**team, models=ANSWERED)


@pytest.mark.parametrize("programs", [(), ("/bin/sh",)], ids=["none", "a path"])
def test_a_sandbox_needs_names_of_programs(programs: tuple[str, ...]) -> None:
    """As they are found on PATH."""
    builder = Builder(model="a:1", tools=["run"], run=programs)
    with pytest.raises(InvalidSquad, match="program"):
        Squad(builder=builder, gates=[Gate(name="g", model="a:1")], models=ANSWERED, sandbox=ProcessSandbox())


def test_tools_that_can_be_given_are_no_fault() -> None:
    """With a sandbox for what runs; and of a role that asks no model through us, nothing is asked."""
    runs = Builder(model="a:1", tools=["read", "run"], run=["python"])
    own = Building(model="a:1", tools=["anything"], servers=[NOWHERE])
    plans = Planning(model="a:1", tools=["read"])
    reads = Gate(name="g", model="a:1", tools=["read", "search"])

    assert Squad(builder=runs, gates=[reads], models=ANSWERED, sandbox=ProcessSandbox())
    assert Squad(builder=own, coordinator=plans, gates=[reads], models=ANSWERED)


PRICES: Any = Models(prices={"a:1": (1_000_000, 2_000_000), "a:2": (3_000_000, 1_000_000)})


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Building(), (0, 0)),
        (Builder(model="x:1"), (CALL_TOKENS_MAX, 0)),
        (Builder(model="a:1", call_tokens_max=10), (10, 20)),
        (Builder(model=["a:1", "a:2"], call_tokens_max=10), (10, 30)),
        (Builder(model=["a:1", "x:1"], call_tokens_max=10), (10, 0)),
        (Builder(model="a:1", call_tokens_max=10, call_microusd_max=5), (10, 5)),
        (Panel(Gate(name="a", model="a:1", call_tokens_max=10), Gate(name="b", call_microusd_max=7)), (10, 27)),
    ],
    ids=["code", "unpriced", "priced", "two priced", "one unpriced", "as it says", "a panel"],
)
def test_an_answer_may_cost_what_its_dearest_model_could(role: Any, allowed: tuple[int, int]) -> None:
    """Unless the role says. Where one model has no price, tokens are the bound; a panel spends what its members do."""
    assert allowed == allowance_of(role, PRICES)[:2]

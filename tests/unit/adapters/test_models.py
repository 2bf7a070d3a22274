"""The models of a squad: checked before any work, asked by their strings, closed as often as one likes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from squads import Artifact, Builder, Composed, Coordinator, Gate, Squad, Task
from squads.adapters.models import Models
from squads.contracts.errors import InvalidInput, InvalidModel
from squads.contracts.work import BuildWork, PlanWork
from squads.testing import ScriptedModel
from squads.testing.guards import NetworkGuard


def test_a_model_without_a_key_is_said_before_any_work() -> None:
    """One sentence that names the variable and the way without a key."""
    with pytest.raises(InvalidModel, match=r"ANTHROPIC_API_KEY.*--replay"):
        Squad(builder=Builder(model="anthropic:claude-sonnet-5-5", prior="b"), gates=[_Nothing()])


def test_an_unknown_model_names_the_nearest() -> None:
    """A typing error is found when the squad is made."""
    with pytest.raises(InvalidModel, match="anthropic:"):
        Squad(builder=Builder(model="antropic:claude-sonnet-5-5", prior="b"), gates=[_Nothing()])


@pytest.mark.parametrize("model", ["anthropic:claude-sonnet-5-5", ("scripted:b", "anthropic:claude-sonnet-5-5")])
def test_every_model_of_a_list_is_checked(model: Any) -> None:
    """A fallback that could not be asked would be found when it is needed most."""
    with pytest.raises(InvalidModel, match="ANTHROPIC_API_KEY"):
        Squad(builder=Builder(model=model, prior="b"), gates=[_Nothing()], models={"scripted:b": ScriptedModel()})


def test_a_model_that_is_given_needs_no_key() -> None:
    """Whoever brings a model sees to it."""
    Models({"anthropic:claude-sonnet-5-5": ScriptedModel()}).check("anthropic:claude-sonnet-5-5")


def test_a_replay_needs_no_key(tmp_path: Path) -> None:
    """Nobody is asked."""
    Models(replay=tmp_path).check("anthropic:claude-sonnet-5-5")


def test_a_replay_opens_no_socket_and_imports_no_sdk(tmp_path: Path, no_network: NetworkGuard) -> None:
    """A miss stays on this machine, also for a model whose provider is known."""
    gate = Gate(name="g", prior="g", model="anthropic:claude-sonnet-5-5")

    outcome = Squad(builder=_Code(), gates=[gate], models=Models(replay=tmp_path)).run_sync("x")

    assert not isinstance(outcome, Composed)
    assert "holds no recordings" in str(outcome)
    assert [] == no_network.escapes


@pytest.mark.parametrize(
    "wrong",
    [{"record": "a", "replay": "b"}, {"attempts_max": 0}, {"slots": {"openai": 0}}, {"replay": "/nowhere/at/all"}],
    ids=str,
)
def test_models_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    """Before anything is asked."""
    with pytest.raises(InvalidInput):
        Models(**wrong)


def test_a_price_of_ours_wins() -> None:
    """Who has a contract knows better than a list."""
    assert (1, 2) == Models(prices={"openai:gpt-5": (1, 2)}).price("openai:gpt-5")
    assert Models().price("scripted:nobody") is None


async def test_closing_is_done_as_often_as_one_likes() -> None:
    """Also where nobody was asked."""
    models = Models()
    await models.close()
    await models.close()


class _Nothing(Gate):
    """A gate of code."""

    name = "nothing"

    def review(self, work: Any) -> Any:
        return work.approve()


class _Code(Builder):
    """A builder of code."""

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a.txt": "a"})


class _Planner(Coordinator):
    """Plans by itself, and leaves the end-to-end check to whoever does it by default."""

    name = "planner"

    def plan(self, work: PlanWork) -> Any:
        return work.plan(Task(name="t", brief="b", builder=work.builders[0]))


def test_a_role_of_code_may_ask_whom_it_likes() -> None:
    """The model that it names is its own affair: for its prior, and for what it may cost."""

    class Own(_Code):
        model = "my-own-thing:seven"

    assert isinstance(Squad(builder=Own(), gates=[_Nothing()]).run_sync("x"), Composed)


def test_a_coordinator_that_leaves_its_last_check_to_a_model_is_checked() -> None:
    """The key that is missing at the end would cost all that was built before."""
    with pytest.raises(InvalidModel, match="ANTHROPIC_API_KEY"):
        Squad(coordinator=_Planner(model="anthropic:claude-sonnet-5-5"), builder=_Code(), gates=[_Nothing()])


PROGRAM = """
import sys
from squads import Builder, Composed, Gate, Squad
class Code(Builder):
    def build(self, work): return work.artifact({"a.txt": "a"})
class Yes(Gate):
    def review(self, work): return work.approve()
assert isinstance(Squad(builder=Code(), gates=[Yes()]).run_sync("x"), Composed)
heavy = {"pydantic_ai", "openai", "anthropic", "litellm", "mcp", "fastmcp", "opentelemetry", "genai_prices", "httpx"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""


def test_roles_that_never_think_cost_no_vendor() -> None:
    """A squad of code imports no SDK, neither when it is made nor when it runs."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)

    assert ("[]\n", "", 0) == (ran.stdout, ran.stderr, ran.returncode)

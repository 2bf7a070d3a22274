"""A project whose roles ask models: which one, at what price, and said before any work where one cannot be asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squads import Composed
from squads.contracts.errors import InvalidCard, InvalidInput, InvalidModel, RecordingMissed
from squads.contracts.outcome import NotComposed
from squads.contracts.plan import Plan, Task
from squads.contracts.verdict import Approved
from squads.minds.families import models_in
from squads.project import Project
from squads.testing import ScriptedModel

CHARTER = b"""---
people: [owner]
model: anthropic:one
prices: {'openai:two': [3, 15]}
slots: {anthropic: 2}
---
Be kind.
"""
CUT = Plan(tasks=(Task(name="work", brief="A table.", builder="builder"),))
FILES = {
    "roles/coordinator.md": b"---\nextends: squads:coordinator\n---\n",
    "roles/builder.md": b"---\nextends: squads:builder\n---\n",
    "gates/reader.md": b"---\nextends: squads:security\nmodel: [openai:two, 'anthropic:one']\n---\n",
    "gates/text.md": b"---\nextends: squads:checks\nchecks: [text.conflict-marker]\n---\nText.\n",
    "memory/charter.md": CHARTER,
}


def project(**changes: bytes | None) -> Project:
    """Return the project, with other files by their stem; None leaves one out."""
    named = {Path(path).stem: path for path in FILES}
    files = {**FILES, **{named.get(stem, f"roles/{stem}.md"): text for stem, text in changes.items()}}
    return Project({path: text for path, text in files.items() if text is not None}, root=Path("."), label="a test")


def scripted() -> dict[str, Any]:
    return {
        "anthropic:one": ScriptedModel(CUT, {"a.txt": "A table.\n"}),
        "openai:two": ScriptedModel(Approved()),
    }


def test_cards_ask_their_own_model_or_the_charters() -> None:
    """And what is code asks none."""
    found = project()

    asked = {name: models_in(getattr(found.role(name), "model", None)) for name in found.cards}
    assert {
        "coordinator": ("anthropic:one",),
        "builder": ("anthropic:one",),
        "reader": ("openai:two", "anthropic:one"),
        "text": (),
    } == asked
    assert {"model": "anthropic:one", "prices": {"openai:two": (3, 15)}, "slots": {"anthropic": 2}} == found.asking
    assert {"people": ["owner"]} == found.settings
    assert "memory/charter.md:3" == found.origins["model"]


@pytest.mark.parametrize(
    ("matter", "sentence"),
    [
        ("model: inherit", "charter.md:2: the charter's model is what others inherit"),
        ("model: 3", "charter.md:2: 'model' is a model such as"),
        ("modle: a:b", "charter.md:2: there is no key 'modle'; did you mean 'model'?"),
        ("prices: 3", "charter.md:2: 'prices' holds lines such as"),
        ("prices: {'a:b': 3}", "the price of 'a:b' is [in, out]"),
        ("prices: {'a:b': [0.5, 1]}", "the price of 'a:b' is [in, out], whole millionths"),
        ("prices: {'a:b': [-1, 1]}", "the price of 'a:b' is [in, out]"),
        ("slots: {a: 0}", "charter.md:2: 'a' has 0 slots; give a whole number from 1 on"),
        ("slots: {a: true}", "'a' has True slots"),
        ("slots: {}", "'slots' holds lines such as"),
    ],
)
def test_a_charter_that_says_something_else_of_models_is_refused(matter: str, sentence: str) -> None:
    """With its line."""
    with pytest.raises(InvalidCard) as caught:
        project(charter=f"---\n{matter}\n---\n".encode())

    assert sentence in str(caught.value)


async def test_the_projects_roles_think_with_the_models_they_are_given() -> None:
    """The built-in priors and the charter are what the models are told."""
    models = scripted()

    outcome = await project().squad(store=None, models=models).run("A table.")

    assert isinstance(outcome, Composed), outcome
    for model in models.values():
        model.done()
    coordinator, builder = models["anthropic:one"].asked
    assert "You think in arcs" in coordinator.instructions
    assert "You think in objects and types" in builder.instructions
    assert "who can make this do" in models["openai:two"].asked[0].instructions
    assert "Be kind." in builder.instructions


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "memory/charter.md:3: 'anthropic:one' cannot be asked yet: set ANTHROPIC_API_KEY"),
        ({"builder": b"---\nmodel: openai:two\n---\nB.\n"}, "roles/builder.md:2: 'openai:two' cannot be asked yet"),
        ({"builder": b"---\nmodel: sonnet\n---\nB.\n"}, "roles/builder.md:2: 'sonnet' is no model string"),
        ({"builder": b"---\nmodel: opnai:gpt-6\n---\nB.\n"}, "the nearest is 'openai:gpt-6'"),
    ],
)
def test_a_model_that_cannot_be_asked_is_said_with_its_place_before_any_work(
    changes: dict[str, bytes], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No key, no such provider: nothing is begun, and nothing is written."""
    for key in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
        monkeypatch.delenv(key, raising=False)

    with pytest.raises(InvalidModel) as caught:
        project(**changes).squad(store=tmp_path / "store")

    assert sentence in str(caught.value)
    assert [] == list(tmp_path.iterdir())


PLANNER = b"""from squads import Coordinator, Task
class Planner(Coordinator):
    def plan(self, work):
        return work.plan(Task(name="t", brief="b", builder=work.builders[0]))
"""


def test_a_coordinator_of_code_whose_last_check_asks_is_said_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """It plans by itself, and would ask a model at the end of everything that was built before."""
    for key in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(key, "k")
    card = b"---\nkind: roles/planner.py:Planner\nmodel: opnai:gpt-6\n---\nPlans.\n"
    files = {**FILES, "roles/coordinator.md": card, "roles/planner.py": PLANNER}

    with pytest.raises(InvalidModel, match=r"roles/coordinator\.md:3: .*the nearest is 'openai:gpt-6'"):
        Project(files, root=Path("."), label="a test").squad(store=None)


def test_a_server_that_cannot_be_started_is_said_with_its_place_before_any_work(tmp_path: Path) -> None:
    """A gate that would miss its tools in the middle of its reading is refused at the beginning."""
    reader = b"---\nmodel: openai:two\nservers: [{name: docs, command: [no-such-program-anywhere]}]\n---\nRead.\n"

    with pytest.raises(InvalidModel, match=r"gates/reader\.md:3: the MCP server 'docs' is started by"):
        project(reader=reader).squad(store=tmp_path / "store", models=scripted())

    assert [] == list(tmp_path.iterdir())


async def test_what_was_recorded_is_replayed_without_models(tmp_path: Path) -> None:
    """The same composition; a prior that changed is a miss, and nothing composes."""
    recorded = await project().squad(store=None, models=scripted(), record=tmp_path).run("A table.")

    replayed = await project().squad(store=None, replay=tmp_path).run("A table.")
    changed = (
        await project(reader=FILES["gates/reader.md"] + b"Otherwise.\n")
        .squad(store=None, replay=tmp_path)
        .run("A table.")
    )

    assert isinstance(recorded, Composed)
    assert isinstance(replayed, Composed)
    assert [f.content for f in recorded.artifact.files] == [f.content for f in replayed.artifact.files]
    assert isinstance(changed, NotComposed)
    assert "the instructions" in str(changed.judgements)
    assert issubclass(RecordingMissed, Exception)


def test_where_no_role_asks_a_model_there_is_nothing_to_record(tmp_path: Path) -> None:
    """A flag that does nothing would be believed."""
    keyless = project(coordinator=None, builder=b"---\nextends: squads:change\n---\n", reader=None, charter=None)

    with pytest.raises(InvalidInput, match="no role of this squad asks a model"):
        keyless.squad(store=None, record=tmp_path)
    assert keyless.squad(store=None) is not None


def test_commands_run_in_a_sandbox_only_where_a_card_lists_programs(tmp_path: Path) -> None:
    """Nothing is started for a squad that runs nothing."""
    runs = project(builder=b"---\nextends: squads:builder\ntools: [read, write, run]\nrun: [python]\n---\n")

    assert project().squad(store=tmp_path / "a", models=scripted())._sandbox is None
    assert runs.squad(store=tmp_path / "b", models=scripted())._sandbox is not None


def test_an_empty_list_of_gates_is_still_refused() -> None:
    """What is handed over wins over the cards, and nothing lets everything through."""
    with pytest.raises(InvalidInput, match="without gates"):
        project().squad(store=None, models=scripted(), gates=[])

"""`squads run` with roles that think: replayed without a key, and without a recording refused before any work."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from project_scene import at_a_terminal, commit, git, squads, write

from squads import Composed
from squads.cli.init import init_project
from squads.contracts.plan import Plan, Task
from squads.contracts.verdict import Approved
from squads.minds.forms import BuiltForm
from squads.project import Project
from squads.testing import ScriptedModel
from squads.testing.scripted_model import Call

CUT = Plan(tasks=(Task(name="work", brief="A notice.", builder="builder"),))
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as `squads init --model` writes it, committed; and no key anywhere."""
    for key in KEYS:
        monkeypatch.delenv(key, raising=False)
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, "notes.txt", "nothing yet\n")
    assert 0 == init_project(top, as_json=True, model="anthropic:one")
    commit(top, "A squad.")
    return top


@pytest.fixture
def recorded(repository: Path) -> Path:
    """Replies of a run, recorded from scripted models."""
    folder = repository / "recorded"
    project = Project.at_commit(repository, "HEAD")
    assert project is not None
    judged = (Approved(),) * sum(1 for gate in project.gates() if gate.model)
    built = (Call("write_file", {"path": "notice.txt", "text": "We move on Monday.\n"}), BuiltForm(summary="A notice."))
    model = ScriptedModel(CUT, *built, *judged)
    squad = project.squad(store=None, models={"anthropic:one": model}, record=folder)
    assert isinstance(squad.run_sync("A notice."), Composed)
    return folder


def test_a_recorded_run_is_replayed_without_a_key(recorded: Path, repository: Path) -> None:
    """The same roles, the same brief, the same files."""
    done = squads("run", "A notice.", "--replay", str(recorded), "--out", "built", cwd=repository)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "We move on Monday.\n" == (repository / "built/notice.txt").read_text()
    assert "✓ security-model approved" in done.stdout
    assert "asks" not in done.stdout + done.stderr


def test_a_changed_prior_is_a_miss_that_says_what_differs(recorded: Path, repository: Path) -> None:
    """Nothing composes by an answer to another question."""
    write(repository, "gates/scope.md", (repository / "gates/scope.md").read_text() + "Another prior.\n")
    commit(repository, "another prior")

    done = squads("run", "A notice.", "--replay", str(recorded), cwd=repository)

    assert done.returncode == 2, done.stdout + done.stderr
    assert "the instructions (prior or charter) differs from the nearest recording" in done.stdout


def test_who_thinks_is_shown_at_a_terminal_and_gone_at_the_end(recorded: Path, repository: Path) -> None:
    """Lines at the foot, cleared again; the words of models are in none of them."""
    code, shown = at_a_terminal("", repository, "run", "A notice.", "--replay", str(recorded), kind="xterm-256color")

    assert code == 0, shown
    assert "builder asks anthropic:one" in shown
    assert "asks anthropic:one" not in shown.split("\x1b[2K")[-1]


def test_json_is_one_object_and_nothing_else(recorded: Path, repository: Path) -> None:
    """Also with roles that think."""
    done = squads("run", "A notice.", "--replay", str(recorded), "--json", cwd=repository)

    assert "composed" == json.loads(done.stdout)["kind"]
    assert "" == done.stderr


@pytest.mark.parametrize("command", [("run", "A notice."), ("resume", "0" * 32)])
def test_without_a_key_one_sentence_names_the_variable_and_nothing_is_begun(
    command: tuple[str, ...], repository: Path
) -> None:
    """Exit code 2, the card's line, the variable, what works without a key; and no store is made."""
    done = squads(*command, cwd=repository)

    assert (2, "") == (done.returncode, done.stdout)
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(
        "squads: memory/charter.md:3: 'anthropic:one' cannot be asked yet: set ANTHROPIC_API_KEY"
    )
    assert "--replay DIR" in sentence
    assert not (repository / ".squads").exists()
    assert not list(Path(os.environ.get("SQUADS_HOME", repository / "none")).rglob("*.squads"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--replay", "nowhere"), "nowhere is no folder of recorded replies"),
        (("--replay", ".", "--record", "."), "recorded or replayed, not both"),
    ],
)
def test_options_that_cannot_be_followed_are_said_before_any_work(
    options: tuple[str, ...], sentence: str, repository: Path
) -> None:
    """Exit code 2."""
    done = squads("run", "A notice.", *options, cwd=repository)

    assert (2, True) == (done.returncode, sentence in done.stderr), done.stderr
    assert not (repository / ".squads").exists()


def test_show_says_what_each_role_asks_may_use_and_may_cost(repository: Path) -> None:
    """Every value with where it comes from."""
    write(
        repository,
        "gates/reader.md",
        "---\nmodel: [openai:two, 'anthropic:one']\nfamily: gpt\ntools: Read, Bash\n"
        "servers: [{name: docs, command: [docs-server]}]\ncall_tokens_max: 9000\n---\nRead.\n",
    )

    text = squads("show", cwd=repository).stdout
    data = json.loads(squads("show", "--json", cwd=repository).stdout)

    asks = {role["name"]: role["asks"] for role in data["roles"]}
    reader = next(role for role in data["roles"] if role["name"] == "reader")
    assert {"value": "openai:two", "origin": "gates/reader.md:2"} == asks["reader"]["model"]
    assert {"value": ["anthropic:one"], "origin": "gates/reader.md:2"} == asks["reader"]["fallbacks"]
    assert {"value": ["gpt"], "origin": "gates/reader.md:3"} == asks["reader"]["family"]
    assert {"value": ["read"], "origin": "gates/reader.md:4"} == asks["reader"]["tools"]
    assert {"value": [{"name": "docs", "command": ["docs-server"]}], "origin": "gates/reader.md:5"} == asks["reader"][
        "servers"
    ]
    assert {"value": 9000, "origin": "gates/reader.md:6"} == asks["reader"]["call_tokens_max"]
    assert ["Bash"] == reader["unused"]
    assert {"value": "anthropic:one", "origin": "memory/charter.md:3"} == asks["builder"]["model"]
    assert asks["text"] is None
    for words in (
        "fallbacks   anthropic:one   (gates/reader.md:2)",
        "servers     docs: docs-server   (gates/reader.md:5)",
        "tokens      at most 9,000 for one answer   (gates/reader.md:6)",
        "reply       at most 16,000 tokens   (by default)",
        "not used    Bash   (gates/reader.md)",
    ):
        assert words in text

"""`squads init` writes a squad that works, asks nothing, and writes nothing over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_scene import CLEAN, DEFECT, commit, git, squads, write

from squads.project import Project


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    return top


def test_a_new_repository_gets_a_squad_that_refuses_and_composes(repository: Path) -> None:
    """As a new user would: init, commit, a defect, its repair."""
    write(repository, "app.py", "print('hello')\n")
    write(repository, "db/1.sql", CLEAN)
    first = squads("init", cwd=repository)
    commit(repository, "A squad.")
    write(repository, "db/2.sql", DEFECT.replace(" t ", " u "))
    refused = squads("gate", cwd=repository)
    write(repository, "db/2.sql", CLEAN.replace(" t ", " u "))
    composed = squads("gate", cwd=repository)

    assert first.returncode == 0, first.stderr
    assert "+ gates/schema.md" in first.stdout
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert "✗ schema refused: 1 finding" in refused.stdout
    assert composed.returncode == 0, composed.stdout + composed.stderr
    assert "✓ schema approved" in composed.stdout


def test_cards_suit_what_is_there(repository: Path) -> None:
    """No schema gate for a repository of text, no security gate for one of SQL; an empty one gets them all."""
    empty = json.loads(squads("init", "--json", cwd=repository).stdout)["gates"]
    for path in ("gates", "roles", "memory"):
        git(repository, "clean", "-fdq", path)
    write(repository, "a.sql", CLEAN)
    write(repository, "node_modules/x.py", "")

    found = json.loads(squads("init", "--json", cwd=repository).stdout)["gates"]

    assert {"schema", "text"} <= set(empty)
    assert {"schema", "text"} == set(found)


def test_what_is_there_stays_as_it_is(repository: Path) -> None:
    """A card somebody wrote is worth more than one of ours; a second time changes nothing."""
    own = "---\nextends: squads:checks\nchecks: [text.conflict-marker]\n---\nMine.\n"
    write(repository, "gates/text.md", own)

    first = json.loads(squads("init", "--json", cwd=repository).stdout)
    second = json.loads(squads("init", "--json", cwd=repository).stdout)

    assert ["gates/text.md"] == first["kept"]
    assert own == (repository / "gates/text.md").read_text()
    assert [] == second["written"]


def test_every_card_is_short_and_readable(repository: Path) -> None:
    """Ten lines are enough to start from."""
    squads("init", cwd=repository)
    project = Project.on_disk(repository)

    assert project is not None
    assert all(len((repository / c.path).read_text().splitlines()) <= 10 for c in project.cards.values())
    assert all(gate.prior for gate in project.gates())
    assert ["change"] == [builder.name for builder in project.builders()]


def test_a_broken_card_that_was_there_is_named(repository: Path) -> None:
    """Init says what the project is like, and nothing is left out silently."""
    write(repository, "gates/own.md", "---\nextends: squads:checks\ncheks: [a]\n---\n")

    done = squads("init", cwd=repository)

    assert done.returncode == 2
    assert "gates/own.md:3: there is no key 'cheks'; did you mean 'checks'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_of_git_it_writes_where_it_stands(tmp_path: Path) -> None:
    """A project needs no repository."""
    done = squads("init", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "gates/text.md").is_file()


def test_no_card_asks_a_model_unless_one_is_named(repository: Path) -> None:
    """The first squad works without a key."""
    squads("init", cwd=repository)
    project = Project.on_disk(repository)

    assert project is not None
    assert [None] == list({getattr(project.role(name), "model", None) for name in project.cards})
    assert "model" not in project.asking


def test_with_a_model_there_are_roles_that_think(repository: Path) -> None:
    """Ten lines each, on the built-in priors; the charter names the model once, and no key is needed to write them."""
    done = squads("init", "--model", "anthropic:claude-sonnet-5-5", cwd=repository)
    project = Project.on_disk(repository)

    assert done.returncode == 0, done.stderr
    assert project is not None
    assert ["builder"] == [builder.name for builder in project.builders()]
    assert "coordinator" == project.coordinator().kind
    assert {"scope", "security-model", "schema", "security", "text"} == {gate.name for gate in project.gates()}
    asking = {name for name in project.cards if project.role(name).model == "anthropic:claude-sonnet-5-5"}
    assert {"builder", "coordinator", "scope", "security-model"} == asking
    assert all("extends: squads:" in (repository / project.cards[name].path).read_text() for name in asking)
    assert all(len((repository / c.path).read_text().splitlines()) <= 10 for c in project.cards.values())
    assert "model: anthropic:claude-sonnet-5-5" in (repository / "memory/charter.md").read_text()


def test_where_a_charter_is_already_each_card_names_the_model(repository: Path) -> None:
    """Nothing is written over, and the squad that comes of it can be used."""
    write(repository, "memory/charter.md", "Mine.\n")

    done = squads("init", "--model", "openai:gpt-6", cwd=repository)
    project = Project.on_disk(repository)

    assert done.returncode == 0, done.stderr
    assert project is not None
    assert "Mine.\n" == (repository / "memory/charter.md").read_text()
    assert "openai:gpt-6" == project.role("scope").model


@pytest.mark.parametrize("name", ["sonnet", "anthropic:", "a: b", "x:y\nkind: z", "x:{y}"])
def test_what_is_no_model_string_writes_nothing(name: str, repository: Path) -> None:
    """What is written into a card must be what it looks like."""
    done = squads("init", "--model", name, cwd=repository)

    assert (2, True) == (done.returncode, "is no model string" in done.stderr)
    assert [".git"] == [path.name for path in repository.iterdir()]

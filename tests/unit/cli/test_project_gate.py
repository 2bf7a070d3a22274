"""A change never picks its own judge: cards and classes come from the commit that it is made from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_scene import CLEAN, DEFECT, commit, git, squads, write

CARD = "---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nKeys.\n"
BLIND = "---\nextends: squads:checks\nchecks: [text.conflict-marker]\n---\nKeys.\n"
CLASS = "from squads import Gate\n\nclass Own(Gate):\n    def review(self, work):\n        return work.{verdict}\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, "gates/schema.md", CARD)
    commit(top, "cards")
    return top


def verdicts(done_stdout: str) -> dict[str, str]:
    return {j["gate"]: j["verdict"]["kind"] for j in json.loads(done_stdout)["judgements"]}


@pytest.mark.parametrize("how", ["work tree", "staged", "range"])
def test_a_change_that_weakens_its_judge_is_judged_by_the_old_one(repository: Path, how: str) -> None:
    """Card and defect come in one change, and the card does not count yet."""
    write(repository, "gates/schema.md", BLIND)
    write(repository, "a.sql", DEFECT)
    arguments = []
    if how != "work tree":
        git(repository, "add", ".")
        arguments = ["--staged"]
    if how == "range":
        commit(repository, "both")
        arguments = ["--range", "HEAD~1..HEAD"]

    done = squads("gate", "--json", *arguments, cwd=repository)

    assert done.returncode == 1, done.stderr
    assert {"schema": "refused"} == verdicts(done.stdout)


def test_a_judge_that_the_change_adds_does_not_count_yet(repository: Path) -> None:
    """Neither for nor against: it is read from the next change on."""
    write(repository, "gates/more.md", "---\nkind: gates/own.py:Own\n---\n")
    write(repository, "gates/own.py", CLASS.format(verdict="approve()"))
    write(repository, "a.sql", CLEAN)

    before = squads("gate", "--json", cwd=repository)
    commit(repository, "more")
    write(repository, "b.sql", CLEAN.replace(" t ", " u "))
    after = squads("gate", "--json", cwd=repository)

    assert {"schema": "approved"} == verdicts(before.stdout)
    assert {"schema": "approved", "more": "approved"} == verdicts(after.stdout)


def test_a_class_is_the_commits_own(repository: Path) -> None:
    """A gate whose class the change rewrites judges it as it was."""
    write(repository, "gates/own.md", "---\nkind: gates/own.py:Own\n---\n")
    write(repository, "gates/own.py", CLASS.format(verdict="abstain('closed today')"))
    commit(repository, "own")
    write(repository, "gates/own.py", CLASS.format(verdict="approve()"))

    done = squads("gate", cwd=repository)

    assert done.returncode == 2
    assert "closed today" in done.stdout


def test_a_commit_without_cards_is_judged_by_the_library(repository: Path) -> None:
    """All of its checks, not none."""
    git(repository, "rm", "-rq", "gates")
    commit(repository, "none")
    write(repository, "gates/schema.md", BLIND)
    write(repository, "a.sql", DEFECT)

    done = squads("gate", "--json", cwd=repository)

    assert done.returncode == 1
    assert "refused" == verdicts(done.stdout)["sql.unique-null"]


def test_one_gate_can_be_asked_alone(repository: Path) -> None:
    """A card by its name, or a check by its id; an unknown name is an error with the nearest one."""
    write(repository, "a.sql", DEFECT)

    card = squads("gate", "--gate", "schema", "--json", cwd=repository)
    check = squads("gate", "--gate", "text.conflict-marker", "--json", cwd=repository)
    unknown = squads("gate", "--gate", "sql.unique-nul", cwd=repository)

    assert {"schema": "refused"} == verdicts(card.stdout)
    assert {"text.conflict-marker": "approved"} == verdicts(check.stdout)
    assert (2, True) == (unknown.returncode, "did you mean 'sql.unique-null'?" in unknown.stderr)


def test_a_broken_card_in_the_base_refuses_everything(repository: Path) -> None:
    """A judge that cannot be read has not approved."""
    write(repository, "gates/schema.md", "---\nextends: squads:checks\nchecks: [nothing.known]\n---\n")
    commit(repository, "broken")
    write(repository, "a.sql", CLEAN)

    done = squads("gate", cwd=repository)

    assert done.returncode == 2
    assert "gates/schema.md:3: there is no check 'nothing.known'" in done.stderr

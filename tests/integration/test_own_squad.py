"""This repository's own squad judges its changes, by the commit before them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("src", "roles", "gates", "memory", ".ci")
PLANTED = {
    "a key that NULL slips through": (
        "src/squads/adapters/score.sql",
        "CREATE TABLE score (holder uuid NOT NULL, kind text NOT NULL, guild uuid, UNIQUE (holder, kind, guild));\n",
        "✗ schema refused",
    ),
    "a merge that nobody decided": (
        "memory/facts.md",
        "<<<<<<< HEAD\none\n=======\ntwo\n>>>>>>> other\n",
        "✗ text refused",
    ),
}


def git(cwd: Path, *arguments: str) -> None:
    named = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}
    named |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
    subprocess.run(["git", *arguments], cwd=cwd, env={**os.environ, **named}, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    for part in PARTS:
        shutil.copytree(ROOT / part, top / part, ignore=shutil.ignore_patterns("__pycache__"))
    git(top, "init", "-q", "-b", "main")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "base")
    return top


def gate(top: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(
        [top / ".ci/gate"], cwd=top, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


def change(top: Path, path: str, text: str) -> None:
    (top / path).parent.mkdir(parents=True, exist_ok=True)
    (top / path).write_text(text)
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "change")


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_bad_change_is_refused(repository: Path, what: str) -> None:
    """By the gate whose invariant it breaks."""
    path, text, verdict = PLANTED[what]
    change(repository, path, text)

    done = gate(repository)

    assert done.returncode == 1, done.stdout + done.stderr
    assert verdict in done.stdout


def test_a_change_that_takes_its_judge_away_is_judged_by_it(repository: Path) -> None:
    """The card, the check and the reader are those of the commit before."""
    (repository / "gates/schema.md").unlink()
    check = repository / "src/squads/gates/checks/sql_unique_null.py"
    check.write_text(check.read_text().replace("    schema = read_schema(artifact)\n", "    return []\n"))
    path, text, verdict = PLANTED["a key that NULL slips through"]
    change(repository, path, text)

    done = gate(repository)

    assert done.returncode == 1, done.stdout + done.stderr
    assert verdict in done.stdout


def test_an_ordinary_change_composes(repository: Path) -> None:
    """Code, words and a new card."""
    (repository / "memory/facts.md").write_text("# Facts\n\n| fact | where it comes from |\n| --- | --- |\n")
    change(repository, "src/squads/adapters/more.py", '"""Nothing yet."""\n')

    done = gate(repository)

    assert done.returncode == 0, done.stdout + done.stderr


def test_a_base_whose_cards_are_gone_judges_nothing_through(repository: Path) -> None:
    """Taking all cards away is judged by them; what comes after that is not waved through."""
    for card in (repository / "gates").glob("*.md"):
        card.unlink()
    change(repository, "a.txt", "the cards are gone\n")
    change(repository, "b.txt", "nobody judges\n")

    done = gate(repository)

    assert done.returncode == 2
    assert "bring them back" in done.stderr


def test_a_base_from_before_the_squad_says_so(repository: Path) -> None:
    """There was neither a card nor this program."""
    git(repository, "rm", "-rq", "gates", ".ci")
    git(repository, "commit", "-q", "-m", "before")
    git(repository, "checkout", "-q", "HEAD~1", "--", "gates", ".ci")
    change(repository, "b.txt", "the squad arrives\n")

    done = gate(repository)

    assert done.returncode == 0
    assert "before this repository had a squad" in done.stderr


def test_without_a_commit_before_it_says_that_nothing_judges(repository: Path) -> None:
    """It does not pretend to have looked."""
    done = gate(repository)

    assert done.returncode == 0
    assert "nothing that could judge" in done.stderr

"""`squads run`, `resume`, `show` and `invariants`, as a person uses them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from project_scene import CLEAN, DEFECT, at_a_terminal, commit, git, squads, write

from squads.gates.builtin import HOMES

CARD = "---\nextends: squads:checks\nchecks: [sql.unique-null]\n---\nKeys.\n"
CHANGE = "---\nextends: squads:change\n---\nThe change.\n"
CARPENTER = """
from squads import Builder

class Carpenter(Builder):
    def build(self, work):
        files = {"t.sql": "CREATE TABLE t (a int NOT NULL, b int, UNIQUE (a, b));\\n"}
        if work.findings:
            files["t.sql"] = files["t.sql"].replace("b int,", "b int NOT NULL,")
        files["bin/go"] = "#!/bin/sh\\n"
        return work.artifact(files, modes={"bin/go": "executable"})
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top, "gates/schema.md", CARD)
    write(top, "roles/change.md", CHANGE)
    commit(top, "cards")
    return top


@pytest.fixture
def workshop(repository: Path) -> Path:
    write(repository, "roles/change.md", "---\nname: carpenter\nkind: roles/carpenter.py:Carpenter\n---\nBuilds.\n")
    write(repository, "roles/carpenter.py", CARPENTER)
    commit(repository, "carpenter")
    return repository


def test_a_run_is_told_while_it_happens(workshop: Path) -> None:
    """Refusal, second attempt, composition; and what composed is written where it was asked for."""
    done = squads("run", "A table.", "--out", "built", cwd=workshop)

    assert done.returncode == 0, done.stdout + done.stderr
    words = ["carpenter to build, attempt 1", "✗ schema refused", "attempt 2", "✓ schema approved", "Composed"]
    places = [done.stdout.index(word) for word in words]
    assert sorted(places) == places
    assert "NOT NULL, UNIQUE" in (workshop / "built/t.sql").read_text()
    assert (workshop / "built/bin/go").stat().st_mode & 0o111


def test_nothing_is_written_over(workshop: Path) -> None:
    """The place for the result is looked at before anything runs."""
    write(workshop, "built/t.sql", "mine\n")

    done = squads("run", "A table.", "--out", "built", cwd=workshop)

    assert done.returncode == 2
    assert "built is there and not an empty folder" in done.stderr
    assert "mine\n" == (workshop / "built/t.sql").read_text()


def test_a_refused_change_says_that_it_is_still_the_same(repository: Path) -> None:
    """The change builder objects instead of handing in the same bytes three times."""
    write(repository, "a.sql", DEFECT)

    done = squads("run", "Judge it.", cwd=repository)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "the work tree is as it was when it was refused" in done.stdout


def test_a_packet_in_a_file_asks_a_person_and_can_be_resumed(repository: Path) -> None:
    """Without a terminal it waits, with exit code 3; the flag answers, and the receipt says so."""
    write(repository, "p.md", "---\napproval: {approvers: [owner]}\n---\nJudge it.\n")
    write(repository, "a.sql", CLEAN)

    waiting = squads("run", "p.md", "--json", cwd=repository)
    packet = json.loads(waiting.stdout)["packet"]
    answered = squads("resume", packet, "--yes", "--json", cwd=repository)

    assert waiting.returncode == 3, waiting.stderr
    assert answered.returncode == 0, answered.stderr
    assert "composed" == json.loads(answered.stdout)["kind"]


def test_a_person_at_the_terminal_is_asked_once_the_story_is_told(repository: Path) -> None:
    """First what was judged and what the question is, then the question; and the answer counts."""
    write(repository, "p.md", "---\napproval: {approvers: [owner]}\n---\nJudge it.\n")
    write(repository, "a.sql", CLEAN)

    code, shown = at_a_terminal("n", repository, "run", "p.md")

    assert 1 == code, shown
    words = ["✓ schema approved", "composition ", "question ", "Approve a.sql, p.md", "denied at the terminal"]
    places = [shown.index(word) for word in words]
    assert sorted(places) == places


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "nowhere.md"), "cannot read nowhere.md"),
        (("resume", "0" * 32), "0000"),
        (("run", ""), "brief"),
    ],
)
def test_bad_input_is_a_sentence(repository: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """Exit code 2, and no traceback."""
    done = squads(*arguments, cwd=repository)

    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_brief_that_ends_in_a_file_name_is_a_brief(workshop: Path) -> None:
    """Only one word that ends in `.md` names a packet file."""
    done = squads("run", "Mend what stands in README.md", cwd=workshop)

    assert done.returncode == 0, done.stdout + done.stderr


def test_without_cards_it_says_how_to_get_some(tmp_path: Path) -> None:
    """And a project that is not committed is not used to judge a change to it."""
    none = squads("run", "x", cwd=tmp_path)
    git(tmp_path, "init", "-q")
    commit(tmp_path, "empty")
    write(tmp_path, "gates/schema.md", CARD)
    uncommitted = squads("run", "x", cwd=tmp_path)

    assert (2, True) == (none.returncode, "`squads init`" in none.stderr)
    assert (2, True) == (uncommitted.returncode, "not committed yet" in uncommitted.stderr)


def test_show_gives_every_value_its_origin(repository: Path) -> None:
    """The card's line, the card that it extends, and what the class resolves to."""
    done = squads("show", cwd=repository)

    assert done.returncode == 0, done.stderr
    assert "(gates/schema.md:3)" in done.stdout
    assert "(squads:checks)" in done.stdout
    assert "sql.unique-null" in done.stdout


def test_show_says_what_each_model_is_taken_for(repository: Path) -> None:
    """How it is called, what that is, and whose weights."""
    write(repository, "gates/schema.md", "---\nmodel: [azure:gpt-4o, azure:prod]\n---\nKeys.\n")

    shown = squads("show", cwd=repository)

    assert 0 == shown.returncode
    assert "azure:gpt-4o is gpt-4o, gpt; azure:prod is prod, of a family that nobody has said" in shown.stdout


def test_show_names_a_card_that_cannot_be_used(repository: Path) -> None:
    """A broken gate is exit code 2; a role that has neither code nor a model is shown as such."""
    write(
        repository, "roles/reviewer.md", "---\nname: reviewer\ndescription: d\nmodel: inherit\ncolor: red\n---\nYou.\n"
    )
    shown = squads("show", cwd=repository)
    write(repository, "gates/own.md", "---\nextends: squads:checks\nchecks: [a.b]\n---\n")
    broken = squads("show", cwd=repository)

    assert shown.returncode == 0
    assert "roles/reviewer.md:4: this card says what a model is told, and no model is named" in shown.stdout
    assert "not used" in shown.stdout
    assert "not committed as they stand here" in shown.stdout
    assert broken.returncode == 2
    assert "gates/own.md:3: there is no check 'a.b'" in broken.stdout


def test_show_can_look_at_a_commit(repository: Path) -> None:
    """What judged then."""
    write(repository, "gates/schema.md", CARD.replace("unique-null", "balance-not-negative"))

    then = json.loads(squads("show", "--commit", "HEAD", "--json", cwd=repository).stdout)
    now = json.loads(squads("show", "--json", cwd=repository).stdout)

    checks = [next(r for r in data["roles"] if r["name"] == "schema")["keys"]["checks"] for data in (then, now)]
    assert [["sql.unique-null"], ["sql.balance-not-negative"]] == [c["value"] for c in checks]


def test_invariants_are_listed_and_shown(tmp_path: Path) -> None:
    """Each with severity, reason, both examples and where it comes from."""
    listed = json.loads(squads("invariants", "--json", cwd=tmp_path).stdout)
    shown = squads("invariants", "show", "sql.unique-null", cwd=tmp_path)
    unknown = squads("invariants", "show", "sql.unique-nul", cwd=tmp_path)

    assert sorted(HOMES) == [i["id"] for i in listed]
    assert all(i["why"] and i["refused"] and i["approved"] and i["origin"] for i in listed)
    assert "CWE-694" in shown.stdout
    assert "NULLS NOT DISTINCT" in shown.stdout or "IS NOT NULL" in shown.stdout
    assert (2, True) == (unknown.returncode, "did you mean 'sql.unique-null'?" in unknown.stderr)

"""`squads demo` as a person sees it: the story, who catches what, the answer, the page, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from project_scene import DEFECT, SQUADS, at_a_terminal, commit, git, squads, write

from squads.audit import Audit, audit
from squads.cli import demo, recording

CATCHES = {
    "saml": ("auth.saml-signature", "sso.py:"),
    "token": ("auth.token-signature", "sso.py:"),
    "unique": ("sql.unique-null", "001_reputation.sql:"),
    "definer": ("sql.definer-rights", "001_reputation.sql:"),
    "balance": ("sql.balance-not-negative", "002_treasuries.sql:"),
    "fits": ("sql.value-fits", "brief.sql:"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The story as it is piped, from an empty folder that is no work tree."""
    done = squads("demo", "--yes", cwd=tmp_path_factory.mktemp("empty"))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_story_is_told_in_its_order(told: str) -> None:
    """Brief, plan, objection, refusals, revisions, composition, the person's answer, checkpoint, page, verification."""
    words = [
        "1  The packet",
        "2  The plan, and a brief that its builder refuses",
        "objection    sql-builder, instead of attempt 1 of reputation",
        "it proposes: store a value that fits",
        "+ decay_factor NUMERIC(5,4) NOT NULL  -- stores the decay rate, ln 2 / half-life: about 0.0231",
        "3  Task single-sign-on",
        "✗ security refused: 3 findings",
        "sso.py:46:12: The claims of id_token",
        "sso.py:41:5: as before.",
        "4  Task single-sign-on, revised",
        "✗ security refused: 3 findings",
        "✓ security approved: 1 file read",
        "5  Task reputation",
        "✗ schema refused: 2 findings",
        "6  Task reputation, revised",
        "✓ schema approved: 1 file read",
        "7  Task treasuries",
        "✗ schema refused: 1 finding",
        "8  Task treasuries, revised",
        "✓ schema approved: 1 file read",
        "9  The composition",
        "of 3 approved parts",
        "holds        schema-holds",
        "answer       approved by flag, which is no person",
        "Composed: every required gate approved exactly these bytes (3 paths).",
        "10  The checkpoint, signed, and everything verified",
        "local.invalid/squads/",
        "Verified: ",
        "11  The page",
        "12  This work tree's last change, by its own gates",
    ]
    place = 0
    for word in words:
        assert word in told[place:], f"{word!r} is not told after:\n{told[max(0, place - 300) : place]}"
        place = told.index(word, place) + len(word)


@pytest.mark.parametrize("catch", CATCHES)
def test_every_catch_names_its_rule_and_its_file(told: str, catch: str) -> None:
    """One line says which invariant does not hold, and where."""
    rule, file = CATCHES[catch]

    assert [line for line in told.splitlines() if rule in line and file in line]


def test_a_cosmetic_fix_is_refused_once_more(told: str) -> None:
    """The hardened parser quiets linters; what is missing is the signature, and the gate says so again."""
    start = told.index("+ from defusedxml import ElementTree")
    revised = told[start : told.index("attempt 3", start)]

    assert re.search(r"sso\.py:\d+:\d+: as before\.  \[auth\.saml-signature, major\]", revised)


def test_no_line_of_the_story_is_wider_than_the_terminal_at_it(tmp_path: Path) -> None:
    """At a terminal of 80 columns a chapter stands on one screen of 24 lines, and no line is broken by it."""
    code, shown = at_a_terminal("y", tmp_path, "demo")
    chapters = re.split(r"^\d+  [^\n]* ─+$", shown, flags=re.MULTILINE)[1:]

    assert code == 0
    assert 12 == len(chapters)
    assert [] == [c for c in chapters if len(c.strip().splitlines()) > 22]
    lines = [line for line in shown.splitlines() if not line.startswith(("— ", "  Approve "))]  # a signature, a prompt
    assert [] == [line for line in lines if len(line) > 80]


@pytest.mark.parametrize(("said", "code"), [("y", 0), ("n", 1), ("", 1)], ids=["yes", "no", "nothing"])
def test_the_person_is_asked_once_everything_is_told(tmp_path: Path, said: str, code: int) -> None:
    """Yes composes; no, and anything else, is a signed refusal."""
    exit_code, shown = at_a_terminal(said, tmp_path, "demo")

    assert exit_code == code, shown
    assert shown.index("9  The composition") < shown.index("question ") < shown.index("Approve 001_reputation.sql")
    assert f"{'approved' if code == 0 else 'denied'} at the terminal" in shown
    assert ("Composed: " if code == 0 else "Not composed: a person who was asked said no.") in shown
    assert "Verified: " in shown


def test_without_a_terminal_the_packet_waits(tmp_path: Path) -> None:
    """Nobody can be asked, so nothing composes: exit code 3, and one object says so."""
    done = squads("demo", "--json", cwd=tmp_path)

    said = json.loads(done.stdout)
    assert done.returncode == 3
    assert ("awaiting-approval", True, None) == (said["kind"], said["verified"], said["page"])
    assert "local.invalid/squads/" in said["checkpoint"]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Not in the folder, which may not be written to; not among temporary files; not among the user's keys."""
    places = {name: tmp_path / name for name in ("here", "temporary", "keys", "home")}
    for place in places.values():
        place.mkdir()
    places["here"].chmod(0o500)
    environment = {**os.environ, "TMPDIR": str(places["temporary"]), "SQUADS_HOME": str(places["keys"])}

    done = subprocess.run(
        [SQUADS, "demo", "--yes"],
        cwd=places["here"],
        env={**environment, "HOME": str(places["home"])},
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert 0 == done.returncode, done.stderr
    assert {name: [] for name in places} == {name: list(place.rglob("*")) for name, place in places.items()}


def test_outside_of_a_work_tree_the_last_chapter_says_why_it_is_short(told: str) -> None:
    """There is no last change, and that is no failure of the demonstration."""
    assert "Not shown: git cannot read this here" in told


def test_the_last_change_is_judged_too(tmp_path: Path) -> None:
    """What they say of it is shown, and changes no exit code."""
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, "a.sql", DEFECT)
    commit(tmp_path, "a defect")

    done = squads("demo", "--yes", cwd=tmp_path)

    last = done.stdout[done.stdout.index("12  This work tree's last change") :]
    assert 0 == done.returncode
    assert "✗ sql.unique-null refused: 1 finding" in last
    assert "a.sql:1:" in last
    assert "Not composed" in last


@pytest.mark.parametrize(("name", "begins"), [("story.html", "<!doctype html>"), ("story.md", "# ")])
def test_the_page_is_kept_where_it_is_wanted(tmp_path: Path, name: str, begins: str) -> None:
    """One page tells the whole story, catches and all."""
    done = squads("demo", "--yes", "--page", name, cwd=tmp_path)

    text = (tmp_path / name).read_text("utf-8")
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{name} tells this story" in done.stdout
    assert text.lower().startswith(begins)
    assert [] == [rule for rule, _ in CATCHES.values() if rule not in text]
    assert "squads verify gone-with-the-demo" in text
    assert "squads-demo-" not in text


@pytest.mark.parametrize(
    ("page", "says"),
    [("story.txt", "end it in .html or .md"), ("none/story.md", "there is no folder none"), ("story.md", "is there")],
    ids=["ending", "folder", "file"],
)
def test_a_page_without_a_place_is_said_before_anything_runs(tmp_path: Path, page: str, says: str) -> None:
    """A wrong name costs no story, and no file is written over."""
    (tmp_path / "story.md").write_text("mine\n")

    done = squads("demo", "--yes", "--page", page, cwd=tmp_path)

    assert 2 == done.returncode
    assert says in done.stderr
    assert "" == done.stdout
    assert "mine\n" == (tmp_path / "story.md").read_text()


def test_a_broken_ledger_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One changed byte of a receipt: exit code 2, a sentence that says so, and no page."""

    def tampered(store: Path, *, keys: Path) -> Audit:
        import sqlite3

        with sqlite3.connect(store / "ledger.db") as connection:
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            (leaf,) = connection.execute("SELECT leaf FROM entry WHERE seq = 40").fetchone()
            # The last byte belongs to a signature and is often zero already: flip it, whatever it is.
            changed = leaf[:-1] + bytes([leaf[-1] ^ 1])
            connection.execute("UPDATE entry SET leaf = ? WHERE seq = 40", (changed,))
        connection.close()
        return audit(store, keys=keys)

    monkeypatch.setattr(demo, "audit", tampered)
    monkeypatch.chdir(tmp_path)

    code = demo.show_demo(yes=True, as_json=False, page=tmp_path / "story.html")

    shown = capsys.readouterr().out
    assert 2 == code
    assert "Broken: " in shown
    assert "Not written: a page is for a ledger that verifies." in shown
    assert [] == list(tmp_path.iterdir())


def test_what_no_gate_looks_for_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdicts are computed and not recorded: without the check, the treasury that may fall below zero goes through."""
    without = tuple(c for c in recording.CHECKS["schema"] if c != "sql.balance-not-negative")
    monkeypatch.setitem(recording.CHECKS, "schema", without)
    monkeypatch.chdir(tmp_path)

    code = demo.show_demo(yes=True, as_json=False)

    shown = capsys.readouterr().out
    assert 0 == code
    assert "Task treasuries" in shown
    assert "Task treasuries, revised" not in shown

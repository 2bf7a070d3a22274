"""`squads status` as a person and as a program reads it: five answers, exit codes, nothing that acts on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk_store import HOSTILE, at_terminal, fill, squads

from squads import AwaitingApproval
from squads.cli.readable import moment, span, when

HEADINGS = ["What is known", "What is in motion", "What needs approval", "What changed", "What happens next"]


def test_an_empty_workspace_answers_all_five_and_says_what_to_do(tmp_path: Path) -> None:
    """Friendly sentences instead of nothing, and exit code 0."""
    fill(tmp_path)
    done = squads("status", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line for line in lines if line.startswith("What ")] == HEADINGS
    for sentence in ("no packet is open", "nobody is asked", "nothing has ended yet", "`squads gate` a change"):
        assert sentence in done.stdout
    assert "people: owner" in done.stdout


def test_what_waits_for_a_person_is_exit_code_3(tmp_path: Path) -> None:
    """The question with its digest, who is asked, when it expires, and how to answer; and what ended before."""
    fill(tmp_path, "Refused one.", approval=None, refuse=True)
    (asked,) = fill(tmp_path, "A treasury table.")
    assert isinstance(asked, AwaitingApproval)
    done = squads("status", cwd=tmp_path)

    assert done.returncode == 3, done.stderr
    assert asked.subject in done.stdout
    assert f"{asked.packet[:8]}  A treasury table." in done.stdout
    assert "asked: owner; 1 must say yes, nobody has yet" in done.stdout
    assert "expires in 23 h" in done.stdout
    assert "task-refused (task work): a gate refused every attempt; mend what its findings name; exit code 1" in (
        done.stdout
    )
    assert "person: 1 more must say yes (owner), and one no refuses" in done.stdout


def test_a_program_reads_the_same_as_one_object(tmp_path: Path) -> None:
    """Whole ids, times in milliseconds, and the exit code beside them."""
    (asked,) = fill(tmp_path, "It.")
    done = squads("status", "--json", cwd=tmp_path)
    found = json.loads(done.stdout)

    assert found["exit_code"] == done.returncode == 3
    assert found["open"][0]["packet"] == asked.packet
    assert found["open"][0]["question"]["paths"] == ["schema/a.sql"]
    assert [p["name"] for p in found["people"]] == ["owner"]


def test_a_stop_is_shown_first_and_waits_for_a_person(tmp_path: Path) -> None:
    """Who, when, why, what it holds, and that a person lifts it."""
    fill(tmp_path, "It.")
    squads("stop", "the \x1b[31mbooks\x1b[0m are open", cwd=tmp_path)
    done = squads("status", cwd=tmp_path)

    assert done.returncode == 3
    assert "STOPPED: the whole workspace, by owner" in done.stdout
    assert r'"the \x1b[31mbooks\x1b[0m are open"' in done.stdout
    assert "asking, stopped, last moved" in done.stdout
    assert "1 question is held by a stop" in done.stdout
    assert "squads lift" in done.stdout


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
def test_no_text_of_anybody_acts_on_the_terminal(tmp_path: Path, terminal: bool) -> None:
    """A brief with escape codes, a title sequence and markup is shown as what it is."""
    fill(tmp_path, HOSTILE)
    shown = at_terminal("status", cwd=tmp_path)[1] if terminal else squads("status", cwd=tmp_path).stdout

    assert r"Evil \x1b[2J\x1b]0;owned\x07 title \u202e[bold]markup[/bold]" in " ".join(shown.split())
    assert "\x1b[2J" not in shown
    assert "\x1b]0" not in shown
    assert "\u202e" not in shown
    assert ("\x1b[1m" in shown) is terminal


def test_the_limit_is_a_limit(tmp_path: Path) -> None:
    """What is not shown is counted, and a limit out of bounds is bad input."""
    fill(tmp_path, "1.", "2.", "3.", approval=None)
    done = squads("status", "--limit", "2", cwd=tmp_path)

    assert "What changed  the last 2 of 3" in done.stdout
    assert squads("status", "--limit", "0", cwd=tmp_path).returncode == 2


def test_where_there_is_no_workspace_it_says_so_and_makes_none(tmp_path: Path) -> None:
    """Exit code 2: a wrong --store must not look like an empty workspace."""
    done = squads("status", cwd=tmp_path)

    assert done.returncode == 2
    assert "there is no ledger in" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("duration_ms", "said"),
    [
        (0, "0 s"),
        (59_999, "59 s"),
        (60_000, "1 min"),
        (3_599_999, "59 min"),
        (3_600_000, "1 h"),
        (48 * 3_600_000 - 1, "47 h"),
        (48 * 3_600_000, "2 days"),
    ],
)
def test_a_duration_has_its_largest_unit_that_says_enough(duration_ms: int, said: str) -> None:
    """Rounded down: nothing is promised longer than it lasts."""
    assert span(duration_ms) == said


def test_a_time_stands_beside_how_far_off_it_is() -> None:
    """Before, after, and a clock that was set to anything."""
    assert when(3_600_000, 0) == "in 1 h (1970-01-01T01:00:00Z)"
    assert when(0, 60_000) == "1 min ago (1970-01-01T00:00:00Z)"
    assert moment(2**53 - 1) == "9007199254740991 ms"

"""`squads approve` and `squads deny`: exactly what was shown, an honest channel, and the outcome's exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk_store import at_terminal, fill, squads

from squads import ApprovalRule, AwaitingApproval
from squads.audit import audit

PERSON = ApprovalRule(approvers=("owner",), person_required=True)
TWO = ApprovalRule(approvers=("owner", "mara"), quorum=2)


def asked_in(place: Path, approval: ApprovalRule | None = None) -> AwaitingApproval:
    (asked,) = fill(place, "It.", people=("owner", "mara"), **({"approval": approval} if approval else {}))
    assert isinstance(asked, AwaitingApproval)
    return asked


def test_a_yes_composes_and_shows_what_was_approved(tmp_path: Path) -> None:
    """Paths, the whole digest, the gates' verdicts; from a pipe it is a program's, and the output says so."""
    asked = asked_in(tmp_path)
    done = squads("approve", asked.packet[:8], "read it", "--digest", asked.subject[:8], cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    for shown in (asked.subject, "+ schema/a.sql", "✓ style approved task work", "Composed: "):
        assert shown in done.stdout
    assert "Recorded: approved as owner, by a program" in done.stdout
    assert audit(tmp_path / ".squads").failed == ()


def test_a_no_is_a_refusal(tmp_path: Path) -> None:
    """Exit code 1, and a reason is demanded."""
    asked = asked_in(tmp_path)
    for silent in ((), ("",), (" ",)):
        assert squads("deny", asked.packet, *silent, cwd=tmp_path).returncode == 2
    done = squads("deny", asked.packet, "wrong table", "--as", "owner", cwd=tmp_path)

    assert done.returncode == 1, done.stderr
    assert "Not composed: a person who was asked said no." in done.stdout


def test_below_the_quorum_it_waits(tmp_path: Path) -> None:
    """Exit code 3 after the first, 0 after the second; nobody counts twice."""
    asked = asked_in(tmp_path, TWO)
    first = squads("approve", asked.packet, "--as", "owner", cwd=tmp_path)
    twice = squads("approve", asked.packet, "--as", "owner", cwd=tmp_path)
    second = squads("approve", asked.packet, "--as", "mara", "--json", cwd=tmp_path)

    assert [first.returncode, twice.returncode, second.returncode] == [3, 2, 0]
    assert "owner has already answered" in twice.stderr
    said = json.loads(second.stdout)
    assert ("composed", "mara", "program", asked.subject) == (
        said["kind"],
        said["answered_as"],
        said["channel"],
        said["question"]["composition"],
    )


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--digest", "0" * 12), "the question is about composition"),
        (("--as", "bob"), "`squads people --add NAME` makes one"),
    ],
    ids=["digest", "stranger"],
)
def test_an_answer_that_does_not_count_is_bad_input(tmp_path: Path, more: tuple[str, ...], why: str) -> None:
    """Exit code 2, one sentence, and the question stays open."""
    asked = asked_in(tmp_path)
    done = squads("approve", asked.packet, *more, cwd=tmp_path)

    assert done.returncode == 2
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert squads("status", cwd=tmp_path).returncode == 3


def test_at_a_terminal_it_asks_once_more_and_a_person_answered(tmp_path: Path) -> None:
    """Where a person is demanded a pipe does not count, `n` answers nothing, and `y` at a terminal composes."""
    asked = asked_in(tmp_path, PERSON)
    piped = squads("approve", asked.packet, cwd=tmp_path)
    no = at_terminal("approve", asked.packet, cwd=tmp_path, typed="n\n")
    yes = at_terminal("approve", asked.packet, cwd=tmp_path, typed="y\n")

    assert piped.returncode == 2
    assert "not answered by a person" in piped.stderr
    assert no[0] == 3
    assert "Nothing was answered" in no[1]
    assert yes[0] == 0, yes[1]
    assert "Approve exactly these bytes as owner? [y/N]" in yes[1]
    assert "Recorded: approved as owner, at a terminal." in yes[1]


def test_a_digest_at_a_terminal_needs_no_second_question(tmp_path: Path) -> None:
    """Who types the digest has said what they mean."""
    asked = asked_in(tmp_path, PERSON)
    code, shown = at_terminal("approve", asked.packet, "--digest", asked.subject[:12], cwd=tmp_path)

    assert code == 0, shown
    assert "[y/N]" not in shown


def test_nobody_at_a_terminal_approves_what_they_were_not_shown(tmp_path: Path) -> None:
    """`--json` shows nothing beforehand and does not ask: then the digest says what is meant."""
    asked = asked_in(tmp_path, PERSON)
    blind = at_terminal("approve", asked.packet, "--json", cwd=tmp_path)
    named = at_terminal("approve", asked.packet, "--json", "--digest", asked.subject[:12], cwd=tmp_path)

    assert blind[0] == 2
    assert "name what you approve with --digest" in blind[1]
    assert named[0] == 0
    assert json.loads(named[1])["channel"] == "terminal"

"""`squads inbox`: what people are asked, what to type, and every byte that an answer would be about."""

from __future__ import annotations

import json
from pathlib import Path

from desk_store import fill, squads

from squads import ApprovalRule, AwaitingApproval


def test_an_empty_inbox_says_so(tmp_path: Path) -> None:
    """And where to look instead."""
    fill(tmp_path)
    done = squads("inbox", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "Nothing waits for an answer. `squads status` shows what is in motion." in done.stdout


def test_a_question_brings_the_commands_that_answer_it(tmp_path: Path) -> None:
    """The packet's beginning and the digest's, ready to be typed."""
    (asked,) = fill(tmp_path, "It.", approval=ApprovalRule(approvers=("owner",), person_required=True))
    assert isinstance(asked, AwaitingApproval)
    done = squads("inbox", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "1 question waits for an answer." in done.stdout
    assert f"squads approve {asked.packet[:8]} --digest {asked.subject[:12]}" in done.stdout
    assert f'squads deny {asked.packet[:8]} "why"' in done.stdout
    assert "only a person's answer counts, not a program's or a flag's" in done.stdout
    assert "✓ style approved task work (1 file read)" in done.stdout


def test_it_shows_only_what_somebody_can_answer(tmp_path: Path) -> None:
    """By name: who was not asked, or has said yes already, has an empty inbox."""
    rule = ApprovalRule(approvers=("owner", "mara"), quorum=2)
    (asked,) = fill(tmp_path, "It.", approval=rule, people=("owner", "mara", "noor"))
    squads("approve", asked.packet, cwd=tmp_path)

    waiting = {
        name: len(json.loads(squads("inbox", "--as", name, "--json", cwd=tmp_path).stdout)["questions"])
        for name in ("owner", "mara", "noor")
    }
    assert waiting == {"owner": 0, "mara": 1, "noor": 0}
    assert "for owner" in squads("inbox", "--as", "owner", cwd=tmp_path).stdout


def test_one_question_shows_every_file_it_is_about(tmp_path: Path) -> None:
    """A person reads the bytes before they answer; each line is marked, so that none can pass for one of ours."""
    (asked,) = fill(tmp_path, "It.")
    done = squads("inbox", asked.packet[:6], cwd=tmp_path)
    found = json.loads(squads("inbox", asked.packet[:6], "--json", cwd=tmp_path).stdout)

    assert "--- schema/a.sql (file)\n| SELECT 0;\n" in done.stdout
    assert [(f["path"], f["text"]) for f in found["files"]] == [("schema/a.sql", "SELECT 0;\n")]


def test_a_question_that_a_stop_holds_is_counted_and_not_offered(tmp_path: Path) -> None:
    """Nobody is sent to type an answer that would not count."""
    fill(tmp_path, "It.")
    squads("stop", "wait", cwd=tmp_path)
    done = squads("inbox", cwd=tmp_path)

    assert "Nothing waits for an answer" in done.stdout
    assert "1 question is held by a stop" in done.stdout


def test_a_packet_without_a_question_is_a_sentence(tmp_path: Path) -> None:
    """Ended, unknown, or no id at all: exit code 2 and what is open."""
    (ended,) = fill(tmp_path, "It.", approval=None)
    for packet, why in ((ended.packet, "has ended: composed"), ("0" * 32, "no packet 000"), ("x", "names no packet")):
        done = squads("inbox", packet, cwd=tmp_path)
        assert done.returncode == 2
        assert why in done.stderr

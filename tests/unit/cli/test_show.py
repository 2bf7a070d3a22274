"""What a person sees: nothing of an artifact reaches the terminal as a command, and nothing is left unsaid."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from squads.cli import show
from squads.contracts.finding import Finding, Location, Severity
from squads.contracts.outcome import NotComposed
from squads.contracts.verdict import Abstained, Refused


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\ud800", "a\\ud800"),
        ("\ue000\U000e0041", "\\ue000\\U000e0041"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc", "a\nb\\x0dc"),
        ("é [b]", "é [b]"),
    ],
)
def test_control_and_formatting_characters_are_shown_escaped(text, shown):
    assert shown == show.visible(text)


def _printed() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, highlight=False, soft_wrap=True), file


def test_a_finding_gives_no_command_to_the_terminal():
    out, file = _printed()
    found = Finding(
        invariant="x.y",
        severity=Severity.MAJOR,
        message="bad \x1b[1A\n  ✓ sql.unique-null approved",
        location=Location(path="a.sql", line=1, column=1),
        evidence="x\x1b[0m\x85y",
        satisfy="z\x07",
    )

    show.finding(out, found, refusing=True)
    show.judgement(out, "g", Abstained(reason="no \x9b2J"))

    said = file.getvalue()
    assert not set(said) & set("\x1b\x07\x85\x9b")
    assert "\n  ✓" not in said
    assert "x\\x1b[0m\\x85y" in said


def test_words_are_printed_each_on_its_own_line():
    out, file = _printed()

    show.outcome(out, NotComposed(packet="0" * 32, reason="task-refused", words=("one [/b]", "two\x1b")))

    assert ["  one [/b]", "  two\\x1b"] == file.getvalue().splitlines()[1:]


def test_a_finding_without_an_anchor_is_marked_and_counted():
    out, file = _printed()
    anchored = Finding(invariant="a.b", message="wrong", location=Location(path="a.sql", line=1), evidence="one")

    show.judgement(out, "g", Refused(findings=(anchored, anchored.but(unanchored=True)), looked=1))

    assert "refused: 2 findings, 1 without an anchor" in file.getvalue()
    assert 1 == file.getvalue().count("[a.b, major]  (evidence not found there)")


def _refused(count: int) -> Refused:
    return Refused(
        findings=tuple(
            Finding(
                invariant="a.b",
                message=f"wrong {n}",
                location=Location(path="a.sql", line=n + 1),
                evidence="one\ntwo",
                satisfy="first\nsecond\nthird",
            )
            for n in range(count)
        ),
        looked=1,
    )


@pytest.mark.parametrize(("count", "left"), [(2, 0), (3, 1)])
def test_findings_past_the_bound_are_counted(count, left):
    out, file = _printed()

    show.judgement(out, "g", _refused(count), findings_max=2)

    assert 2 == file.getvalue().count("wrong ")
    assert (f"… {left} more findings" in file.getvalue()) is bool(left)


def test_the_worst_findings_are_those_that_are_shown():
    out, file = _printed()
    note = Finding(invariant="a.b", severity=Severity.NOTE, message="by the way")

    show.judgement(out, "g", Refused(findings=(note, *_refused(1).findings), looked=1), findings_max=1)

    assert "wrong 0" in file.getvalue()
    assert "by the way" not in file.getvalue()


def test_one_line_of_evidence_leaves_one_line_of_remedy():
    out, file = _printed()

    show.judgement(out, "g", _refused(1), lines_max=1)

    said = file.getvalue()
    assert "│ one\n      │ … 1 more line\n" in said
    assert "would satisfy it: first (and 2 more lines)\n" in said
    assert "second" not in said


def test_what_was_shown_before_is_named_again_by_place_and_rule():
    out, file = _printed()
    verdict = _refused(1)

    show.judgement(out, "g", verdict, known=verdict.findings)

    assert ["  ✗ g refused: 1 finding", "      a.sql:1: as before.  [a.b, major]"] == file.getvalue().splitlines()


def test_at_a_terminal_lines_end_at_words_and_keep_their_margin():
    file = io.StringIO()
    out = Console(file=file, highlight=False, soft_wrap=True, force_terminal=True, width=30, color_system=None)

    show.hanging(out, "  head", "one two three four five six seven", indent=10)

    assert ["  head    one two three four", "          five six seven"] == file.getvalue().splitlines()


def test_gates_without_anything_to_read_share_one_line():
    out, file = _printed()

    show.nothing_for(out, ["a", "b\x1b"])
    show.nothing_for(out, [])

    assert "  – nothing of its kind to read for a, b\\x1b\n" == file.getvalue()

"""What a person sees: nothing of an artifact reaches the terminal as a command, and nothing is left unsaid."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from squads.cli import show
from squads.contracts.finding import Finding, Location, Severity
from squads.contracts.outcome import NotComposed
from squads.contracts.verdict import Abstained


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

"""What a worker logs: one line each, with what is known, and without what nobody should read there."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from squads.cli.worker_log import FOREIGN_CHARS_MAX, MESSAGE_CHARS_MAX, check_form, log_to
from squads.contracts.errors import InvalidInput
from squads.worker import AT_WORK

PACKET = "ab" * 16


@pytest.fixture
def kept() -> Iterator[None]:
    """Leave the logging of whoever runs the tests as it was."""
    root, ours = logging.getLogger(), logging.getLogger("squads")
    before = (root.level, root.handlers[:], ours.level)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    ours.setLevel(before[2])


def logged(form: str, say: Any) -> list[str]:
    stream = io.StringIO()
    log_to(form, stream)
    say()
    return stream.getvalue().splitlines()


@pytest.mark.usefixtures("kept")
def test_json_lines_say_when_what_and_about_which_packet() -> None:
    """One object per line, whatever stands in the message."""

    def say() -> None:
        token = AT_WORK.set((PACKET, "style"))
        logging.getLogger("squads.worker").info("two\nlines \u2028 \x1b[2J %s", "é")
        AT_WORK.reset(token)
        logging.getLogger("squads.host").warning("plain")

    first, second = (json.loads(line) for line in logged("json", say))

    assert first.pop("time").endswith("Z")
    assert {
        "level": "info",
        "logger": "squads.worker",
        "message": "two\nlines \u2028 \x1b[2J é",
        "packet": PACKET,
        "role": "style",
    } == first
    assert {"level", "logger", "message", "time"} == set(second)


@pytest.mark.usefixtures("kept")
def test_text_lines_are_one_visible_line_each() -> None:
    """Nothing in a message reaches a terminal as a command to it."""

    def say() -> None:
        token = AT_WORK.set((PACKET, "style"))
        logging.getLogger("squads.worker").warning("two\nlines \x1b[2J")
        AT_WORK.reset(token)

    (line,) = logged("text", say)

    assert line.endswith("\\n" + "lines \\x1b[2J")
    assert "warning squads.worker [style abababab]: two" in line


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("form", ["text", "json"])
def test_of_an_exception_only_its_type_is_written(form: str) -> None:
    """Its words may be a key or a document's text."""

    def say() -> None:
        try:
            raise ValueError("sk-secret")
        except ValueError:
            logging.getLogger("squads.worker").warning("it failed", exc_info=True)

    (line,) = logged(form, say)

    assert "ValueError" in line
    assert "secret" not in line


@pytest.mark.usefixtures("kept")
def test_other_libraries_are_heard_when_they_warn_and_cut_short() -> None:
    """What they tell beside is not written, and no message is without a bound."""

    def say() -> None:
        logging.getLogger("httpx").info("POST with a body")
        logging.getLogger("httpx").warning("x" * 10_000)
        logging.getLogger("squads.x").warning("y" * 10_000)
        logging.getLogger("squads.x").debug("never")
        logging.getLogger("httpx").warning("%d", "no number")

    lines = [json.loads(line)["message"] for line in logged("json", say)]

    assert ["x" * FOREIGN_CHARS_MAX, "y" * MESSAGE_CHARS_MAX, "%d"] == lines


def test_a_form_that_there_is_not_is_bad_input() -> None:
    """With the forms there are."""
    with pytest.raises(InvalidInput, match="--log text or --log json"):
        check_form("xml")

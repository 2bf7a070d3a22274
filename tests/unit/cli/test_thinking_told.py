"""Who is asking which model stands at the foot of a terminal, and nowhere else."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from rich.console import Console

from squads.cli.thinking import LINES_MAX, Thinking
from squads.contracts.outcome import Halted
from squads.contracts.records import VerdictRecord
from squads.contracts.thinking import Progress

PACKET = "0" * 32


def terminal() -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, force_terminal=True, width=100, height=40, color_system=None, soft_wrap=True), file


def progress(stage: Any = "answered", *, about: str = "a", role: str = "security", **said: Any) -> Progress:
    return Progress(packet=PACKET, about=about * 64, role=role, stage=stage, model="anthropic:one", **said)


def told(thinking: Thinking, *happened: Progress) -> None:
    assert thinking.watch is not None
    for one in happened:
        thinking.watch(one)


async def events(of: Iterable[Any]) -> AsyncIterator[Any]:
    for one in of:
        yield one


def last_lines(file: io.StringIO) -> str:
    """Return what was drawn last: everything after the line was cleared for it."""
    return file.getvalue().split("\x1b[2K")[-1]


def test_a_role_at_work_has_a_line_with_its_model_replies_and_tokens() -> None:
    """Numbers and names; nothing that a model wrote."""
    out, file = terminal()
    with Thinking(out) as thinking:
        told(thinking, progress("asked"), progress(tokens=1_200), progress(tokens=3_400))

        assert "security asks anthropic:one (2 replies, 3,400 tokens)" in last_lines(file)


@pytest.mark.parametrize(
    ("happened", "words"),
    [
        (progress("tool", tool="read_file"), "used read_file"),
        (progress("again"), "asked again, its reply did not validate"),
        (progress("retry", wait_ms=3_000), "tried again in 3 s"),
        (progress("fallback"), "the model before it could not be asked"),
        (progress("tool", tool="x\x1b[2J"), "used x\\x1b[2J"),
    ],
)
def test_a_line_says_what_holds_it_up(happened: Progress, words: str) -> None:
    """And nothing from outside is a command to the terminal."""
    out, file = terminal()
    with Thinking(out) as thinking:
        told(thinking, happened)

        assert words in last_lines(file)


async def test_a_line_goes_when_its_answer_is_there() -> None:
    """A receipt names the request or the ticket that it answers; other roles keep their lines."""
    out, file = terminal()
    with Thinking(out) as thinking:
        told(thinking, progress("asked"), progress("asked", about="b", role="builder"))
        async for _ in thinking.beside(events([VerdictRecord.model_construct(ticket="a" * 64)])):
            pass

        assert "builder asks" in last_lines(file)
        assert "security asks" not in last_lines(file)


async def test_when_it_is_over_no_line_is_left() -> None:
    """What was at the foot is cleared, so that the story stands alone."""
    out, file = terminal()
    with Thinking(out) as thinking:
        told(thinking, progress("asked"))
        async for _ in thinking.beside(events([Halted(packet=PACKET, detail="stopped")])):
            drawn = file.getvalue()
            assert drawn.endswith("\x1b[2K")


def test_many_requests_are_counted_past_the_bound() -> None:
    """The foot of the page stays a foot."""
    out, file = terminal()
    with Thinking(out) as thinking:
        told(thinking, *(progress("asked", about=f"{n:x}", role=f"r{n}") for n in range(LINES_MAX + 2)))

        assert "… and 2 more requests" in file.getvalue()


@pytest.mark.parametrize("console", [Console(file=io.StringIO()), Console(quiet=True, force_terminal=True)])
def test_nobody_is_shown_what_nobody_sees(console: Console) -> None:
    """A pipe, a file and `--json` get the story alone."""
    assert Thinking(console).watch is None

"""Times, counts and wrapped lines for people at a terminal. What is piped stays one line, to be searched."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from squads.cli import show

SHORT_CHARS = 8
"""How much of a packet's id is shown; 32 bits, and any command says so when it is not enough."""
_STEPS = ((60, "s"), (60, "min"), (48, "h"))
HANG = 2
"""How much further in the rows stand that a long line is wrapped to."""
TextPart = str | tuple[str, str]


def line(out: Console, *parts: TextPart, indent: int = 2) -> None:
    """Print one line; at a terminal its further rows stand further in. Parts must be visible text already."""
    text = Text.assemble(*parts)
    room = out.width - indent
    if not out.is_terminal or text.cell_len <= room:
        out.print(Text.assemble(" " * indent, text))
        return
    for number, row in enumerate(text.wrap(out, max(room - HANG, 1))):
        out.print(Padding(row, (0, 0, 0, indent + (HANG if number else 0))))


def shown(text: str) -> str:
    """Return text from anywhere as one visible line."""
    return show.visible(text).replace("\n", "\\n")


def short(packet: str) -> str:
    """Return the beginning of a packet's id that names it to every command."""
    return packet[:SHORT_CHARS]


def count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def moment(time_ms: int) -> str:
    """Return a time as people and programs read it: UTC, to the second."""
    try:
        return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):  # a clock may have been set to anything
        return f"{time_ms} ms"


def when(time_ms: int, now_ms: int) -> str:
    """Return how far off a time is, and the time: `in 3 h (2026-01-31T12:00:00Z)`."""
    away = time_ms - now_ms
    size = span(abs(away))
    relative = f"in {size}" if away > 0 else f"{size} ago"
    return f"{relative} ({moment(time_ms)})"


def span(duration_ms: int) -> str:
    """Return a duration in its largest unit that says enough, rounded down."""
    size = duration_ms // 1000
    for step, unit in _STEPS:
        if size < step:
            return f"{size} {unit}"
        size //= step if unit != "h" else 24
    return f"{size} days"

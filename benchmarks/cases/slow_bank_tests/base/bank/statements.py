"""Reads the statements that our bank sends as fixed-width lines."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Entry:
    booked: date
    cents: int
    text: str


def entry(line: str) -> Entry:
    """Read `YYYYMMDD`, a sign C or D, twelve digits of cents, and a text."""
    if len(line) < 21 or line[8] not in "CD":
        raise ValueError(f"no entry: {line!r}")
    sign = -1 if line[8] == "D" else 1
    booked = date(int(line[:4]), int(line[4:6]), int(line[6:8]))
    return Entry(booked, sign * int(line[9:21]), line[21:].strip())


def statement(text: str) -> list[Entry]:
    lines = text.splitlines()
    entries = [entry(line) for line in lines[1:-1]]
    opening, closing = int(lines[0][1:]), int(lines[-1][1:])
    if opening + sum(e.cents for e in entries) != closing:
        raise ValueError("opening, entries and closing do not fit together")
    return entries

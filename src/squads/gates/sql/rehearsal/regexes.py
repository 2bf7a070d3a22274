"""Patterns over short texts, as PostgreSQL's functions use them; only those that are read in bounded time."""

from __future__ import annotations

import re

from squads.gates.sql.rehearsal.value import NotKnown, Value

_REPEATS = re.compile(r"[*+?{]")


def _pattern(pattern: Value) -> re.Pattern[str]:
    """Return a pattern; only one that is read in bounded time."""
    text = str(pattern)
    if len(_REPEATS.findall(text)) > 2 or re.search(r"\)[*+{]", text) or len(text) > 200:
        raise NotKnown
    try:
        return re.compile(text.replace("[[:space:]]", r"\s").replace("[:alpha:]", "a-zA-Z").replace("[:digit:]", "0-9"))
    except (re.error, OverflowError):
        raise NotKnown from None


def replaced(value: str, pattern: Value, by: Value = "", flags: Value = "") -> str:
    """Return a text with the first match of a pattern replaced, or all with the flag `g`."""

    def filled(match: re.Match[str]) -> str:
        return re.sub(r"\\(\d|&)", lambda d: _group(match, d[1]), str(by))

    return _pattern(pattern).sub(filled, value[:400], count=0 if "g" in str(flags) else 1)


def _group(match: re.Match[str], number: str) -> str:
    try:
        return match[0] if number == "&" else match[int(number)] or ""
    except IndexError:
        return ""


def matches(value: str, pattern: Value) -> int:
    """Return 1 where a pattern is found in a text, else 0."""
    return int(_pattern(pattern).search(value[:400]) is not None)

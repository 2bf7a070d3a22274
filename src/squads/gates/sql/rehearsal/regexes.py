"""Patterns over short texts, as PostgreSQL's functions use them; only those that are read in bounded time."""

from __future__ import annotations

import re

from squads.gates.sql.rehearsal.value import NotKnown, Value

_REPEATS = re.compile(r"[*+?{]")
_STEPS_MAX = 3_000_000
_LETTERS_MAX = 4_000
_WAYS_MAX = 64


def _pattern(pattern: Value) -> re.Pattern[str]:
    """Return a pattern; only one that is read in bounded time."""
    text = str(pattern)
    repeats = len(_REPEATS.findall(text))
    if repeats > 2 or re.search(r"\)[*+{]|\\[1-9]", text) or len(text) > 200:
        raise NotKnown
    if ways(text) > _WAYS_MAX or 400**repeats * ways(text) > _STEPS_MAX:
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


def parted(value: str, pattern: Value) -> list[str]:
    """Return the parts of a text between the matches of a pattern."""
    return [p or "" for p in _pattern(pattern).split(value[:400])]


def swapped(value: str, old: str, new: str) -> str:
    """Return the start of a text in which another one stands for `old`; no more of it is made than is kept."""
    return value.replace(old, new, _LETTERS_MAX // len(new) + 1 if new else -1)[:_LETTERS_MAX]


def ways(pattern: str) -> int:
    """Return in how many ways the choices of a pattern can be made: `(aa|a)(b|c|d)?` in twelve."""
    bare = re.sub(r"\[(?:\\.|[^\]\\])*\]", "x", re.sub(r"\\.", "x", pattern))
    made, bars = 1, [0]
    for at, sign in enumerate(bare):
        if sign == "(":
            bars.append(0)
        elif sign == "|":
            bars[-1] += 1
        elif sign == ")" and len(bars) > 1:
            made *= bars.pop() + 1
        elif sign == "?" and at and bare[at - 1] not in "(*+?}":
            made *= 2
    return made * (bars[0] + 1)


def work(pattern: str, letters: int) -> int:
    """Return how many steps Python may need at most to find a pattern in a text of so many letters, roughly."""
    bare = re.sub(r"\\([dDsSwWbB])", r"<\1>", pattern)
    if re.search(r"\\[1-9]", bare):
        return 1 << 60
    bare = re.sub(r"\\.", "x", bare)
    bare = re.sub(r"\[(?:<[ds]>|[^\]])*\]", lambda m: "<d>" if m[0] in ("[0-9]", "[<d>]") else "<w>", bare)
    if len(pattern) > 300 or re.search(r"\)[*+{]|\(\?P=", bare):
        return 1 << 60
    repeated = [m[1] for m in re.finditer(r"(<\w>|.)(?:[*+]|\{\d*,\d*\})", bare)]
    narrow = [r for r in repeated if r in ("<d>", "<s>") or (len(r) == 1 and r not in ".)")]
    depth = len(repeated) - len(narrow) + max((narrow.count(n) for n in narrow), default=0)
    most: int = max(letters, 2) ** min(depth, 8)
    return most * max(letters, 2) * many if (many := ways(pattern)) > _WAYS_MAX else most

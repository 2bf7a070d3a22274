"""Demands next to each other with different answers, and demands that move along with a number of the code."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from squads.contracts.artifact import File
from squads.gates.changes.asked import Asked, Reader, keep
from squads.gates.changes.demands import demand_of, softer
from squads.gates.changes.facts import changed_facts
from squads.gates.changes.held import Held
from squads.gates.changes.numbers import numbers
from squads.gates.changes.suite import TEST_FILE
from squads.gates.changes.wholes import worked_out

_PAIRS_MAX = 60
_STEPS_MAX = 10
_FILES_MAX = 40
_NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?:\.\d{1,9})?(?![\w.])")
_NUMBER_MAX = 1e300
# Where tests are to follow the code.
_FOLLOW = re.compile(
    r"(?i)\b(?:updat|adapt|adjust|chang|correct|amend|bring|align)\w*\b[^.;]{0,80}\btests?\b"
    r"|\btests? (?:that|which|to match|accordingly)"
)


def edge_held(asked: Asked, was: Held, now: Held, touched: Collection[str]) -> bool | None:
    """Return whether demands still stand at the edge of this one, with another answer next to it; None for no edge."""

    def edges(held: Held) -> set[frozenset[str]]:
        those = [a for t, a in held.on(asked.short[0]) if t.path in touched and not t.skips]
        pairs = itertools.combinations(those[:_PAIRS_MAX], 2)
        return {frozenset((_answer(a), _answer(b))) for a, b in pairs if _beside(a, b)}

    own = _answer(asked)
    mine = {frozenset((own, _answer(a))) for t, a in was.on(asked.short[0])
            if t.path in touched and _beside(asked, a)}  # fmt: skip
    mine = {e for e in mine if len(e) > 1}
    return mine <= edges(now) if mine else None


def _answer(asked: Asked) -> str:
    return asked.demand.expected or asked.demand.polarity.capitalize()


def _beside(a: Asked, b: Asked) -> bool:
    """Return whether two calls differ in one whole number, by one."""
    return _next(a.short, b.short) or _next(a.key, b.key)


def _next(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    if len(one) != len(other):
        return False
    apart = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    if len(apart) != 1 or not all(re.fullmatch(r"\d{1,9}", p) for p in apart[0]):
        return False
    return abs(int(apart[0][0]) - int(apart[0][1])) == 1


def steps(
    brief: str, old: Mapping[str, File], new: Mapping[str, File], touched: Collection[str]
) -> list[tuple[float, float]]:
    """Return (before, now) of the numbers that a change gives the code, where the brief speaks of them or of tests."""
    found: list[tuple[float, float]] = []
    said = numbers(brief)
    for path in sorted(touched)[:_FILES_MAX]:
        if not path.endswith(".py") or TEST_FILE.search(path) or path not in old or path not in new:
            continue
        for _, was, now in changed_facts(path, old[path].text, new[path].text):
            before, after = (_number(f.value) if f is not None else None for f in (was, now))
            if before is not None and after is not None and (after in said or _FOLLOW.search(brief)):
                found.append((before, after))
        found += [s for s in _rewritten(old[path].text, new[path].text) if s[1] in said or _FOLLOW.search(brief)]
    return found[:_STEPS_MAX]


def _rewritten(was: str, now: str) -> Iterator[tuple[float, float]]:
    """Yield (before, now) of the numbers of lines in which nothing else differs."""
    one, other = was.split("\n"), now.split("\n")
    if len(one) != len(other):
        return
    for a, b in zip(one, other, strict=True):
        if a != b and _NUMBER.sub("0", a) == _NUMBER.sub("0", b):
            yield from ((float(x), float(y)) for x, y in zip(_NUMBER.findall(a), _NUMBER.findall(b), strict=True)
                        if x != y)  # fmt: skip


def followed(asked: Asked, was: Held, now: Held, touched: Collection[str], steps: list[tuple[float, float]]) -> bool:
    """Return whether the edge that a demand stood at, or the length of its text, went along with the code's numbers."""
    if not steps or not asked.short:
        return False
    if edge_held(asked, was, now, touched):
        return True
    for before, after in steps:
        near = [n - before for n in _lengths(asked) if abs(n - before) <= 1]
        for test, other in now.on(asked.short[0]) if near else ():
            alike = not test.skips and _answer(other) == _answer(asked) and not softer(asked.demand, other.demand)
            if alike and any(abs(n - after) <= 1 for n in _lengths(other)):
                return True
    return False


def _lengths(asked: Asked) -> list[int]:
    """Return how long the texts are that the subject of a demand is called with."""
    try:
        tree = ast.parse(asked.demand.subject, mode="eval").body
    except (SyntaxError, ValueError):
        return []
    handed = [worked_out(a) for a in [*tree.args, *(k.value for k in tree.keywords)]] if (
        isinstance(tree, ast.Call)) else []  # fmt: skip
    return [len(h) for h in handed if isinstance(h, str)]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def moved_along(asked: Asked, steps: list[tuple[float, float]]) -> Iterator[Asked]:
    """Yield a demand as it reads where its numbers, at the edge of what the code fixes, went along with that."""
    for before, after in steps:
        try:
            tree = ast.parse(asked.demand.text, mode="eval").body
        except (SyntaxError, ValueError):
            return
        hit = False
        for node in ast.walk(tree):
            value = node.value if isinstance(node, ast.Constant) else None
            if not isinstance(node, ast.Constant) or not isinstance(value, int | float) or isinstance(value, bool):
                continue
            if abs(value) <= _NUMBER_MAX and abs(value - before) <= 1:
                other = value + after - before
                node.value = int(other) if isinstance(value, int) else other
                hit = True
        if hit:
            reader = Reader({}, frozenset())
            keep(reader, demand_of(tree, asked.node, asked.demand.guarded), asked.node, asked.home, asked.row)
            yield replace(reader.found[0], plain=asked.plain)

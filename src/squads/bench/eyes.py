"""Which pairs of reviewers see with other eyes, and what a second look is worth.

Of every two gates, and of every gate with itself, one run each is paired in every way, on the defects that both judged.
Runs that failed or abstained are left out here: the question is what was seen by those who looked.

A pair's relation is read from the recorded factors `model` and `maker`: `own run` (the same gate again), `same model`
(asked in another way), `same maker`, `other maker`, `model and tool`, `two tools`. Without these factors two gates of
one prior are `same prior`, others `other prior`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

from squads.bench.figure import Figure, Interval
from squads.bench.grid import Grid
from squads.bench.intervals import bootstrapped
from squads.bench.vendors import need
from squads.contracts.errors import InvalidCase

RELATIONS = (
    "own run",
    "same model",
    "same maker",
    "other maker",
    "model and tool",
    "two tools",
    "same prior",
    "other prior",
)
"""From the nearest to the farthest, as far as that can be said before measuring."""

DRAWS = 2_000


class Estimate(Figure):
    """A figure with its interval by families; without a value where it is not defined."""

    value: float | None
    interval: Interval | None = None


class Eyes(Figure):
    """What two gates see together on defects."""

    first: str
    second: str
    relation: str
    cases: int
    families: int
    first_catch: float
    second_catch: float
    kappa: Estimate
    """1: they miss the same defects; 0: as independent reviewers would."""
    union: Estimate
    second_adds: Estimate
    """What a run of the second catches that one of the first missed, over all defects."""
    first_adds: Estimate
    of_independent: Estimate
    """`second_adds` as a share of what it would be, were the two independent: 1 has other eyes, 0 the same."""
    refused_rights: float | None
    """How often either refuses a right case that both judged."""


class Look(Figure):
    """What second looks of one relation are worth, the mean over all such pairs, both ways round."""

    relation: str
    pairs: int
    kappa: Estimate
    union: Estimate
    adds: Estimate
    """What the second look catches that the first missed."""
    adds_of_missed: Estimate
    """The share of what the first missed that the second look catches."""
    of_independent: Estimate
    """What it adds as a share of what it would, were the two independent. Compare relations by this one: weak first
    looks leave more to be found, and strong second looks find more, whatever their eyes."""


def eyes_of(grid: Grid, *, seed: int = 0) -> tuple[Eyes, ...]:
    """Return every pair of gates, and every gate that has repeats with itself, by first and second."""
    seen = _Seen(grid)
    return tuple(_eyes(seen, first, second, seed) for first, second in _pairs(grid))


def looks_of(grid: Grid, *, first: str | None = None, seed: int = 0) -> tuple[Look, ...]:
    """Return what second looks are worth, by relation, from the nearest; families are drawn for all pairs at once.

    With `first` only the pairs of that gate count, and only looks after its own. Raises `InvalidCase` for a gate that
    is not here.
    """
    families = sorted({case.family for case in grid.defects})
    if first is not None:
        grid.of(first)
    seen = _Seen(grid)
    by_relation: dict[str, list[list[list[float]]]] = {}
    for one, other in _pairs(grid):
        if first is not None and first not in (one, other):
            continue
        table = seen.together(one, other)
        if len(table) < 2:
            continue
        ways = by_relation.setdefault(_relation(grid, one, other), [])
        rows = [table.get(family, [0.0] * 4) for family in families]
        if first in (None, one):
            ways.append(rows)
        if one != other and first in (None, other):
            ways.append([[both, b, a, none] for both, a, b, none in rows])
    return tuple(_look(name, by_relation[name], seed) for name in RELATIONS if name in by_relation)


def beside(grid: Grid, gate: str, *, seed: int = 0) -> tuple[Eyes, ...]:
    """Return `gate` with every second look there is, itself included; the look that adds most comes first."""
    grid.of(gate)
    seen = _Seen(grid)
    pairs = [_eyes(seen, gate, b if a == gate else a, seed) for a, b in _pairs(grid) if gate in (a, b)]
    return tuple(sorted(pairs, key=lambda eyes: -(eyes.second_adds.value or 0.0)))


def _pairs(grid: Grid) -> list[tuple[str, str]]:
    own = [(gate, gate) for gate in grid.gates if len(grid.of(gate)) > 1]
    return sorted([*own, *((min(pair), max(pair)) for pair in combinations(grid.gates, 2))])


def _eyes(seen: _Seen, first: str, second: str, seed: int) -> Eyes:
    table = seen.together(first, second)
    both, one, other, none = (sum(column) for column in zip(*table.values(), strict=True)) if table else (0.0,) * 4
    cases = both + one + other + none
    if not cases:
        raise InvalidCase(f"{first} and {second} judged no defect in common, so nothing can be said of the two")
    rights = seen.together(first, second, broken=False).values()
    said = sum(sum(row) for row in rights)
    rows = list(table.values())
    return Eyes(
        first=first,
        second=second,
        relation=_relation(seen.grid, first, second),
        cases=round(cases),
        families=len(table),
        first_catch=(both + one) / cases,
        second_catch=(both + other) / cases,
        kappa=_estimate(rows, _kappa, seed),
        union=_estimate(rows, _union, seed),
        second_adds=_estimate(rows, _second_adds, seed),
        first_adds=_estimate(rows, lambda a, b, c, d: _second_adds(a, c, b, d), seed),
        of_independent=_estimate(rows, _of_independent, seed),
        refused_rights=sum(sum(row[:3]) for row in rights) / said if said else None,
    )


class _Seen:
    """What every gate saw in each case, by case and run; runs that failed or abstained are not there."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._cases = {True: grid.defects, False: grid.rights}
        self._looks = {
            (broken, gate): [
                [cell.refused for cell in grid.said(case, gate) if cell.decision in ("refused", "approved")]
                for case in cases
            ]
            for broken, cases in self._cases.items()
            for gate in grid.gates
        }

    def together(self, first: str, second: str, *, broken: bool = True) -> dict[str, list[float]]:
        """Return for each family how many cases both, only the first, only the second, and neither refuse."""
        totals: dict[str, list[float]] = {}
        looks = zip(self._looks[broken, first], self._looks[broken, second], strict=True)
        for case, (one, other) in zip(self._cases[broken], looks, strict=True):
            table = _own(one) if first == second else _paired(one, other)
            if table is not None:
                row = totals.setdefault(case.family, [0.0] * 4)
                totals[case.family] = [a + b for a, b in zip(row, table, strict=True)]
        return totals


def _own(looks: Sequence[bool]) -> tuple[float, float, float, float] | None:
    """Return the shares of pairs of different runs of one gate: both, first, second, none of the two refuse."""
    if len(looks) < 2:
        return None
    pairs, caught = comb(len(looks), 2), sum(looks)
    both, none = comb(caught, 2) / pairs, comb(len(looks) - caught, 2) / pairs
    return both, (1 - both - none) / 2, (1 - both - none) / 2, none


def _paired(one: Sequence[bool], other: Sequence[bool]) -> tuple[float, float, float, float] | None:
    """Return the same for one run each of two gates."""
    if not one or not other:
        return None
    p, q = sum(one) / len(one), sum(other) / len(other)
    return p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q)


def _look(relation: str, ways: Sequence[Sequence[Sequence[float]]], seed: int) -> Look:
    """Average a figure over pairs; each pair's four sums stand beside the others', so that a draw is one for all."""
    rows = [[value for way in ways for value in way[family]] for family in range(len(ways[0]))]

    def over(figure: Any) -> Estimate:
        def mean(*columns: Any) -> Any:
            numpy = need("numpy")
            with numpy.errstate(divide="ignore", invalid="ignore"):
                told = numpy.asarray([figure(*columns[n : n + 4]) for n in range(0, len(columns), 4)])
                defined = numpy.isfinite(told)
                return numpy.where(defined, told, 0.0).sum(axis=0) / defined.sum(axis=0)

        return _estimate(rows, mean, seed)

    return Look(
        relation=relation,
        pairs=len(ways),
        kappa=over(_kappa),
        union=over(_union),
        adds=over(_second_adds),
        adds_of_missed=over(lambda both, one, other, none: other / (other + none)),
        of_independent=over(_of_independent),
    )


def _estimate(rows: Sequence[Sequence[float]], figure: Any, seed: int) -> Estimate:
    numpy = need("numpy")
    sums = [numpy.asarray(column, dtype=float).sum() for column in zip(*rows, strict=True)]
    with numpy.errstate(divide="ignore", invalid="ignore"):
        value = float(figure(*sums))
    if not numpy.isfinite(value):
        return Estimate(value=None)
    told = len([row for row in rows if any(row)])
    return Estimate(value=value, interval=bootstrapped(rows, figure, draws=DRAWS, seed=seed) if told > 1 else None)


def _kappa(both: Any, first: Any, second: Any, none: Any) -> Any:
    cases = both + first + second + none
    one, other = (both + first) / cases, (both + second) / cases
    chance = one * other + (1 - one) * (1 - other)
    return ((both + none) / cases - chance) / (1 - chance)


def _union(both: Any, first: Any, second: Any, none: Any) -> Any:
    return (both + first + second) / (both + first + second + none)


def _second_adds(both: Any, first: Any, second: Any, none: Any) -> Any:
    return second / (both + first + second + none)


def _of_independent(both: Any, first: Any, second: Any, none: Any) -> Any:
    return second * (both + first + second + none) / ((both + second) * (second + none))


def _relation(grid: Grid, first: str, second: str) -> str:
    if first == second:
        return "own run"
    one, other = grid.factors.get(first, {}), grid.factors.get(second, {})
    if "model" not in one or "model" not in other:
        return "same prior" if grid.priors[first] == grid.priors[second] else "other prior"
    tools = [f.get("kind") == "scanner" for f in (one, other)]
    if any(tools):
        return "two tools" if all(tools) else "model and tool"
    if one["model"] == other["model"]:
        return "same model"
    return "same maker" if one.get("maker") == other.get("maker") else "other maker"

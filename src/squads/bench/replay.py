"""What recorded reviewers say about panels: the same model again, or another model beside it.

A panel has as many seats as the gates have repeats. *Same* fills them with the repeats of one gate, *distinct* with one
run each of as many gates, over all gates and all pairings of runs. Only gates that are there for most families with all
repeats are taken, on the families on which all of them are: so the two kinds of panels differ in nothing else, and make
the same number of calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import prod

from squads.bench.case import Case
from squads.bench.catching import at_least_k, effective, shares, union_at_k
from squads.bench.figure import Difference, Figure, Interval
from squads.bench.grid import Grid
from squads.bench.intervals import bootstrapped, difference
from squads.bench.statistics import kappa
from squads.contracts.errors import InvalidCase

FAMILIES_SHARE = 0.85
"""Of how many families a gate must have every repeat."""


class Gain(Figure):
    """What distinct panels catch (or refuse) more than same ones."""

    difference: Difference
    """With the interval by families, which holds its level for few families too."""
    percentiles: Interval
    """A plain percentile bootstrap over families, as others publish it."""


class Kinds(Figure):
    """How often panels refuse the cases of one kind."""

    cases: int
    single: float
    same: float
    distinct: float
    independent_same: float
    """Were each gate's repeats independent, at the gate's mean rate."""
    independent_distinct: float
    majority_same: float
    majority_distinct: float
    gain: Gain


class Best(Figure):
    """What company does the best gate most good."""

    gate: str
    own: float
    """Catch of a panel of its own runs."""
    others: float
    """Catch of one run of it with one run each of others, over all choices of others."""


class Replay(Figure):
    """The table of panels from recorded findings."""

    title: str
    gates: tuple[str, ...]
    families: tuple[str, ...]
    seats: int
    defects: Kinds
    rights: Kinds
    kappa_within: float | None
    """The mean over pairs of repeats of one gate, on defects."""
    kappa_between: float | None
    """The mean over pairs of runs of two gates, on defects."""
    effective_same: float | None
    """How many independent reviewers a panel of the same gate is worth, on defects."""
    effective_distinct: float | None
    strongest: tuple[str, ...]
    """The gates that catch most, one more than there are seats."""
    strongest_gain: Gain
    """On defects, among the strongest."""
    best: Best


def replay_of(
    grid: Grid, *, title: str = "", gates: Sequence[str] = (), families_share: float = FAMILIES_SHARE, seed: int = 0
) -> Replay:
    """Return the table for these gates, or for all that have every repeat on enough families.

    Raises `InvalidCase` where fewer gates than seats are left, or no family on which all of them are complete.
    """
    whole = complete_families(grid)
    seats = max((len(grid.of(gate)) for gate in gates or grid.gates), default=0)
    every = {case.family for case in grid.cases}
    named = tuple(gates) or tuple(
        gate for gate in grid.gates if len(grid.of(gate)) == seats and len(whole[gate]) >= families_share * len(every)
    )
    if seats < 2 or len(named) < seats:
        raise InvalidCase(
            f"{len(named)} gates have {seats} repeats on enough families, and panels of {seats} need at least as many "
            "gates and two repeats; name gates, or ask for a smaller share of the families"
        )
    common = set.intersection(*(whole[gate] for gate in named))
    some = grid.only(gates=named).where(lambda case: case.family in common)
    if not some.defects or not some.rights:
        raise InvalidCase(f"there is no family with every repeat of {', '.join(named)}; name fewer gates")
    return _table(some, title, seats, seed)


def complete_families(grid: Grid) -> dict[str, set[str]]:
    """Return for every gate the families on which all of its repeats refused or approved every case."""
    whole: dict[str, set[str]] = {}
    for gate in grid.gates:
        members = grid.of(gate)
        broken = {
            case.family
            for case in grid.cases
            for member in members
            if (cell := grid.cells.get((case.id, member))) is None or cell.decision not in ("refused", "approved")
        }
        whole[gate] = {case.family for case in grid.cases} - broken
    return whole


def _table(grid: Grid, title: str, seats: int, seed: int) -> Replay:
    defects = _kinds(grid, grid.defects, seats, seed)
    rates = {gate: sum(s) / len(s) for gate, s in shares(grid, grid.defects).items()}
    strongest = tuple(sorted(rates, key=lambda gate: -rates[gate])[: seats + 1])
    within, between = _kappas(grid)
    return Replay(
        title=title,
        gates=grid.gates,
        families=tuple(sorted({case.family for case in grid.cases})),
        seats=seats,
        defects=defects,
        rights=_kinds(grid, grid.rights, seats, seed),
        kappa_within=within,
        kappa_between=between,
        effective_same=effective(defects.same, defects.single),
        effective_distinct=effective(defects.distinct, defects.single),
        strongest=strongest,
        strongest_gain=_kinds(grid.only(gates=strongest), grid.defects, seats, seed).gain,
        best=_best(grid, strongest[0], seats),
    )


def _kinds(grid: Grid, cases: Sequence[Case], seats: int, seed: int) -> Kinds:
    by_gate = shares(grid, cases)
    columns = list(zip(*by_gate.values(), strict=True))
    rates = [sum(caught) / len(caught) for caught in by_gate.values()]
    same = [_mean([float(share > 0) for share in caught]) for caught in columns]
    distinct = [union_at_k(caught, seats) for caught in columns]
    most = seats // 2 + 1
    groups = list(combinations(range(len(rates)), seats))
    return Kinds(
        cases=len(cases),
        single=_mean(rates),
        same=_mean(same),
        distinct=_mean(distinct),
        independent_same=_mean([1 - (1 - p) ** seats for p in rates]),
        independent_distinct=_mean([1 - prod(1 - rates[n] for n in group) for group in groups]),
        majority_same=_mean([float(round(share * seats) >= most) for caught in columns for share in caught]),
        majority_distinct=_mean([at_least_k([c[n] for n in group], most) for c in columns for group in groups]),
        gain=_gain(cases, distinct, same, seed),
    )


def _gain(cases: Sequence[Case], first: Sequence[float], second: Sequence[float], seed: int) -> Gain:
    totals: dict[str, list[float]] = {}
    for case, a, b in zip(cases, first, second, strict=True):
        row = totals.setdefault(case.family, [0.0, 0.0])
        row[0] += a - b
        row[1] += 1
    rows = [(case.family, a, b) for case, a, b in zip(cases, first, second, strict=True)]
    return Gain(
        difference=difference(rows),
        percentiles=bootstrapped(
            list(totals.values()), lambda more, of: more / of, draws=10_000, seed=seed, widened=False
        ),
    )


def _kappas(grid: Grid) -> tuple[float | None, float | None]:
    rows = dict(zip(grid.members, grid.matrix(grid.defects), strict=True))
    within = [kappa(rows[a], rows[b]) for gate in grid.gates for a, b in combinations(grid.of(gate), 2)]
    between = [
        kappa(rows[a], rows[b])
        for first, second in combinations(grid.gates, 2)
        for a, b in product(grid.of(first), grid.of(second))
    ]
    return _defined(within), _defined(between)


def _best(grid: Grid, gate: str, seats: int) -> Best:
    by_gate = shares(grid, grid.defects)
    own = by_gate.pop(gate)
    others = zip(*by_gate.values(), strict=True)
    # One run of the best and seats - 1 others miss together where it misses and they do.
    joined = [1 - (1 - p) * (1 - union_at_k(rest, seats - 1)) for p, rest in zip(own, others, strict=True)]
    return Best(gate=gate, own=_mean([float(p > 0) for p in own]), others=_mean(joined))


def _defined(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return _mean(there) if there else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

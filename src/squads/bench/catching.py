"""What gates catch together: unions, marginal catch, shares of the credit, and how many reviewers a panel is worth.

A gate that was run several times catches a case with the share of its repeats in which it did. Runs of different gates
are paired in every way, so what is computed here is the mean over all panels with one run of each. All of it is exact:
elementary symmetric polynomials take the place of long sums over panels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import comb, inf, log, prod

from squads.bench.case import Case
from squads.bench.figure import Difference, Figure
from squads.bench.grid import Grid
from squads.bench.intervals import difference


class Marginal(Figure):
    """What a gate adds to a panel that any member may refuse for."""

    gate: str
    given: tuple[str, ...]
    catch: Difference
    """On defects: the panel with the gate against the panel without."""
    refusals: Difference | None
    """On right cases; None where there are too few."""
    cost_microusd: float
    """What the gate's look at all these cases cost, the mean of its repeats."""
    cost_per_catch_microusd: float | None
    """Cost for one more caught defect; None where it catches none more."""


class Union(Figure):
    """A panel of one run of each gate, in which any may refuse."""

    gates: tuple[str, ...]
    single: float
    """The mean catch of its members."""
    union: float
    independent: float
    """What it would be, were the members' misses independent."""
    effective: float | None
    """How many independent reviewers of the members' mean catch it is worth."""


def shares(grid: Grid, cases: Iterable[Case], *, level: int = 1) -> dict[str, list[float]]:
    """Return for each gate in which share of its repeats it caught each case."""
    listed = list(cases)
    return {gate: [grid.share(case, gate, level=level) for case in listed] for gate in grid.gates}


def union_at_k(caught: Sequence[float], k: int) -> float:
    """Return the chance that a panel of `k` of these gates, each subset as likely, catches a case."""
    if not 0 <= k <= len(caught):
        raise ValueError(f"a panel of {k} cannot be drawn from {len(caught)} gates")
    return 1 - _symmetric([1 - p for p in caught])[k] / comb(len(caught), k)


def at_least_k(caught: Sequence[float], k: int) -> float:
    """Return the chance that at least `k` of these gates catch a case."""
    count = [1.0]
    for p in caught:
        count = [a * (1 - p) + b * p for a, b in zip([*count, 0.0], [0.0, *count], strict=True)]
    return sum(count[k:])


def catch_at_k(grid: Grid, k: int, *, level: int = 1) -> float:
    """Return how much a panel of `k` gates catches, the mean over all such panels of this grid."""
    by_gate = shares(grid, grid.defects, level=level)
    return _mean([union_at_k(caught, k) for caught in zip(*by_gate.values(), strict=True)])


def repeats_at_k(caught: int, repeats: int, k: int) -> float:
    """Return the unbiased chance that a gate asked `k` times catches a case that it caught so often in `repeats`."""
    if not 0 <= caught <= repeats or not 1 <= k <= repeats:
        raise ValueError(f"cannot draw {k} of {repeats} repeats of which {caught} caught")
    return 1 - comb(repeats - caught, k) / comb(repeats, k)


def effective(union: float, single: float) -> float | None:
    """Return how many independent reviewers that catch `single` together catch `union`: ln(1-U) / ln(1-p).

    None where the single ones catch nothing; infinite where the union catches all and they do not.
    """
    if single <= 0 or (single >= 1 and union < 1):
        return None
    if single >= 1:
        return 1.0
    return inf if union >= 1 else log(1 - union) / log(1 - single)


def union_of(grid: Grid, gates: Sequence[str] = (), *, level: int = 1) -> Union:
    """Return what a panel of these gates (all by default) catches, against what independence would give."""
    some = grid.only(gates=gates)
    by_gate = shares(some, some.defects, level=level)
    rates = [_mean(caught) for caught in by_gate.values()]
    union = _mean([1 - prod(1 - p for p in caught) for caught in zip(*by_gate.values(), strict=True)])
    return Union(
        gates=some.gates,
        single=_mean(rates),
        union=union,
        independent=1 - prod(1 - p for p in rates),
        effective=effective(union, _mean(rates)),
    )


def marginal(grid: Grid, gate: str, given: Sequence[str], *, level: int = 1) -> Marginal:
    """Return what `gate` adds to a panel of `given`, on the cases that all of them judged.

    Raises `ValueError` where the defects are of fewer than two families.
    """
    some = grid.only(gates=[*given, gate]).complete()
    cost = sum(_mean([c.cost_microusd for c in some.said(case, gate)]) for case in some.cases)
    catch = _added(some, gate, given, some.defects, level)
    if catch is None:
        raise ValueError("a marginal catch needs defects of at least two families")
    more = catch.value * catch.cases
    return Marginal(
        gate=gate,
        given=tuple(given),
        catch=catch,
        refusals=_added(some, gate, given, some.rights, 1),
        cost_microusd=cost,
        cost_per_catch_microusd=cost / more if more > 0 else None,
    )


def shapley(grid: Grid, *, level: int = 1) -> dict[str, float]:
    """Return each gate's share of what all of them catch together: the mean of what it adds over all orders.

    Exact for any number of gates; the shares sum to the union.
    """
    by_gate = shares(grid, grid.defects, level=level)
    columns = list(zip(*by_gate.values(), strict=True))
    return {gate: _mean([_credit(caught, n) for caught in columns]) for n, gate in enumerate(by_gate)}


def never_caught(grid: Grid, *, level: int = 1) -> tuple[str, ...]:
    """Return the ids of the defects that no call of any gate caught."""
    return tuple(
        case.id
        for case in grid.defects
        if not any((cell := grid.cells.get((case.id, m))) is not None and cell.caught(level) for m in grid.members)
    )


def who_caught(grid: Grid, *, level: int = 1) -> Mapping[str, Mapping[str, float]]:
    """Return for each defect the share of its repeats in which each gate caught it; who said nothing is left out."""
    return {
        case.id: {gate: grid.share(case, gate, level=level) for gate in grid.gates if grid.said(case, gate)}
        for case in grid.defects
    }


def _added(grid: Grid, gate: str, given: Sequence[str], cases: Sequence[Case], level: int) -> Difference | None:
    rows = []
    for case in cases:
        missed = prod(1 - grid.share(case, other, level=level) for other in given)
        rows.append((case.family, 1 - missed * (1 - grid.share(case, gate, level=level)), 1 - missed))
    return difference(rows) if len({family for family, _, _ in rows}) > 1 else None


def _credit(caught: Sequence[float], own: int) -> float:
    """Return the mean over all orders of what gate number `own` adds on one case.

    What it adds after a set of others is p times the product of their misses; sets of one size are equally likely.
    """
    if not caught[own]:
        return 0.0
    misses = _symmetric([1 - p for n, p in enumerate(caught) if n != own])
    others = len(misses) - 1
    return caught[own] * sum(e / comb(others, k) for k, e in enumerate(misses)) / (others + 1)


def _symmetric(values: Sequence[float]) -> list[float]:
    """Return the elementary symmetric polynomials of degree 0 to n."""
    sums = [1.0]
    for value in values:
        sums = [a + value * b for a, b in zip([*sums, 0.0], [0.0, *sums], strict=True)]
    return sums


def _mean(values: Sequence[float]) -> float:
    if not values:
        raise ValueError("no case to count; take a grid that has defects")
    return sum(values) / len(values)

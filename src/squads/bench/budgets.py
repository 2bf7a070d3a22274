"""How much can be caught when only so many right cases may be refused.

The panel is chosen on the split `calibration` and reported on `test`: on the cases that chose it, the best of many
panels looks better than it is. Candidates are every set of the gates in which any may refuse, and for all of them
together every number of refusals that it may take. What is chosen catches most there without passing the budget, and of
equals it is the cheapest, then the smallest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from squads.bench.catching import at_least_k, shares
from squads.bench.figure import Figure, Rate
from squads.bench.grid import Grid
from squads.bench.panels import AtLeast, Panel, panel_grid
from squads.bench.scoring import score_of
from squads.contracts.errors import InvalidCase

BUDGETS = (0.01, 0.05, 0.10)
GATES_MAX = 12
"""Up to so many gates all sets are looked at; beyond, sets grow by the gate that adds most."""


class AtBudget(Figure):
    """The panel that a refusal budget buys."""

    budget: float
    gates: tuple[str, ...]
    """Empty where even the best single gate refuses too much: the budget buys nothing."""
    refusals: int
    """How many of them must refuse."""
    catch_calibration: float
    refused_calibration: float
    catch: Rate | None
    """On the split `test`; None where nothing was bought."""
    false_refusals: Rate | None


def budget_curve(grid: Grid, budgets: Sequence[float] = BUDGETS, *, level: int = 1) -> tuple[AtBudget, ...]:
    """Return what each budget buys, in the order of `budgets`."""
    return tuple(at_budget(grid, budget, level=level) for budget in budgets)


def at_budget(grid: Grid, budget: float, *, level: int = 1) -> AtBudget:
    """Return the panel that catches most on `calibration` with at most `budget` false refusals, measured on `test`.

    Raises `InvalidCase` where either split has no defect or no right case that all gates judged.
    """
    complete = grid.complete()
    chosen_on, told_on = complete.only(split="calibration"), complete.only(split="test")
    for split, some in (("calibration", chosen_on), ("test", told_on)):
        if not some.defects or not some.rights:
            raise InvalidCase(f"a refusal budget needs defects and right cases in the split {split!r}; one is missing")
    caught = shares(chosen_on, chosen_on.defects, level=level)
    refused = shares(chosen_on, chosen_on.rights)
    cost = {
        gate: sum(c.cost_microusd for case in chosen_on.cases for c in chosen_on.said(case, gate)) for gate in caught
    }

    def rates(gates: tuple[str, ...], refusals: int) -> tuple[float, float]:
        return _rate(caught, gates, refusals), _rate(refused, gates, refusals)

    best: tuple[tuple[float, float, int], tuple[str, ...], int] | None = None
    for gates, refusals in _candidates(complete.gates, caught):
        catch, refusal = rates(gates, refusals)
        merit = (catch, -sum(cost[gate] for gate in gates), -len(gates))
        if refusal <= budget and catch > 0 and (best is None or merit > best[0]):
            best = merit, gates, refusals
    if best is None:
        return AtBudget(
            budget=budget,
            gates=(),
            refusals=0,
            catch_calibration=0.0,
            refused_calibration=0.0,
            catch=None,
            false_refusals=None,
        )
    _, gates, refusals = best
    catch, refusal = rates(gates, refusals)
    score = score_of(_panel(told_on, gates, refusals), "panel")
    return AtBudget(
        budget=budget,
        gates=gates,
        refusals=refusals,
        catch_calibration=catch,
        refused_calibration=refusal,
        catch=(score.any_refusal, score.right_place, score.right_reason)[level - 1],
        false_refusals=score.false_refusals,
    )


def _panel(grid: Grid, gates: Sequence[str], refusals: int) -> Grid:
    """Return the grid of one panel; where gates have repeats, each repeat of the panel takes theirs of that number."""
    repeats = min(len(grid.of(gate)) for gate in gates)
    cells, members, priors, cases = {}, [], {}, grid.cases
    for repeat in range(repeats):
        panel = Panel(rule=AtLeast(refusals), members=tuple(grid.of(gate)[repeat] for gate in gates))
        made = panel_grid(grid, {"panel": panel})
        members.append(made.members[0]._replace(repeat=repeat + 1))
        cells.update({(case, members[-1]): cell for (case, _), cell in made.cells.items()})
        priors, cases = dict(made.priors), made.cases
    return Grid(cases=cases, members=tuple(members), cells=cells, priors=priors)


def _candidates(gates: Sequence[str], caught: dict[str, list[float]]) -> Iterator[tuple[tuple[str, ...], int]]:
    if len(gates) <= GATES_MAX:
        for size in range(1, len(gates) + 1):
            yield from ((chosen, 1) for chosen in combinations(gates, size))
    else:
        for first in gates:
            chosen: tuple[str, ...] = (first,)
            yield chosen, 1
            while left := [gate for gate in gates if gate not in chosen]:
                chosen = (*chosen, max(left, key=lambda gate: _rate(caught, (*chosen, gate), 1)))
                yield chosen, 1
    yield from ((tuple(gates), refusals) for refusals in range(2, len(gates) + 1))


def _rate(by_gate: dict[str, list[float]], gates: Sequence[str], refusals: int) -> float:
    columns = list(zip(*(by_gate[gate] for gate in gates), strict=True))
    return sum(at_least_k(shares, refusals) for shares in columns) / len(columns)

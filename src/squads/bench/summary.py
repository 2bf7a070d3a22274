"""All figures of one run or replay, counted once: what a report shows, a table lists and a comparison compares.

Each figure is counted from the rows alone, so whoever has the rows can count it again. What cannot be counted is left
out with the reason, and never shown as a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from squads.bench.budgets import AtBudget, budget_curve
from squads.bench.case import Case
from squads.bench.catching import Marginal, Union, catch_at_k, marginal, never_caught, shapley, union_of
from squads.bench.figure import Figure, Test
from squads.bench.grid import Grid, Member, grid_of
from squads.bench.judged import Results
from squads.bench.panels import AtLeast, Majority, Panel, Rule, panel_grid
from squads.bench.scoring import Score, Scored, score_of, scores
from squads.bench.statistics import cochran, corrected, kappa, mcnemar
from squads.contracts.errors import InvalidCase

LEVEL = 3
"""Catches are counted at level three: the right place, for the right reason."""
COMPARED_MAX = 16
"""So many gates are compared with each other: those that caught most."""


class Pairwise(Figure):
    """Two gates on the defects that both judged."""

    first: str
    second: str
    kappa: float | None
    """Agreement beyond chance on which defects are caught; None where one of them catches all or nothing."""
    test: Test
    """McNemar's exact test, corrected after Holm for all pairs here."""


class Refused(Figure):
    """A right case that was refused."""

    case: str
    gates: tuple[str, ...]


class Summary(Figure):
    """Everything that is known of a run."""

    title: str
    about: Mapping[str, str]
    cases: int
    families: int
    defects: int
    rights: int
    gates: tuple[Score, ...]
    """Each gate alone, by name."""
    panels: tuple[Score, ...]
    """All gates together, one call of each: any may refuse, two must, a majority must."""
    groups: tuple[Scored, ...]
    """The panel in which any may refuse, by split, by origin and by invariant."""
    budgets: tuple[AtBudget, ...]
    by_family: Mapping[str, Mapping[str, float | None]]
    """Family to gate to the share of its defects that were caught; None where the gate judged none."""
    together: Union | None
    catch_at_k: tuple[float, ...]
    """The mean catch of panels of 1, 2, ... gates, every choice as likely, up to `COMPARED_MAX`."""
    marginals: tuple[Marginal, ...]
    """What each gate adds to all the others, most first."""
    credit: Mapping[str, float]
    """Each gate's Shapley share of the panel's catch."""
    pairs: tuple[Pairwise, ...]
    all_alike: Test | None
    """Cochran's Q: whether the gates catch the same share."""
    never_caught: tuple[str, ...]
    wrongly_refused: tuple[Refused, ...]
    left_out: tuple[str, ...]
    """What could not be counted, and why."""


def summary_of(results: Results) -> Summary:
    """Return all figures of a run or a replay. Raises `InvalidCase` for rows that do not fit their cases."""
    if not results.judged:
        raise InvalidCase("there is no verdict in these results, so there is nothing to count")
    grid = grid_of(results)
    left_out: list[str] = []
    panel = _panels(grid, left_out)
    most = _compared(grid, left_out)
    return Summary(
        title=results.title,
        about=dict(results.about),
        cases=len(grid.cases),
        families=len({case.family for case in grid.cases}),
        defects=len(grid.defects),
        rights=len(grid.rights),
        gates=tuple(score_of(grid, gate) for gate in sorted(grid.gates)),
        panels=tuple(score_of(panel, name) for name in panel.gates) if panel else (),
        groups=_groups(panel),
        budgets=_budgets(grid, left_out),
        by_family={family: _shares(grid, cases) for family, cases in _families(grid).items()},
        together=union_of(most, level=LEVEL) if most else None,
        catch_at_k=tuple(catch_at_k(most, k, level=LEVEL) for k in range(1, len(most.gates) + 1)) if most else (),
        marginals=_marginals(most),
        credit=shapley(most, level=LEVEL) if most else {},
        pairs=_pairs(most),
        all_alike=cochran(_caught(most)) if most else None,
        never_caught=never_caught(panel, level=LEVEL) if panel else (),
        wrongly_refused=_wrong(grid),
        left_out=tuple(left_out),
    )


def _panels(grid: Grid, left_out: list[str]) -> Grid | None:
    """Return the grid of panels with one call of every gate: its first repeat."""
    members = [Member(gate, min(m.repeat for m in grid.of(gate))) for gate in grid.gates]
    whole = grid.complete(members)
    if not whole.cases:
        left_out.append("panels: no case was judged by every gate")
        return None
    if len(whole.cases) < len(grid.cases):
        left_out.append(f"panels: {len(grid.cases) - len(whole.cases)} cases that not every gate judged")
    rules: dict[str, Rule] = {"any may refuse": AtLeast(1)}
    if len(members) > 1:
        rules |= {"two must refuse": AtLeast(2)}
    if len(members) > 3:
        rules |= {"a majority must refuse": Majority()}
    return panel_grid(whole, {name: Panel(rule=rule, members=tuple(members)) for name, rule in rules.items()})


def _compared(grid: Grid, left_out: list[str]) -> Grid | None:
    """Return the grid of the gates worth comparing, on the cases that all of them judged; None below two."""
    caught = {g: sum(c.caught(LEVEL) for case in grid.defects for c in grid.said(case, g)) for g in grid.gates}
    most = sorted((g for g in caught if caught[g]), key=lambda g: (-caught[g], g))
    if len(most) < len(caught):
        left_out.append(f"comparisons: {len(caught) - len(most)} gates that caught nothing")
    if len(most) > COMPARED_MAX:
        left_out.append(f"comparisons: {len(most) - COMPARED_MAX} gates beyond the {COMPARED_MAX} that caught most")
    kept = grid.among(m for gate in most[:COMPARED_MAX] for m in grid.of(gate)).complete()
    return kept if len(most) > 1 and kept.defects else None


def _groups(panel: Grid | None) -> tuple[Scored, ...]:
    if panel is None:
        return ()
    first = panel.gates[:1]
    return tuple(
        scored
        for feature in ("split", "origin", "invariant")
        for scored in scores(panel, gates=first, by=(feature,))
        if scored.of
    )


def _budgets(grid: Grid, left_out: list[str]) -> tuple[AtBudget, ...]:
    try:
        return budget_curve(grid, level=LEVEL)
    except InvalidCase as error:
        left_out.append(f"budgets: {error}")
        return ()


def _families(grid: Grid) -> dict[str, list[Case]]:
    found: dict[str, list[Case]] = {}
    for case in grid.defects:
        found.setdefault(case.family, []).append(case)
    return found


def _shares(grid: Grid, cases: Sequence[Case]) -> dict[str, float | None]:
    shares: dict[str, float | None] = {}
    for gate in grid.gates:
        said = [cell.caught(LEVEL) for case in cases for cell in grid.said(case, gate)]
        shares[gate] = sum(said) / len(said) if said else None
    return shares


def _marginals(grid: Grid | None) -> tuple[Marginal, ...]:
    if grid is None:
        return ()
    found = (marginal(grid, g, [o for o in grid.gates if o != g], level=LEVEL) for g in grid.gates)
    return tuple(sorted(found, key=lambda m: (-m.catch.value, m.gate)))


def _caught(grid: Grid) -> list[list[bool]]:
    """Return which defects each gate caught, in its first repeat."""
    firsts = {gate: grid.of(gate)[0] for gate in grid.gates}
    return [[grid.cells[case.id, member].caught(LEVEL) for case in grid.defects] for member in firsts.values()]


def _pairs(grid: Grid | None) -> tuple[Pairwise, ...]:
    if grid is None:
        return ()
    caught = dict(zip(grid.gates, _caught(grid), strict=True))
    named = list(combinations(grid.gates, 2))
    tests = [
        mcnemar(
            sum(x and not y for x, y in zip(caught[a], caught[b], strict=True)),
            sum(y and not x for x, y in zip(caught[a], caught[b], strict=True)),
        )
        for a, b in named
    ]
    return tuple(
        Pairwise(first=a, second=b, kappa=kappa(caught[a], caught[b]), test=test)
        for (a, b), test in zip(named, corrected(tests), strict=True)
    )


def _wrong(grid: Grid) -> tuple[Refused, ...]:
    found = (
        (case.id, tuple(g for g in grid.gates if any(c.refused for c in grid.said(case, g)))) for case in grid.rights
    )
    return tuple(Refused(case=case, gates=gates) for case, gates in found if gates)

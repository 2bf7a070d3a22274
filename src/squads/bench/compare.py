"""Two runs on the same cases: what the second catches that the first did not, and what it refuses besides.

Cases are the same where a gate is shown the same bytes and the label is the same; others are counted as left out and
never compared. A gate is compared with the gate of its name, and the panel in which any may refuse with that panel.
"""

from __future__ import annotations

from collections.abc import Mapping

from squads.bench.figure import Difference, Figure, Test
from squads.bench.grid import Grid, Member, grid_of
from squads.bench.intervals import difference
from squads.bench.judged import Results
from squads.bench.panels import AtLeast, Panel, panel_grid
from squads.bench.statistics import mcnemar
from squads.contracts.errors import InvalidCase

PANEL = "any may refuse"
LEVEL = 3


class Change(Figure):
    """How one gate or panel differs between two runs; differences are the second's less the first's."""

    gate: str
    same_prior: bool
    """False where the gate itself changed, and not only what it said."""
    catch: Difference | None
    """At level three, on defects; None where they are of fewer than two families."""
    catch_test: Test
    refusals: Difference | None
    """On right cases."""
    refusals_test: Test
    caught_more: tuple[str, ...]
    caught_less: tuple[str, ...]
    refused_more: tuple[str, ...]
    """Right cases that only the second run refused."""
    refused_less: tuple[str, ...]


class Comparison(Figure):
    """Two runs, side by side."""

    first: str
    second: str
    about: tuple[Mapping[str, str], Mapping[str, str]]
    cases: int
    """Cases that are the same in both, and that were compared."""
    left_out: int
    """Cases of either run that the other does not have, or has otherwise."""
    changes: tuple[Change, ...]
    """The panel first, then every gate that is in both, by name."""
    only_first: tuple[str, ...]
    """Gates that only the first run has."""
    only_second: tuple[str, ...]


def compare(first: Results, second: Results) -> Comparison:
    """Return how `second` differs from `first`. Raises `InvalidCase` where they share no case or no gate."""
    grids = grid_of(first), grid_of(second)
    known = [{(case.id, case.digest, case.label) for case in grid.cases} for grid in grids]
    same = {key[0] for key in known[0] & known[1]}
    if not same:
        raise InvalidCase(f"{first.title!r} and {second.title!r} share no case, so nothing can be compared")
    one, two = (_with_panel(grid.where(lambda case: case.id in same)) for grid in grids)
    both = [gate for gate in one.gates if gate in two.gates]
    return Comparison(
        first=first.title,
        second=second.title,
        about=(dict(first.about), dict(second.about)),
        cases=len(same),
        left_out=len(known[0] | known[1]) - len(same),
        changes=tuple(_change(one, two, gate) for gate in sorted(both, key=lambda g: (g != PANEL, g))),
        only_first=tuple(sorted(set(one.gates) - set(two.gates))),
        only_second=tuple(sorted(set(two.gates) - set(one.gates))),
    )


def _with_panel(grid: Grid) -> Grid:
    """Return the grid with the panel of all gates, one call of each, as a further gate."""
    members = [grid.of(gate)[0] for gate in grid.gates]
    whole = grid.complete(members)
    panel = panel_grid(whole, {PANEL: Panel(rule=AtLeast(1), members=tuple(members))})
    return Grid(
        cases=grid.cases,
        members=(Member(PANEL), *grid.members),
        cells={**grid.cells, **panel.cells},
        priors={**grid.priors, **panel.priors},
    )


def _change(one: Grid, two: Grid, gate: str) -> Change:
    defects = {
        case.id: (case.family, _share(one, case.id, gate, LEVEL), _share(two, case.id, gate, LEVEL))
        for case in one.defects
    }
    rights = {
        case.id: (case.family, _share(one, case.id, gate, 0), _share(two, case.id, gate, 0)) for case in one.rights
    }
    caught = _moved(defects)
    refused = _moved(rights)
    return Change(
        gate=gate,
        same_prior=one.priors.get(gate) == two.priors.get(gate),
        catch=_difference(defects),
        catch_test=mcnemar(len(caught[0]), len(caught[1])),
        refusals=_difference(rights),
        refusals_test=mcnemar(len(refused[0]), len(refused[1])),
        caught_more=caught[0],
        caught_less=caught[1],
        refused_more=refused[0],
        refused_less=refused[1],
    )


def _share(grid: Grid, case: str, gate: str, level: int) -> float | None:
    """Return the share of repeats that caught a case, or with level 0 that refused it; None where nobody judged it."""
    said = [cell for m in grid.of(gate) if (cell := grid.cells.get((case, m))) is not None]
    if not said:
        return None
    return sum(cell.caught(level) if level else cell.refused for cell in said) / len(said)


def _moved(shares: Mapping[str, tuple[str, float | None, float | None]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the cases on which the second has more, and less: for McNemar each is one vote."""
    both = [(case, a, b) for case, (_, a, b) in sorted(shares.items()) if a is not None and b is not None]
    return tuple(c for c, a, b in both if b > a), tuple(c for c, a, b in both if b < a)


def _difference(shares: Mapping[str, tuple[str, float | None, float | None]]) -> Difference | None:
    rows = [(family, b, a) for family, a, b in shares.values() if a is not None and b is not None]
    return difference(rows) if len({family for family, _, _ in rows}) > 1 else None

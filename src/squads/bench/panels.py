"""What panels would have said, from what their members said: rules applied to rows after the fact.

Every rule is a sum of weights against a threshold. A member that abstained or failed might have refused, so a panel
that would refuse with its weight, and does not without it, could not look: it fails or abstains itself. Such a panel
lets nothing through in a squad, and has caught nothing here.

    panels = panel_grid(grid, {"either": Panel(rule=AtLeast(1), members=(Member("bandit"), Member("semgrep")))})
    score_of(panels, "either")
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from squads.bench.grid import Cell, Grid, Member
from squads.bench.judged import Decision, Hit
from squads.contracts.errors import InvalidCase


@dataclass(frozen=True)
class AtLeast:
    """Refuses where at least `refusals` members do; one of them is a veto of everybody."""

    refusals: int = 1

    def weight(self, gate: str) -> float:
        """1 for every member."""
        return 1.0

    def threshold(self, members: int) -> float:
        """How many must refuse."""
        return self.refusals


@dataclass(frozen=True)
class Majority:
    """Refuses where more than half of the members do."""

    def weight(self, gate: str) -> float:
        """1 for every member."""
        return 1.0

    def threshold(self, members: int) -> float:
        """More than half."""
        return members // 2 + 1


@dataclass(frozen=True)
class Weighted:
    """Refuses where the weights of those who do reach `limit`; a gate without a weight has none."""

    weights: Mapping[str, float]
    limit: float

    def weight(self, gate: str) -> float:
        """The gate's weight."""
        return self.weights.get(gate, 0.0)

    def threshold(self, members: int) -> float:
        """The limit."""
        return self.limit


@dataclass(frozen=True)
class Veto:
    """Refuses where one of `gates` does, or at least `refusals` of the members."""

    gates: frozenset[str]
    refusals: int

    def weight(self, gate: str) -> float:
        """1, or enough alone."""
        return float(self.refusals) if gate in self.gates else 1.0

    def threshold(self, members: int) -> float:
        """How many must refuse who have no veto."""
        return self.refusals


@dataclass(frozen=True)
class Cascade:
    """Asks one member after the other and stops at the first refusal: what was not asked costs nothing."""

    def weight(self, gate: str) -> float:
        """1 for every member."""
        return 1.0

    def threshold(self, members: int) -> float:
        """One refusal is enough."""
        return 1.0


Rule = AtLeast | Majority | Weighted | Veto | Cascade


@dataclass(frozen=True)
class Panel:
    """A rule and the members it asks, in the order in which a cascade asks them."""

    rule: Rule = field(default_factory=AtLeast)
    members: tuple[Member, ...] = ()


def decide(rule: Rule, said: Sequence[tuple[str, Cell]]) -> Cell:
    """Return what a panel says, from what its members said: (gate, cell), in order.

    Its hit is the best of those that refused, its cost the sum over those that were asked, and its time that of the
    slowest, or in a cascade of all who were asked. Raises `ValueError` for a panel of nobody.
    """
    if not said:
        raise ValueError("a panel of nobody refuses everything; give it a member")
    if isinstance(rule, Cascade):
        last = next((n for n, (_, cell) in enumerate(said, 1) if cell.refused), len(said))
        said = said[:last]
    refusing = sum(rule.weight(gate) for gate, cell in said if cell.refused)
    unknown = [(gate, cell) for gate, cell in said if cell.decision in ("abstained", "error")]
    threshold = rule.threshold(len(said))
    decision: Decision = "approved"
    if refusing >= threshold:
        decision = "refused"
    elif refusing + sum(rule.weight(gate) for gate, _ in unknown) >= threshold:
        decision = "error" if any(cell.decision == "error" for _, cell in unknown) else "abstained"
    hits = [cell.hit for _, cell in said if cell.refused] if decision == "refused" else []
    waits = [cell.wait_ms for _, cell in said]
    return Cell(
        decision=decision,
        hit=max(hits, key=lambda hit: hit.level, default=Hit.MISSED),
        cost_microusd=sum(cell.cost_microusd for _, cell in said),
        wait_ms=sum(waits) if isinstance(rule, Cascade) else max(waits),
        looked=any(cell.looked for _, cell in said),
    )


def panel_grid(grid: Grid, panels: Mapping[str, Panel]) -> Grid:
    """Return a grid in which each panel is a gate, on the cases that all members of all panels judged.

    Raises `InvalidCase` for a member that is not in the grid.
    """
    needed = dict.fromkeys(member for panel in panels.values() for member in panel.members)
    if missing := [member for member in needed if member not in set(grid.members)]:
        known = ", ".join(f"{m.gate} {m.repeat}" for m in grid.members)
        raise InvalidCase(f"no verdict of {missing[0].gate}, repeat {missing[0].repeat}; known: {known}")
    common = grid.complete(needed)
    cells = {
        (case.id, Member(name)): decide(panel.rule, [(m.gate, grid.cells[case.id, m]) for m in panel.members])
        for name, panel in panels.items()
        for case in common.cases
    }
    priors = {name: "+".join(sorted({grid.priors[m.gate] for m in panel.members})) for name, panel in panels.items()}
    return Grid(cases=common.cases, members=tuple(Member(name) for name in panels), cells=cells, priors=priors)

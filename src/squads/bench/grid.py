"""Who said what of which case: the view of results that all figures read.

A member is one call of one gate: its name and its repeat. A cell is what a member said of a case. A member that said
nothing of a case has no cell there, and no figure takes that for a miss or for a pass: panels are compared on cases
that all their members judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from squads.bench.case import Case, Origin, Split
from squads.bench.judged import SLACK_LINES, Decision, Hit, Judged, Results, hit_of
from squads.contracts.errors import InvalidCase


class Member(NamedTuple):
    """One call of one gate."""

    gate: str
    repeat: int = 1


class Cell(NamedTuple):
    """What a member said of a case."""

    decision: Decision
    hit: Hit = Hit.MISSED
    """How right it is as a refusal of a defect; `missed` for whatever is no refusal."""
    cost_microusd: int = 0
    wait_ms: int = 0
    looked: bool = True
    """Whether it read anything; an approval of nothing that was read is no look."""

    def caught(self, level: int) -> bool:
        """Return whether it refuses, right at least at `level`; who abstained or failed has caught nothing."""
        return self.hit.level >= level

    @property
    def refused(self) -> bool:
        """Whether it refuses."""
        return self.decision == "refused"


@dataclass(frozen=True)
class Grid:
    """Cases by members."""

    cases: tuple[Case, ...]
    members: tuple[Member, ...]
    cells: Mapping[tuple[str, Member], Cell]
    """By case id and member."""
    priors: Mapping[str, str]
    """Gate to the digest of its prior."""
    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Gate to its levels of the factors, where they were recorded."""

    def __post_init__(self) -> None:
        if len({case.id for case in self.cases}) != len(self.cases):
            raise InvalidCase("two cases of these results have the same id, so verdicts cannot be told apart")

    @cached_property
    def gates(self) -> tuple[str, ...]:
        """Every gate, in the order of its first member."""
        return tuple(dict.fromkeys(member.gate for member in self.members))

    @cached_property
    def _by_gate(self) -> dict[str, tuple[Member, ...]]:
        return {gate: tuple(m for m in self.members if m.gate == gate) for gate in self.gates}

    @cached_property
    def defects(self) -> tuple[Case, ...]:
        """The cases that a gate must refuse."""
        return tuple(case for case in self.cases if case.label.broken)

    @cached_property
    def rights(self) -> tuple[Case, ...]:
        """The cases that a gate must let through."""
        return tuple(case for case in self.cases if not case.label.broken)

    def of(self, gate: str) -> tuple[Member, ...]:
        """Return the members that are calls of one gate. Raises `InvalidCase` for a gate that is not here."""
        members = self._by_gate.get(gate)
        if members is None:
            raise InvalidCase(f"no verdict of a gate called {gate!r}; known: {', '.join(self.gates)}")
        return members

    def said(self, case: Case, gate: str) -> tuple[Cell, ...]:
        """Return what a gate said of a case, by repeat; empty where it said nothing."""
        return tuple(c for m in self.of(gate) if (c := self.cells.get((case.id, m))) is not None)

    def share(self, case: Case, gate: str, *, level: int = 1) -> float:
        """Return in which share of its repeats a gate caught a case. Raises `InvalidCase` where it said nothing."""
        said = self.said(case, gate)
        if not said:
            raise InvalidCase(f"{gate} said nothing of {case.id}; take `complete` cases first")
        return sum(cell.caught(level) for cell in said) / len(said)

    def where(self, keep: Callable[[Case], bool]) -> Grid:
        """Return the grid of some of the cases."""
        return replace(self, cases=tuple(filter(keep, self.cases)))

    def only(
        self,
        *,
        split: Split | None = None,
        origin: Origin | None = None,
        invariant: str | None = None,
        language: str | None = None,
        gates: Sequence[str] = (),
    ) -> Grid:
        """Return the grid of the cases that are all of this, and of some gates; what is left out is not asked."""
        kept = self.where(
            lambda case: (
                split in (None, case.split)
                and origin in (None, case.origin)
                and invariant in (None, case.invariant)
                and language in (None, case.language)
            )
        )
        return kept.among([m for gate in gates for m in self.of(gate)]) if gates else kept

    def among(self, members: Iterable[Member]) -> Grid:
        """Return the grid of some members."""
        return replace(self, members=tuple(members))

    def complete(self, members: Iterable[Member] | None = None) -> Grid:
        """Return the grid of these members (all by default), on the cases that every one of them judged."""
        kept = self.among(self.members if members is None else members)
        return kept.where(lambda case: all((case.id, member) in kept.cells for member in kept.members))

    def looked(self) -> Grid:
        """Return the grid of the cases on which no member failed or abstained: of reports that are really there."""
        return self.complete().where(
            lambda case: all(self.cells[case.id, m].decision in ("refused", "approved") for m in self.members)
        )

    def matrix(self, cases: Sequence[Case], *, level: int = 1) -> list[list[bool]]:
        """Return for each member, in order, which of the cases it caught; on right cases take level 1."""
        return [[self.cells[case.id, member].caught(level) for case in cases] for member in self.members]


def grid_of(results: Results, *, slack_lines: int | None = None) -> Grid:
    """Return the grid of a run or a replay.

    `slack_lines` is how far beside a place a finding may point; by default what the results say under that name, else
    that of `hit_of`. A gate that was run at several levels of a factor is several gates here, called
    `gate[factor=level]`. Raises `InvalidCase` for a verdict on a case that is not there, or a second one of a call.
    """
    slack = int(results.about.get("slack_lines", SLACK_LINES)) if slack_lines is None else slack_lines
    cases = {case.id: case for case in results.cases}
    named = _names(results.judged)
    cells: dict[tuple[str, Member], Cell] = {}
    priors: dict[str, str] = {}
    factors: dict[str, Mapping[str, str]] = {}
    for row, gate in zip(results.judged, named, strict=True):
        if row.case not in cases:
            raise InvalidCase(f"{row.gate} judged {row.case}, which is not among the cases of these results")
        place = (row.case, Member(gate, row.repeat))
        if place in cells:
            raise InvalidCase(f"{gate} judged {row.case} twice in repeat {row.repeat}; results hold each call once")
        cells[place] = _cell(cases[row.case], row, slack)
        priors[gate], factors[gate] = row.prior, row.factors
    members = tuple(sorted({member for _, member in cells}))
    return Grid(cases=results.cases, members=members, cells=cells, priors=priors, factors=factors)


def _names(judged: Sequence[Judged]) -> list[str]:
    levels: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in judged:
        for factor, level in row.factors.items():
            levels[row.gate, factor].add(level)
    names = []
    for row in judged:
        told = [f"{f}={level}" for f, level in sorted(row.factors.items()) if len(levels[row.gate, f]) > 1]
        names.append(f"{row.gate}[{','.join(told)}]" if told else row.gate)
    return names


def _cell(case: Case, row: Judged, slack: int) -> Cell:
    if row.decision != "refused":
        hit = Hit.MISSED
    else:  # on a right case there is no place to be right about: a refusal is a refusal
        hit = hit_of(case, row, slack_lines=slack) if case.label.broken else Hit.REFUSED
    return Cell(
        decision=row.decision,
        hit=hit,
        cost_microusd=row.cost_microusd,
        wait_ms=row.wait_ms,
        looked=row.looked > 0 or row.decision == "refused",
    )

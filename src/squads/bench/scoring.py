"""How good one gate or panel is: what it refuses and lets through, kept apart in every way that changes its meaning.

Scoring is strict. On a defect only a refusal counts: abstaining and failing are misses, and are told apart beside them.
On a right case only a refusal is a false refusal: abstaining and failing are none, and are told apart too. A case on
which a gate has no verdict is not counted at all. Catch rates are over defects and cosmetic fixes, false refusals over
clean twins and decoys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Literal

from squads.bench.case import Case, Label
from squads.bench.figure import Figure, Rate, Test
from squads.bench.grid import Cell, Grid, grid_of
from squads.bench.intervals import rate
from squads.bench.judged import Results
from squads.bench.statistics import balanced_accuracy, matthews, mcnemar, youden

Feature = Literal["split", "origin", "invariant", "language", "kind"]


class Counts(Figure):
    """Verdicts by decision."""

    rows: int
    refused: int
    approved: int
    unread: int
    """Of those approved, how many without reading anything."""
    abstained: int
    errors: int


class Pairs(Figure):
    """How a gate tells twins apart: each defect or cosmetic fix with each right variant of its family.

    Where right variants have the defect's own word, as `clean-003` has that of `defect-003`, it is paired with those.
    """

    pairs: int
    told_apart: int
    """The defect refused and its twin let through: P-C."""
    both_refused: int
    """P-V."""
    both_passed: int
    """P-B; abstaining from either counts as letting it pass, and not as telling it apart."""
    reversed: int
    """The defect let through and its twin refused: P-R."""
    told_apart_rate: Rate
    test: Test
    """McNemar's: whether it refuses defects more often than their twins."""


class Score(Figure):
    """Everything about one gate or panel on some cases."""

    gate: str
    prior: str
    repeats: int
    defects: Counts
    rights: Counts
    any_refusal: Rate
    """Level one."""
    right_place: Rate
    """Level two."""
    right_reason: Rate
    """Level three: what a person who reads the finding can act on."""
    on_cosmetic: Rate
    """Level three, cosmetic fixes only."""
    false_refusals: Rate
    on_clean: Rate
    on_decoy: Rate
    youden: float | None
    """Level-one catch less false refusals."""
    balanced_accuracy: float | None
    matthews: float | None
    pairs: Pairs
    cost_microusd: int
    wait_ms: int
    cost_per_catch_microusd: float | None
    """Over level-three catches; None where there are none."""


class Scored(Figure):
    """A score with what its cases have in common."""

    of: Mapping[str, str]
    """Such as `split` to `test`; empty for all cases."""
    score: Score


def scores(results: Results | Grid, *, gates: Sequence[str] = (), by: Sequence[Feature] = ()) -> tuple[Scored, ...]:
    """Return the score of every gate (or these), on all cases, and apart for every combination of what `by` names.

    `by=("split", "origin")` keeps the held-out split apart, and planted defects apart from real ones.
    """
    grid = grid_of(results) if isinstance(results, Results) else results
    named = gates or grid.gates
    groups: list[tuple[dict[str, str], Grid]] = [({}, grid)]
    levels = [sorted({str(getattr(case, feature)) for case in grid.cases}) for feature in by]
    for chosen in product(*levels) if by else ():
        of: dict[str, str] = dict(zip(by, chosen, strict=True))
        some = grid.where(lambda case, of=of: _is(case, of))  # type: ignore[misc]
        if some.cases:
            groups.append((of, some))
    return tuple(Scored(of=of, score=score_of(some, gate)) for of, some in groups for gate in named)


def score_of(grid: Grid, gate: str) -> Score:
    """Return the score of one gate or panel. Raises `InvalidCase` for one that the grid does not have."""
    defects = _rows(grid, gate, grid.defects)
    rights = _rows(grid, gate, grid.rights)
    levels = [_rate((case, cell.caught(level)) for case, cell in defects) for level in (1, 2, 3)]
    false = _rate((case, cell.refused) for case, cell in rights)
    both = [*defects, *rights]
    cost = sum(cell.cost_microusd for _, cell in both)
    truth, said = [case.label.broken for case, _ in both], [cell.refused for _, cell in both]
    caught, refused = levels[0].value, false.value
    return Score(
        gate=gate,
        prior=grid.priors.get(gate, ""),
        repeats=len(grid.of(gate)),
        defects=_counts(defects),
        rights=_counts(rights),
        any_refusal=levels[0],
        right_place=levels[1],
        right_reason=levels[2],
        on_cosmetic=_rate((case, cell.caught(3)) for case, cell in defects if case.label is Label.COSMETIC),
        false_refusals=false,
        on_clean=_rate((case, cell.refused) for case, cell in rights if case.label is Label.CLEAN),
        on_decoy=_rate((case, cell.refused) for case, cell in rights if case.label is Label.DECOY),
        youden=None if caught is None or refused is None else youden(caught, refused),
        balanced_accuracy=balanced_accuracy(truth, said),
        matthews=matthews(truth, said),
        pairs=_pairs(grid, gate),
        cost_microusd=cost,
        wait_ms=sum(cell.wait_ms for _, cell in both),
        cost_per_catch_microusd=cost / levels[2].hits if levels[2].hits else None,
    )


def _rows(grid: Grid, gate: str, cases: Iterable[Case]) -> list[tuple[Case, Cell]]:
    return [(case, cell) for case in cases for cell in grid.said(case, gate)]


def _rate(rows: Iterable[tuple[Case, bool]]) -> Rate:
    return rate((case.family, case.id, hit) for case, hit in rows)


def _counts(rows: Sequence[tuple[Case, Cell]]) -> Counts:
    said = [cell.decision for _, cell in rows]
    return Counts(
        rows=len(rows),
        refused=said.count("refused"),
        approved=said.count("approved"),
        unread=sum(cell.decision == "approved" and not cell.looked for _, cell in rows),
        abstained=said.count("abstained"),
        errors=said.count("error"),
    )


def _pairs(grid: Grid, gate: str) -> Pairs:
    """Pair the variants of each family, repeat by repeat."""
    families: dict[str, tuple[list[Case], list[Case]]] = {}
    for case in grid.cases:
        families.setdefault(case.family, ([], []))[0 if case.label.broken else 1].append(case)
    outcomes: list[tuple[str, str, bool, bool, bool]] = []
    for family, (broken, right) in families.items():
        twins = [(defect, twin) for defect in broken for twin in _twins_of(defect, right)]
        for (defect, twin), member in product(twins, grid.of(gate)):
            first, second = grid.cells.get((defect.id, member)), grid.cells.get((twin.id, member))
            if first is not None and second is not None:
                told = first.refused and second.decision == "approved"
                outcomes.append((family, f"{defect.id} {twin.id}", first.refused, second.refused, told))
    reversals = sum(second and not first for _, _, first, second, _ in outcomes)
    right_way = sum(first and not second for _, _, first, second, _ in outcomes)
    return Pairs(
        pairs=len(outcomes),
        told_apart=sum(told for *_, told in outcomes),
        both_refused=sum(first and second for _, _, first, second, _ in outcomes),
        both_passed=sum(not second and not told for _, _, _, second, told in outcomes),
        reversed=reversals,
        told_apart_rate=rate((family, pair, told) for family, pair, _, _, told in outcomes),
        test=mcnemar(right_way, reversals),
    )


def _twins_of(defect: Case, right: Sequence[Case]) -> Sequence[Case]:
    """Return the right variants with the defect's own word (`clean-003` of `defect-003`), or all where none has it."""
    word = defect.variant.partition("-")[2]
    return [case for case in right if word and case.variant.partition("-")[2] == word] or right


def _is(case: Case, of: Mapping[str, str]) -> bool:
    return all(str(getattr(case, feature)) == level for feature, level in of.items())

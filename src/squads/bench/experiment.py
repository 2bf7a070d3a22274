"""A ready-made experiment: do gates of distinct priors see more together than as many readings by one prior?

The design is a square. Each of k priors judges every case k times. A row of the square is k readings by one prior, a
column one reading by each; both use every reading exactly once, so the two sides have the same calls, the same gates
and the same strength, and differ in nothing but who sits together. Any member may refuse.

What is compared, by which tests, and what power it has is written into the run's manifest before the first verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from squads.bench.arms import Arm, Context, arms_of
from squads.bench.case import Case
from squads.bench.figure import Difference, Figure, Test
from squads.bench.folder import RunFolder
from squads.bench.grid import Grid, Member, grid_of
from squads.bench.intervals import difference
from squads.bench.judged import Results
from squads.bench.manifest import Contrast
from squads.bench.panels import AtLeast, Panel, panel_grid
from squads.bench.run import run
from squads.bench.statistics import cases_needed, corrected, mcnemar, mcnemar_power
from squads.contracts.errors import InvalidInput

CATCH, FALSE = "catch", "false-refusals"
LEVELS = {1: "any refusal", 2: "the right place", 3: "the right reason in the right place"}
DISCORDANT, SHARE, POWER = 0.2, 0.75, 0.8
"""What the power note assumes where nobody says: panels differ on a fifth of the defects, three to one."""
_QUESTIONS = {
    CATCH: "Do {calls} gates of distinct priors catch more defects than {calls} readings by one prior?",
    FALSE: "Do they refuse more of what is right?",
}


class Compared(Figure):
    """One side against the other, on the same cases."""

    of: str
    """What is compared: a level of hits on defects, or refusals of what is right."""
    difference: Difference | None
    """Distinct minus same, by family; None where there are not two families."""
    tests: Mapping[str, Test]
    """By prior: its panel against the panel of distinct priors that holds its reading of the same number."""


class Experiment(Figure):
    """What came of it."""

    run: str
    priors: tuple[str, ...]
    calls: int
    """Gate calls for each case on either side."""
    catch: tuple[Compared, ...]
    """On defects, by hit level 1 to 3."""
    false_refusals: Compared
    author: Mapping[str, Compared]
    """The factor author relation: for each level, gates of that level against those of all others, on defects at level
    1; empty where nobody said who made the cases, or all gates are equally far."""
    incomplete: int
    """Cases that some reading is missing of, or that was no verdict in all: left out, and counted here."""
    power: str


def square(priors: Sequence[Arm]) -> list[Arm]:
    """Return the arms of the square: each prior as often as there are priors."""
    return [
        Arm(f"{arm.name}.{number}", arm.gate, {**arm.factors, "prior": arm.name})
        for arm in priors
        for number in range(1, len(priors) + 1)
    ]


def panels_of(priors: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the panels of the square: `same <prior>` for its rows, `distinct <number>` for its columns."""
    numbers = range(1, len(priors) + 1)
    rows = {f"same {prior}": tuple(f"{prior}.{n}" for n in numbers) for prior in priors}
    return rows | {f"distinct {n}": tuple(f"{prior}.{n}" for prior in priors) for n in numbers}


def registered(
    cases: Sequence[Case], priors: Sequence[str], *, discordant: float = DISCORDANT, share: float = SHARE
) -> tuple[Contrast, ...]:
    """Return the contrasts that are written down before the run, with what power they have."""
    panels, calls = panels_of(priors), len(priors)
    tests = ("difference of means over panels, clustered by family", "McNemar's exact test by prior, Holm")
    said = {
        CATCH: power_note(sum(c.label.broken for c in cases), discordant=discordant, share=share),
        FALSE: power_note(sum(not c.label.broken for c in cases), discordant=discordant, share=share),
    }
    return tuple(
        Contrast(name=name, question=q.format(calls=calls), panels=panels, tests=tests, calls=calls, note=said[name])
        for name, q in _QUESTIONS.items()
    )


def power_note(cases: int, *, discordant: float = DISCORDANT, share: float = SHARE) -> str:
    """Return what a comparison on so many cases can find, as a sentence."""
    power = mcnemar_power(cases, discordant=discordant, share=share) if cases else 0.0
    needed = cases_needed(discordant=discordant, share=share, power=POWER)
    return (
        f"{cases} cases: where two panels differ on {discordant:.0%} of them, {share:.0%} of those one way, McNemar's "
        f"exact test finds it with power {power:.2f}; {POWER:.2f} needs {needed} cases"
    )


async def same_prior_against_distinct(
    cases: Sequence[Case],
    priors: Sequence[Any],
    out: Path | str,
    *,
    author: str | None = None,
    discordant: float = DISCORDANT,
    share: float = SHARE,
    **options: Any,
) -> Experiment:
    """Run the square over the cases, and return what came of it; the run stands in the folder `out`.

    Args:
        cases: Defects and their clean twins.
        priors: Two or more gates or arms, each of another prior.
        out: The run's folder, new or of the same experiment.
        author: The model that made the cases, as `provider:name`; the author relation is then a factor.
        discordant: For the power note: the share of cases on which two panels are expected to differ.
        share: And how many of those go one way.
        options: As for `squads.bench.run.run`.

    Raises:
        InvalidInput: For fewer than two priors, or two gates of the same one.
    """
    arms = arms_of(priors)
    _check(arms)
    names = [arm.name for arm in arms]
    context = Context(author=author)
    options.setdefault("title", f"one prior against {len(names)} distinct ones: {', '.join(names)}")
    contrasts = registered(cases, names, discordant=discordant, share=share)
    results = await run(cases, square(arms), out, contexts=(context,), contrasts=contrasts, **options)
    return experiment_of(results, names, run=str(out), power=contrasts[0].note)


def read_experiment(folder: Path | str) -> Experiment:
    """Return what came of an experiment that was run before. Raises `InvalidInput` for a run that is none."""
    found = RunFolder(folder)
    contrast = next((c for c in found.manifest().contrasts if c.name == CATCH), None)
    if contrast is None:
        raise InvalidInput(f"the run in {found.path} has no contrast {CATCH!r}: it was no comparison of priors")
    names = list(dict.fromkeys(gate.factors["prior"] for gate in found.manifest().gates))
    return experiment_of(found.results(), names, run=str(folder), power=contrast.note)


def experiment_of(results: Results, priors: Sequence[str], *, run: str = "", power: str = "") -> Experiment:
    """Return the comparisons from rows, on the cases of which every reading is there."""
    grid = grid_of(results)
    repeats = sorted({row.repeat for row in results.judged})
    panels = {
        f"{name} {repeat}": Panel(AtLeast(), tuple(Member(gate, repeat) for gate in gates))
        for name, gates in panels_of(priors).items()
        for repeat in repeats
    }
    seen = panel_grid(grid, panels)
    return Experiment(
        run=run,
        priors=tuple(priors),
        calls=len(priors),
        catch=tuple(_compared(seen, priors, repeats, level=level) for level in LEVELS),
        false_refusals=_compared(seen, priors, repeats, level=0),
        author=_by_author(grid, results),
        incomplete=len(results.cases) - len(seen.cases),
        power=power,
    )


def _compared(seen: Grid, priors: Sequence[str], repeats: Sequence[int], *, level: int) -> Compared:
    """Compare rows with columns of the square: on defects at a hit level, or with level 0 on what is right."""
    cases = seen.defects if level else seen.rights

    def caught(case: Case, panel: str) -> bool:
        cell = seen.said(case, panel)[0]
        return cell.caught(level) if level else cell.refused

    same = [f"same {prior} {r}" for prior in priors for r in repeats]
    distinct = [f"distinct {n} {r}" for n in range(1, len(priors) + 1) for r in repeats]
    rows = [(c.family, _mean(caught(c, p) for p in distinct), _mean(caught(c, p) for p in same)) for c in cases]
    tests = []
    for number, prior in enumerate(priors, 1):
        pair = [(caught(c, f"distinct {number} {repeats[0]}"), caught(c, f"same {prior} {repeats[0]}")) for c in cases]
        tests.append(mcnemar(pair.count((True, False)), pair.count((False, True))))
    return Compared(
        of=LEVELS.get(level, "refusals of what is right"),
        difference=_difference(rows),
        tests=dict(zip(priors, corrected(tests), strict=True)),
    )


def _by_author(grid: Grid, results: Results) -> dict[str, Compared]:
    """Compare gates that are as far from the cases' maker as each level says with all others, on defects."""
    levels: dict[str, str] = {row.gate: row.factors["author"] for row in results.judged if "author" in row.factors}
    found = {}
    for level in sorted(set(levels.values())) if len(set(levels.values())) > 1 else ():
        near = [gate for gate in grid.gates if levels.get(gate) == level]
        far = [gate for gate in grid.gates if gate not in near]
        rows = [(c.family, _share(grid, c, near), _share(grid, c, far)) for c in grid.complete().defects]
        found[level] = Compared(of=f"author relation {level!r}: any refusal", difference=_difference(rows), tests={})
    return found


def _share(grid: Grid, case: Case, gates: Sequence[str]) -> float:
    return _mean(grid.share(case, gate) for gate in gates)


def _difference(rows: Sequence[tuple[str, float, float]]) -> Difference | None:
    return difference(rows) if len({family for family, _, _ in rows}) > 1 else None


def _mean(values: Any) -> float:
    listed = [float(v) for v in values]
    return sum(listed) / len(listed)


def _check(arms: Sequence[Arm]) -> None:
    from squads.bench.arms import seats
    from squads.resolve import prior_of

    if len(arms) < 2:
        raise InvalidInput("one prior is compared with distinct ones; give at least two gates of different priors")
    priors: dict[str, str] = {}
    for name, gate in seats(arms).items():
        other = priors.setdefault(prior_of(gate), name)
        if other != name:
            raise InvalidInput(f"{other!r} and {name!r} bring the very same prior; give one another prior or model")

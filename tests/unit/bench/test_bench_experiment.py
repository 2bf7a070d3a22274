"""The ready-made experiment has the same calls on both sides, and is written down before it is run."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench_scene import RULE, Words, ran, some

from squads.bench.arms import Arm
from squads.bench.checking import check_run
from squads.bench.experiment import (
    experiment_of,
    panels_of,
    power_note,
    read_experiment,
    registered,
    same_prior_against_distinct,
    square,
)
from squads.bench.folder import RunFolder
from squads.bench.judged import Found, Judged, Results
from squads.contracts.errors import InvalidInput

PRIORS = ("a", "b", "c")


def test_both_sides_use_every_reading_exactly_once() -> None:
    """Rows and columns of one square: equal calls, the same gates, and nothing else differs."""
    arms = {arm.name for arm in square([Arm(name, Words()) for name in PRIORS])}
    panels = panels_of(PRIORS)

    for side in ("same", "distinct"):
        seats = [gate for name, gates in panels.items() if name.startswith(side) for gate in gates]
        assert (9, arms) == (len(seats), set(seats))
    assert {3} == {len(gates) for gates in panels.values()}
    assert all(len({gate[0] for gate in panels[f"distinct {n}"]}) == 3 for n in (1, 2, 3))


def test_the_comparison_is_written_down_with_its_power() -> None:
    """Two contrasts, on defects and on what is right, each with panels, tests, calls and a power note."""
    contrasts = registered(some(50), PRIORS)

    assert ["catch", "false-refusals"] == [c.name for c in contrasts]
    assert all(c.calls == 3 and c.panels == panels_of(PRIORS) and "Holm" in c.tests[1] for c in contrasts)
    assert contrasts[0].note.startswith("50 cases: where two panels differ on 20% of them")
    assert "power 0.54" in power_note(100)


async def test_a_run_of_the_experiment_can_be_read_and_checked(tmp_path: Path) -> None:
    """Two priors that see different halves of the defects catch all together, and half each: read again it is so."""
    cases = some(2)
    halves = [c.but(files={"a.sql": c.files["a.sql"].replace("leaky", "draughty")}) for c in cases[2:]]
    gates = [Words("leaky", name="leak"), Words("draughty", name="draught")]
    found = await same_prior_against_distinct([*cases[:2], *halves], gates, tmp_path / "run", keys=tmp_path / "keys")

    caught, wrongly = found.catch[2].difference, found.false_refusals.difference
    assert caught is not None
    assert wrongly is not None
    assert (1.0, 0.5, 0.0) == (caught.first, caught.second, wrongly.value)
    assert (2, 0) == (found.calls, found.incomplete)
    assert {"leak", "draught"} == set(found.catch[0].tests)
    assert found == read_experiment(tmp_path / "run")
    assert "catch" in [c.name for c in RunFolder(tmp_path / "run").manifest().contrasts]
    assert () == check_run(tmp_path / "run").failed


def test_the_author_relation_is_a_factor() -> None:
    """Gates of the maker's own model are compared with all others, on the same defects."""
    cases = tuple(some(3))
    judged = tuple(
        Judged(
            case=case.id,
            gate=gate,
            factors={"author": "prior" if gate.startswith("a") else "family"},
            decision="refused" if gate.startswith("b") and case.label.broken else "approved",
            found=(Found(invariant=RULE, path="a.sql", line=2),) if gate.startswith("b") and case.label.broken else (),
        )
        for case in cases
        for gate in ("a.1", "a.2", "b.1", "b.2")
    )
    found = experiment_of(Results(title="t", cases=cases, judged=judged), ("a", "b"))

    assert {"family", "prior"} == set(found.author)
    near = found.author["prior"].difference
    assert near is not None
    assert (0.0, 1.0, -1.0) == (near.first, near.second, near.value)


async def test_one_prior_alone_is_no_comparison(tmp_path: Path) -> None:
    """Nor are two gates of the very same prior."""
    with pytest.raises(InvalidInput, match="at least two"):
        await same_prior_against_distinct(some(1), [Words(name="one")], tmp_path / "run")
    with pytest.raises(InvalidInput, match="very same prior"):
        await same_prior_against_distinct(some(1), [Words(name="one"), Words(name="two")], tmp_path / "run")


def test_another_run_is_not_read_as_an_experiment(tmp_path: Path) -> None:
    """It has no such contrast."""
    ran(some(1), [Words(name="words")], tmp_path / "run")

    with pytest.raises(InvalidInput, match="no contrast"):
        read_experiment(tmp_path / "run")

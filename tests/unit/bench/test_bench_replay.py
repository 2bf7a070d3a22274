"""The table of recorded panels, counted by hand on a few cases."""

from __future__ import annotations

from itertools import combinations, product

import pytest
from rows_scene import case, grid

from squads.bench.grid import Grid
from squads.bench.replay import complete_families, replay_of
from squads.contracts.errors import InvalidCase

CAUGHT = {
    "g": ("rrr", "rr.", "..."),
    "h": ("..r", "...", "rrr"),
    "x": ("r..", "r..", ".r."),
}


def made(**changes: tuple[str, ...]) -> Grid:
    """Return three gates with three repeats on a defect and a right case in each of three families."""
    cases = {f"{kind}-{f}": case(f, kind) for f in "abc" for kind in ("defect", "clean")}
    told = {**CAUGHT, **changes}
    return grid(
        {
            gate: {
                **{f"defect-{f}": letters for f, letters in zip("abc", rows, strict=True)},
                **{f"clean-{f}": "..." for f in "abc"},
            }
            for gate, rows in told.items()
        },
        cases,
    )


def test_same_and_distinct_panels_are_means_over_all_of_them() -> None:
    """Every pairing of runs of the three gates, listed."""
    table = replay_of(made())
    looks = [[[letter == "r" for letter in rows[f]] for f in range(3)] for rows in CAUGHT.values()]
    distinct, majority = [], []
    for f, runs in product(range(3), product(range(3), repeat=3)):
        votes = sum(looks[n][f][run] for n, run in enumerate(runs))
        distinct.append(votes >= 1)
        majority.append(votes >= 2)

    assert pytest.approx(sum("".join(CAUGHT[g]).count("r") for g in CAUGHT) / 27) == table.defects.single
    assert pytest.approx(sum(any(row) for gate in looks for row in gate) / 9) == table.defects.same
    assert pytest.approx(sum(distinct) / len(distinct)) == table.defects.distinct
    assert pytest.approx(sum(sum(row) >= 2 for gate in looks for row in gate) / 9) == table.defects.majority_same
    assert pytest.approx(sum(majority) / len(majority)) == table.defects.majority_distinct
    assert (0.0, 0.0, 0.0) == (table.rights.single, table.rights.same, table.rights.distinct)


def test_the_best_gate_is_compared_with_the_company_of_others() -> None:
    """Its own three runs against one of its own with one run each of two others."""
    table = replay_of(made())
    looks = {gate: [[letter == "r" for letter in row] for row in rows] for gate, rows in CAUGHT.items()}
    joined = [
        any(looks[gate][f][run] for gate, run in zip("ghx", runs, strict=True))
        for f, runs in product(range(3), product(range(3), repeat=3))
    ]

    assert "g" == table.best.gate
    assert pytest.approx(2 / 3) == table.best.own
    assert pytest.approx(sum(joined) / len(joined)) == table.best.others


def test_only_families_on_which_every_gate_is_complete_count() -> None:
    """A run that failed on a family takes that family from everybody, so that panels differ in nothing else."""
    broken = made(h=("..r", "..!", "rrr"))

    assert {"a", "c"} == complete_families(broken)["h"]
    table = replay_of(broken, families_share=0.5)
    assert ("a", "c") == table.families
    assert (2, 2) == (table.defects.cases, table.rights.cases)


def test_gates_that_are_seldom_complete_are_left_out() -> None:
    """One gate with holes must not take the families from the others."""
    table = replay_of(made(y=("..!", "rrr", "...")))

    assert ("g", "h", "x") == table.gates
    assert ("a", "b", "c") == table.families


def test_too_few_gates_make_no_table() -> None:
    """Panels of three distinct gates need three."""
    with pytest.raises(InvalidCase, match="at least as many gates"):
        replay_of(made().only(gates=["g", "h"]))


def test_gates_without_a_family_in_common_make_no_table() -> None:
    """Each is complete somewhere, all of them nowhere."""
    apart = made(g=("!rr", "rrr", "rrr"), h=("rrr", "!rr", "rrr"), x=("rrr", "rrr", "!rr"))

    with pytest.raises(InvalidCase, match="no family"):
        replay_of(apart, families_share=0.5)


def test_the_strongest_are_one_more_than_there_are_seats() -> None:
    """So that distinct panels among them still differ."""
    told = {f"w{n}": ("...", "...", "r..") for n in range(3)}
    table = replay_of(made(**told))

    assert 3 == table.seats
    assert 4 == len(table.strongest)
    assert "g" == table.strongest[0]
    assert 20 == len(list(combinations(table.gates, 3)))

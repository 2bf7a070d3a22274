"""A refusal budget: chosen on one split, reported on another."""

from __future__ import annotations

import pytest
from rows_scene import case, grid

from squads.bench.budgets import at_budget, budget_curve
from squads.bench.case import Case
from squads.bench.grid import Grid
from squads.contracts.errors import InvalidCase


def cases() -> dict[str, Case]:
    """Return ten defects and ten clean twins for each of the two splits."""
    return {
        f"{split[0]}{kind[0]}{n}": case(f"{split}{n}", kind, split=split)
        for split in ("calibration", "test")
        for kind in ("defect", "clean")
        for n in range(10)
    }


def table(defects: str, clean: str, test_defects: str, test_clean: str) -> dict[str, str]:
    """Return what a gate says of all of them."""
    told = {"cd": defects, "cc": clean, "td": test_defects, "tc": test_clean}
    return {f"{key}{n}": letter for key, letters in told.items() for n, letter in enumerate(letters)}


NEVER = "." * 10
HALF = "rrrrr....."


def made() -> Grid:
    """Return a careful gate, one that adds to it for a price, and one that refuses nearly everything."""
    return grid(
        {
            "careful": table(HALF, NEVER, HALF, NEVER),
            "eager": table(".....rrr..", "r.........", ".....r....", "rr........"),
            "blunt": table("r" * 10, "rrrrrrrr..", "r" * 10, "rrrrrrrr.."),
        },
        cases(),
    )


def test_a_larger_budget_buys_more() -> None:
    """No false refusal: the careful one. One in ten: the eager one too. Nearly all: everybody's catch for one gate."""
    strict, loose, wide = budget_curve(made(), (0.0, 0.1, 0.8))

    assert ("careful",) == strict.gates
    assert ("careful", "eager") == loose.gates
    assert (0.8, 0.1) == (loose.catch_calibration, loose.refused_calibration)
    assert ("blunt",) == wide.gates


def test_what_was_chosen_is_reported_on_the_other_split() -> None:
    """There it catches less and refuses more than where it was chosen."""
    told = at_budget(made(), 0.1)

    assert told.catch is not None
    assert told.false_refusals is not None
    assert (0.6, 0.2) == (told.catch.value, told.false_refusals.value)


def test_a_vote_is_taken_where_single_refusals_are_too_many() -> None:
    """Three gates that each refuse other right cases, and the same defects, stay within budget when two must agree."""
    told = at_budget(
        grid({gate: table(HALF, clean, HALF, NEVER) for gate, clean in
              (("g", "rr........"), ("h", "..rr......"), ("x", "....rr...."))}, cases()),
        0.05,
    )  # fmt: skip

    assert 2 == told.refusals
    assert (0.5, 0.0) == (told.catch_calibration, told.refused_calibration)


def test_a_budget_that_buys_nothing_says_so() -> None:
    """A gate over budget is not sold for less."""
    told = at_budget(grid({"blunt": table("r" * 10, "r" * 10, "r" * 10, "r" * 10)}, cases()), 0.1)

    assert () == told.gates
    assert told.catch is None


def test_without_calibration_nothing_can_be_chosen() -> None:
    """Choosing on the cases that are reported would flatter."""
    with pytest.raises(InvalidCase, match="'calibration'"):
        at_budget(made().only(split="test"), 0.1)
    with pytest.raises(InvalidCase, match="'test'"):
        at_budget(made().only(split="calibration"), 0.1)


def test_repeats_of_a_panel_are_repeats_of_its_members() -> None:
    """A gate that catches now and then is reported as it was asked, not as the best of its repeats."""
    told = at_budget(
        grid(
            {"g": {k: v * 2 if k[0] == "c" else v + "." for k, v in table(HALF, NEVER, HALF, NEVER).items()}}, cases()
        ),
        0.0,
    )

    assert told.catch is not None
    assert (0.25, 20) == (told.catch.value, told.catch.of)

"""The grid: every call has its own cell, and who said nothing is not counted as anything."""

from __future__ import annotations

import pytest
from rows_scene import case, columns, grid, member, results, said

from squads.bench.case import Place
from squads.bench.grid import Cell, grid_of
from squads.bench.judged import Found, Hit
from squads.contracts.errors import InvalidCase

CASES = {"d": case("a", "defect"), "c": case("a", "clean")}


@pytest.mark.parametrize(("letter", "level"), [("r", 3), ("p", 2), ("w", 1), (".", 0), ("?", 0), ("!", 0)])
def test_a_cell_is_caught_up_to_its_level(letter: str, level: int) -> None:
    """Abstaining and failing catch nothing; a refusal counts up to the level at which it is right."""
    made = grid({"g": {"d": letter}}, CASES)

    (cell,) = made.said(CASES["d"], "g")
    assert [n <= level for n in (1, 2, 3)] == [cell.caught(n) for n in (1, 2, 3)]


def test_a_refusal_of_a_right_case_is_no_catch_of_a_reason() -> None:
    """On a right case nothing is there to be right about."""
    made = grid({"g": {"c": "r"}}, CASES)

    assert (Cell("refused", Hit.REFUSED, 10),) == made.said(CASES["c"], "g")


def test_a_second_verdict_of_the_same_call_is_refused() -> None:
    """Results in which a call counts twice would weigh it twice."""
    rows = [(CASES["d"], said(CASES["d"], "g"))] * 2

    with pytest.raises(InvalidCase, match="twice in repeat 1"):
        grid_of(results(rows))


def test_a_verdict_on_a_case_that_is_not_there_is_refused() -> None:
    """A rate over verdicts of unknown label is no rate."""
    made = results([(CASES["d"], said(CASES["c"], "g"))])

    with pytest.raises(InvalidCase, match="not among the cases"):
        grid_of(made)


def test_levels_of_a_factor_are_different_gates() -> None:
    """The same gate with other context is measured apart, and what does not vary stays out of its name."""
    what = CASES["d"]
    rows = [(what, said(what, "g", factors={"context": level, "model": "m"})) for level in ("fresh", "same")]

    assert ("g[context=fresh]", "g[context=same]") == grid_of(results(rows)).gates


def test_a_share_of_nothing_is_refused() -> None:
    """Who said nothing of a case has neither caught nor missed it."""
    made = grid({"g": {"d": "r"}, "h": {"c": "."}}, CASES)

    with pytest.raises(InvalidCase, match="said nothing"):
        made.share(CASES["d"], "h")
    assert () == made.complete().cases
    with pytest.raises(InvalidCase, match="known: g, h"):
        made.of("x")


def test_complete_cases_are_those_that_all_members_judged() -> None:
    """A case that one repeat did not see is left out, and one where it failed is not, until it is asked who looked."""
    cases = {"d": case("a", "defect"), "e": case("b", "defect"), "f": case("c", "defect")}
    cases["h"] = case("h", "defect")
    made = grid({"g": {"d": "r.", "e": "r", "f": "r!", "h": "?."}}, cases)

    assert ["a", "c", "h"] == [c.family for c in made.complete().cases]
    assert ["a"] == [c.family for c in made.looked().cases]


def test_only_keeps_what_is_asked_for() -> None:
    """Splits, origins, invariants and languages are taken apart without touching the rest."""
    cases = {
        "d": case("a", "defect", split="calibration", origin="planted"),
        "e": case("b", "defect", invariants=("sql.tenant",)),
    }
    made = grid({"g": {"d": "r", "e": "."}, "h": {"d": ".", "e": "r"}}, cases)

    assert ["a"] == [c.family for c in made.only(split="calibration").cases]
    assert ["a"] == [c.family for c in made.only(origin="planted").cases]
    assert ["b"] == [c.family for c in made.only(invariant="sql.tenant").cases]
    assert ("h",) == made.only(gates=["h"]).gates


def test_results_may_say_how_near_a_finding_must_be() -> None:
    """A set with its own tolerance is judged by it, whoever opens the results later."""
    what = case("a", "defect", places=(Place(path="a.sql", line=5),))
    row = said(what, "g", found=(Found(invariant="sql.unique-null", path="a.sql", line=14),))

    near = grid_of(results([(what, row)]))
    far = grid_of(results([(what, row)], slack_lines="10"))
    assert [Hit.REFUSED] == [cell.hit for cell in near.said(what, "g")]
    assert [Hit.REASON] == [cell.hit for cell in far.said(what, "g")]


def test_two_cases_of_one_id_are_refused() -> None:
    """Verdicts are told apart by the case's id."""
    made = results([(CASES["d"], said(CASES["d"], "g"))])

    with pytest.raises(InvalidCase, match="same id"):
        grid_of(made.but(cases=(CASES["d"], CASES["d"])))


def test_a_matrix_has_a_row_for_every_member() -> None:
    """Members are in order, repeats beside each other."""
    made = columns({"g": "r. .r", "h": ".."}, ["a", "b"])

    assert (member("g"), member("g", 2), member("h")) == made.members
    assert [[True, False], [False, True], [False, False]] == made.matrix(made.defects)

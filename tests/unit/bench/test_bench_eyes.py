"""Which pairs see with other eyes: pairs of runs counted, relations read from factors."""

from __future__ import annotations

import pytest
from rows_scene import case, columns, grid

from squads.bench.eyes import beside, eyes_of, looks_of
from squads.contracts.errors import InvalidCase

FAMILIES = "abcdef"


def test_two_gates_that_see_the_same_add_nothing() -> None:
    """Kappa 1, no marginal catch, nothing of what independence would give."""
    (pair,) = eyes_of(columns({"g": "rrr...", "h": "rrr..."}, FAMILIES))

    assert (1.0, 0.5) == (pair.kappa.value, pair.union.value)
    assert (0.0, 0.0) == (pair.second_adds.value, pair.first_adds.value)
    assert 0.0 == pair.of_independent.value


def test_two_gates_that_see_the_opposite_add_all() -> None:
    """Kappa -1, everything is caught, twice what independence would give."""
    (pair,) = eyes_of(columns({"g": "rrr...", "h": "...rrr"}, FAMILIES))

    assert (-1.0, 1.0) == (pair.kappa.value, pair.union.value)
    assert (0.5, 0.5) == (pair.second_adds.value, pair.first_adds.value)
    assert 2.0 == pair.of_independent.value


def test_independent_gates_add_what_independence_gives() -> None:
    """Half of each half."""
    (pair,) = eyes_of(columns({"g": "rr..", "h": "r.r."}, "abcd"))

    assert 0.0 == pair.kappa.value
    assert 1.0 == pair.of_independent.value


def test_a_gate_beside_itself_is_its_other_run() -> None:
    """No run is paired with itself: of two repeats that never agree, each adds what the other misses."""
    (pair,) = eyes_of(columns({"g": "rr.. ..rr"}, "abcd"))

    assert "own run" == pair.relation
    assert (1.0, 0.5) == (pair.union.value, pair.second_adds.value)


def test_runs_that_failed_are_left_out() -> None:
    """What was seen is asked of those who looked."""
    (pair,) = eyes_of(columns({"g": "rr!.", "h": "r.r."}, "abcd"))

    assert 3 == pair.cases


def test_gates_without_a_case_in_common_cannot_be_compared() -> None:
    """Nothing is not the same as no difference."""
    cases = {"d": case("a", "defect"), "e": case("b", "defect")}

    with pytest.raises(InvalidCase, match="no defect in common"):
        eyes_of(grid({"g": {"d": "r"}, "h": {"e": "r"}}, cases))


def test_a_figure_that_is_not_defined_has_no_value() -> None:
    """Two gates that catch everything agree by necessity, and leave nothing to add."""
    (pair,) = eyes_of(columns({"g": "rrr", "h": "rrr"}, "abc"))

    assert pair.kappa.value is None
    assert pair.of_independent.value is None


MODELS = {
    "one": {"kind": "model", "model": "m", "maker": "k"},
    "one_quick": {"kind": "model", "model": "m", "maker": "k"},
    "two": {"kind": "model", "model": "n", "maker": "k"},
    "other": {"kind": "model", "model": "o", "maker": "l"},
    "tool": {"kind": "scanner", "model": "tool", "maker": "tool"},
    "tool_two": {"kind": "scanner", "model": "tool-two", "maker": "tool-two"},
}


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ("one", "one-quick", "same model"),
        ("one", "two", "same maker"),
        ("one", "other", "other maker"),
        ("one", "tool", "model and tool"),
        ("tool", "tool-two", "two tools"),
    ],
)
def test_relations_are_read_from_factors(first: str, second: str, relation: str) -> None:
    """Nearest first: the model, then who made it, then what kind of thing it is."""
    cases = {f: case(f, "defect") for f in "ab"}
    told = {gate: {"a": "r", "b": "."} for gate in (first, second)}
    (pair,) = eyes_of(grid(told, cases, **MODELS))

    assert relation == pair.relation


def test_without_factors_the_prior_decides() -> None:
    """Two gates of one prior digest are the same prior, whatever they are called."""
    (pair,) = eyes_of(columns({"g": "r.", "h": ".r"}, "ab"))

    assert "same prior" == pair.relation


def test_second_looks_are_averaged_both_ways_round() -> None:
    """g adds a quarter to h, h half to g; of a first look by g only h's counts."""
    made = columns({"g": "rr..", "h": ".rrr"}, "abcd")

    (both,) = looks_of(made)
    (after,) = looks_of(made, first="g")
    assert (2, 1) == (both.pairs, after.pairs)
    assert both.adds.value == pytest.approx(0.375)
    assert after.adds.value == pytest.approx(0.5)
    assert after.adds_of_missed.value == pytest.approx(1.0)
    with pytest.raises(InvalidCase, match="known"):
        looks_of(made, first="x")


def test_beside_a_gate_the_look_that_adds_most_comes_first() -> None:
    """The gate itself is in the list, where it has repeats."""
    made = columns({"g": "rr.. rr..", "h": ".rr. .rr.", "x": "..rr ..rr"}, "abcd")

    told = beside(made, "g")
    assert [("g", "x"), ("g", "h"), ("g", "g")] == [(pair.first, pair.second) for pair in told]
    assert [0.5, 0.25, 0.0] == [pair.second_adds.value for pair in told]


def test_each_gates_own_catch_stands_beside_the_pair() -> None:
    """What a second look adds is read against how much it sees at all."""
    (pair,) = eyes_of(columns({"g": "rr..", "h": ".rrr"}, "abcd"))

    assert (0.5, 0.75) == (pair.first_catch, pair.second_catch)

"""Scoring is strict: only a refusal catches, only a refusal is false, and what could not look is told apart."""

from __future__ import annotations

import pytest
from rows_scene import case, grid, results, said

from squads.bench.scoring import score_of, scores

CASES = {
    name: case(family, label)
    for name, family, label in (
        ("d1", "a", "defect"),
        ("c1", "a", "clean"),
        ("k1", "a", "cosmetic"),
        ("o1", "a", "decoy"),
        ("d2", "b", "defect"),
        ("c2", "b", "clean"),
    )
}


def test_the_three_levels_are_counted_within_each_other() -> None:
    """Any refusal, the right place, the right reason: each over all defects and cosmetic fixes."""
    score = score_of(grid({"g": {"d1": "r", "k1": "p", "d2": "w"}}, CASES), "g")

    assert (3, 2, 1) == (score.any_refusal.hits, score.right_place.hits, score.right_reason.hits)
    assert {3} == {score.any_refusal.of, score.right_place.of, score.right_reason.of}
    assert 0.0 == score.on_cosmetic.value


def test_abstaining_and_failing_are_misses_on_defects_and_told_apart() -> None:
    """A gate that could not look must not look like one that passed, nor like one that caught."""
    score = score_of(grid({"g": {"d1": "?", "d2": "!", "k1": "r"}}, CASES), "g")

    assert pytest.approx(1 / 3) == score.any_refusal.value
    assert (3, 1, 0, 1, 1) == (
        score.defects.rows,
        score.defects.refused,
        score.defects.approved,
        score.defects.abstained,
        score.defects.errors,
    )


def test_abstaining_and_failing_refuse_nothing_that_is_right() -> None:
    """They are no false refusals, and stand beside them."""
    score = score_of(grid({"g": {"c1": "?", "o1": "!", "c2": "r"}}, CASES), "g")

    assert (1, 3) == (score.false_refusals.hits, score.false_refusals.of)
    assert (1, 2) == (score.on_clean.hits, score.on_clean.of)
    assert (0, 1) == (score.on_decoy.hits, score.on_decoy.of)
    assert (1, 1) == (score.rights.abstained, score.rights.errors)


def test_an_approval_of_nothing_that_was_read_is_told_apart() -> None:
    """A gate for SQL has let Python through without a look."""
    rows = [
        (CASES["d1"], said(CASES["d1"], "g", "approved", looked=0)),
        (CASES["d2"], said(CASES["d2"], "g")),
        (CASES["k1"], said(CASES["k1"], "g", "abstained", looked=0)),
    ]
    (scored,) = scores(results(rows))

    assert (1, 1, 1) == (
        scored.score.defects.approved,
        scored.score.defects.unread,
        scored.score.defects.abstained,
    )


@pytest.mark.parametrize(
    ("defect", "clean", "outcome"),
    [
        ("r", ".", "told_apart"),
        ("r", "r", "both_refused"),
        (".", ".", "both_passed"),
        (".", "r", "reversed"),
        ("?", ".", "both_passed"),
        ("r", "?", "both_passed"),
        ("!", "r", "reversed"),
    ],
    ids=["P-C", "P-V", "P-B", "P-R", "abstained-on-defect", "abstained-on-twin", "failed-on-defect"],
)
def test_every_pair_has_one_outcome(defect: str, clean: str, outcome: str) -> None:
    """Who abstains from one of the two has not told them apart."""
    pairs = score_of(grid({"g": {"d2": defect, "c2": clean}}, CASES), "g").pairs

    counted = {n: getattr(pairs, n) for n in ("told_apart", "both_refused", "both_passed", "reversed")}
    assert {**dict.fromkeys(counted, 0), outcome: 1} == counted
    assert 1 == pairs.pairs


def test_twins_are_paired_within_their_family_and_repeat() -> None:
    """Two broken and two right variants make four pairs a repeat; another family's twin is no twin."""
    score = score_of(grid({"g": {"d1": "rr", "k1": "r.", "c1": "..", "o1": "r.", "d2": "rr", "c2": ".."}}, CASES), "g")

    assert 2 * (4 + 1) == score.pairs.pairs
    # First repeat: both broken ones against c1 told apart, against o1 both refused. Second: d1 twice, k1 never.
    assert (6, 2, 2, 0) == (
        score.pairs.told_apart,
        score.pairs.both_refused,
        score.pairs.both_passed,
        score.pairs.reversed,
    )
    assert {"first_only": 6, "second_only": 0} == score.pairs.test.counts


def test_a_defect_with_a_word_is_paired_with_the_twin_of_that_word() -> None:
    """`defect-003` was made from `clean-003`; where no right variant has its word, all of them are its twins."""
    cases = {
        "d3": case("many", "defect", word="003"),
        "c3": case("many", "clean", word="003"),
        "c4": case("many", "clean", word="004"),
        "d9": case("many", "defect", word="other"),
    }

    score = score_of(grid({"g": {"d3": "r", "c3": ".", "c4": "r", "d9": "r"}}, cases), "g")

    assert (1 + 2, 1 + 1, 1) == (score.pairs.pairs, score.pairs.told_apart, score.pairs.both_refused)


def test_a_gate_that_refuses_everything_is_worth_nothing() -> None:
    """A catch rate of 1 without a clean twin would say otherwise."""
    score = score_of(grid({"g": dict.fromkeys(CASES, "r")}, CASES), "g")

    assert 1.0 == score.any_refusal.value
    assert 0.0 == score.youden
    assert 0.5 == score.balanced_accuracy
    assert 0 == score.pairs.told_apart


def test_youden_weighs_any_refusal_of_either_kind() -> None:
    """A false refusal has no level, so the catch beside it has none either."""
    score = score_of(grid({"g": {"d1": "w", "d2": "r", "c1": ".", "c2": "r"}}, CASES), "g")

    assert pytest.approx(0.5) == score.youden


def test_cost_is_of_all_verdicts_and_for_each_right_catch() -> None:
    """What looking at right cases cost is a cost of catching too."""
    score = score_of(grid({"g": {"d1": "r", "d2": "w", "c1": ".", "c2": "."}}, CASES), "g")

    assert 40 == score.cost_microusd
    assert 40.0 == score.cost_per_catch_microusd
    assert score_of(grid({"g": {"d1": "."}}, CASES), "g").cost_per_catch_microusd is None


def test_splits_and_origins_are_reported_apart() -> None:
    """Planted toys do not lift the figure for real defects."""
    cases = {
        "p": case("a", "defect", origin="planted"),
        "q": case("b", "defect", origin="real"),
        "s": case("c", "defect", origin="real", split="dev"),
    }
    told = scores(grid({"g": {"p": "r", "q": ".", "s": "."}}, cases), by=("origin", "split"))

    assert [
        ({}, 1 / 3),
        ({"origin": "planted", "split": "test"}, 1.0),
        ({"origin": "real", "split": "dev"}, 0.0),
        ({"origin": "real", "split": "test"}, 0.0),
    ] == [(dict(scored.of), scored.score.right_reason.value) for scored in told]


def test_without_defects_there_is_no_catch_rate() -> None:
    """None is neither zero nor one."""
    score = score_of(grid({"g": {"c1": ".", "c2": "r"}}, CASES), "g")

    assert score.any_refusal.value is None
    assert score.youden is None
    assert score.matthews is None

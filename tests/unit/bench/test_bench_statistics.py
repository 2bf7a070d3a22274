"""Tests between gates: the libraries' answers, the note's figures, and what is left undefined."""

from __future__ import annotations

from itertools import product

import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from squads.bench.statistics import (
    balanced_accuracy,
    cases_needed,
    cochran,
    corrected,
    error_consistency,
    fleiss,
    kappa,
    matthews,
    mcnemar,
    mcnemar_power,
    youden,
)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (5, 5), (9, 1), (1, 9), (30, 12)])
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int) -> None:
    """Under no difference each discordant case is a toss of a coin."""
    told = mcnemar(first, second)

    expected = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert pytest.approx(expected) == told.p
    assert {"first_only": first, "second_only": second} == told.counts


def test_cochrans_q_of_the_textbook() -> None:
    """Counted by hand: column sums 4, 3, 1 and row sums 3, 2, 2, 1, 0 give Q = 2(3(16+9+1) - 64) / (24 - 18)."""
    rows = [[1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]]
    told = cochran([[bool(v) for v in row] for row in rows])

    q = 2 * (3 * 26 - 64) / (24 - 18)
    assert pytest.approx(q) == told.statistic
    assert pytest.approx(stats.chi2.sf(q, 2)) == told.p
    assert {"cases": 5, "telling": 3} == told.counts


def test_gates_that_always_agree_do_not_differ() -> None:
    """Without a case that tells gates apart there is no evidence, and no division by zero."""
    assert 1.0 == cochran([[True, True], [False, False]]).p
    with pytest.raises(ValueError, match="at least two gates"):
        cochran([[True], [False]])


def test_correction_follows_the_order_given() -> None:
    """Holm and Benjamini-Hochberg, each by hand, for the p-values 0.01, 0.04 and 0.03."""
    tests = [mcnemar(1, 0).model_copy(update={"p": p}) for p in (0.01, 0.04, 0.03)]

    assert pytest.approx([0.03, 0.06, 0.06]) == [t.corrected for t in corrected(tests)]
    assert pytest.approx([0.03, 0.04, 0.04]) == [t.corrected for t in corrected(tests, method="fdr_bh")]
    assert () == corrected([])


@pytest.mark.parametrize(("cases", "discordant", "power"), [(100, 0.2, 0.54), (200, 0.2, 0.88), (400, 0.1, 0.87)])
def test_power_for_discordant_cases_split_three_to_one(cases: int, discordant: float, power: float) -> None:
    """The figures by which a comparison is planned."""
    assert power == round(mcnemar_power(cases, discordant=discordant, share=0.75), 2)


def test_power_is_the_sum_over_all_outcomes() -> None:
    """For ten cases every outcome can be listed."""
    total = 0.0
    for first, second in product(range(11), repeat=2):
        if first + second <= 10 and mcnemar(first, second).p <= 0.05:
            total += float(stats.multinomial.pmf([first, second, 10 - first - second], 10, [0.45, 0.05, 0.5]))

    assert pytest.approx(total) == mcnemar_power(10, discordant=0.5, share=0.9)


def test_without_a_difference_power_is_at_most_alpha() -> None:
    """An exact test never finds too much."""
    assert mcnemar_power(200, discordant=0.2, share=0.5) <= 0.05


def test_the_cases_needed_are_enough_and_no_more() -> None:
    """One case fewer does not do."""
    needed = cases_needed(discordant=0.2, share=0.75, power=0.8)

    assert mcnemar_power(needed, discordant=0.2, share=0.75) >= 0.8
    assert mcnemar_power(needed - 1, discordant=0.2, share=0.75) < 0.8


def test_no_difference_needs_more_cases_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that cannot succeed says so."""
    monkeypatch.setattr("squads.bench.statistics.CASES_MAX", 1_000)

    with pytest.raises(ValueError, match="larger difference"):
        cases_needed(discordant=1e-9, share=0.75)


def test_kappa_is_the_librarys_and_undefined_where_chance_explains_all() -> None:
    """Two gates that catch everything agree by necessity."""
    first, second = [True, True, False, False], [True, False, False, False]

    assert pytest.approx(cohen_kappa_score(first, second)) == kappa(first, second)
    assert kappa([True, True], [True, True]) is None
    assert kappa([], []) is None


def test_fleiss_of_two_gates_that_mirror_each_other() -> None:
    """Perfect agreement is 1, none of it where half is expected is -1."""
    assert pytest.approx(1.0) == fleiss([[True, True], [False, False]])
    assert pytest.approx(-1.0) == fleiss([[True, False], [False, True]])
    assert fleiss([[True, True]]) is None


def test_errors_are_consistent_when_they_fall_on_the_same_cases() -> None:
    """Both are right on a third case, and wrong together or apart on the others."""
    broken = [True, True, False, False]

    assert pytest.approx(1.0) == error_consistency(broken, [False, True, False, False], [False, True, False, False])
    apart = error_consistency(broken, [False, True, False, False], [True, False, False, False])
    assert apart is not None
    assert apart < 0


def test_right_and_wrong_refusals_are_weighed_together() -> None:
    """Three of four defects caught, one of two right cases refused."""
    broken, refused = [True] * 4 + [False] * 2, [True, True, True, False, True, False]

    assert pytest.approx(0.25) == youden(0.75, 0.5)
    assert pytest.approx(0.625) == balanced_accuracy(broken, refused)
    assert pytest.approx(0.25) == matthews(broken, refused)
    assert balanced_accuracy([True], [True]) is None
    assert matthews([True], [True]) is None

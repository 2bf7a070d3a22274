"""Intervals: right where libraries and hands can say so, and kept promises where only simulation can."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from squads.bench.intervals import FAMILIES_MIN, bootstrapped, difference, exact, rate, wilson

BENCHMARKS = str(Path(__file__).resolve().parents[3] / "benchmarks")
sys.path.insert(0, BENCHMARKS)
coverage = import_module("interval_coverage")
sys.path.remove(BENCHMARKS)


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (5, 5), (3, 17), (90, 200)])
def test_wilson_and_exact_are_the_libraries(hits: int, of: int) -> None:
    """Both libraries agree with what is returned."""
    ours, sure = wilson(hits, of), exact(hits, of)

    theirs = stats.binomtest(hits, of).proportion_ci(method="wilson")
    assert pytest.approx((theirs.low, theirs.high)) == (ours.low, ours.high)
    clopper = stats.binomtest(hits, of).proportion_ci(method="exact")
    assert pytest.approx((clopper.low, clopper.high)) == (sure.low, sure.high)
    assert ("wilson", "exact") == (ours.method, sure.method)


def test_five_of_five_is_not_all_of_them() -> None:
    """What was caught five times of five may still be missed in four of ten."""
    assert 0.57 == round(wilson(5, 5).low, 2)
    assert 0.48 == round(exact(5, 5).low, 2)


def test_a_rate_of_no_case_has_no_value() -> None:
    """Nothing judged is neither a perfect gate nor a blind one."""
    told = rate([])

    assert told.value is None
    assert told.wilson is None
    assert told.warning


def test_repeats_add_no_cases() -> None:
    """Asking three times about two cases is not asking about six."""
    once = rate([("a", "1", True), ("b", "2", False)])
    thrice = rate([*[("a", "1", True)] * 3, *[("b", "2", False)] * 3])

    assert once.wilson == thrice.wilson
    assert once.clustered == thrice.clustered
    assert (6, 2, 2) == (thrice.of, thrice.cases, thrice.families)


def test_families_that_agree_with_themselves_widen_the_interval() -> None:
    """Forty cases of twenty families of which each is caught or missed as a whole tell no more than twenty."""
    rows = [(str(f), f"{f}.{c}", f % 2 == 0) for f in range(20) for c in range(2)]
    told = rate(rows)

    assert told.clustered is not None
    assert told.wilson is not None
    assert told.clustered.high - told.clustered.low > 1.3 * (told.wilson.high - told.wilson.low)
    # Jackknife variance 20 * 0.25 / (20 * 19) against 0.25 / 40: 19 effective cases, and 19 degrees of freedom.
    alpha = 2 * stats.norm.sf(stats.t.ppf(0.975, 19))
    low, high = proportion_confint(9.5, 19, alpha=alpha, method="wilson")
    assert pytest.approx((low, high)) == (told.clustered.low, told.clustered.high)


def test_cases_that_do_not_cluster_keep_wilsons_interval() -> None:
    """Where families differ no more than chance has it, a family is no reason for doubt."""
    rows = [(str(f), f"{f}.{c}", c == 0) for f in range(20) for c in range(2)]
    told = rate(rows)

    assert told.clustered is not None
    low, high = proportion_confint(20, 40, method="wilson")
    assert pytest.approx((low, high)) == (told.clustered.low, told.clustered.high)


def test_where_nothing_varies_each_family_is_one_case() -> None:
    """All caught in twenty families says what twenty of twenty cases say, however many cases there were."""
    told = rate([(str(f), f"{f}.{c}", True) for f in range(20) for c in range(9)])

    assert told.clustered is not None
    assert pytest.approx(wilson(20, 20).low) == told.clustered.low
    assert 1.0 == told.clustered.high


@pytest.mark.parametrize(("families", "warned"), [(1, True), (FAMILIES_MIN - 1, True), (FAMILIES_MIN, False)])
def test_few_families_come_with_a_warning(families: int, warned: bool) -> None:
    """Below the bound the interval says of itself that it is a rough one."""
    told = rate([(str(f), str(f), f % 2 == 0) for f in range(families)])

    assert warned is bool(told.warning)


def test_a_difference_of_one_case_a_family_is_the_paired_t_interval() -> None:
    """With many families of one case each the method is the textbook's."""
    gaps = [1.0] * 9 + [0.0] * 16 + [-1.0] * 5
    told = difference([(str(n), max(gap, 0.0), max(-gap, 0.0)) for n, gap in enumerate(gaps)])
    theirs = stats.ttest_1samp(gaps, 0).confidence_interval()

    assert pytest.approx(4 / 30) == told.value
    assert pytest.approx((theirs.low, theirs.high), abs=0.01) == (told.interval.low, told.interval.high)
    assert (9 / 30, 5 / 30) == (told.first, told.second)


def test_gates_that_never_differ_are_not_certainly_equal() -> None:
    """No discordant case in twenty leaves room for some in the next twenty."""
    told = difference([(str(n), 1.0, 1.0) for n in range(20)])

    assert 0.0 == told.value
    assert told.interval.low < -0.05
    assert told.interval.high > 0.05


def test_a_difference_needs_two_families() -> None:
    """One family says nothing of how families differ."""
    with pytest.raises(ValueError, match="at least two families"):
        difference([("a", 1.0, 0.0), ("a", 0.0, 0.0)])
    with pytest.raises(ValueError, match="at least two"):
        bootstrapped([(1.0, 2.0)], lambda hits, of: hits / of)


def test_the_same_seed_draws_the_same_families() -> None:
    """Whoever repeats the command gets the interval that was published."""
    totals = [(n % 3 + n / 12, 3.0 + n % 5) for n in range(12)]

    def drawn(seed: int, *, widened: bool = True) -> tuple[float, float]:
        told = bootstrapped(totals, lambda hits, of: hits / of, draws=500, seed=seed, widened=widened)
        return told.low, told.high

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert drawn(1)[0] < drawn(1, widened=False)[0]
    assert drawn(1)[1] > drawn(1, widened=False)[1]


@pytest.mark.parametrize(
    "world",
    [
        coverage.World("rate", 20, 0.5, None, 0.0),
        coverage.World("rate", 20, 0.9, None, 0.1),
        coverage.World("rate", 40, 0.3, None, 0.2),
        coverage.World("difference", 20, 0.9, 0.8, 0.1),
        coverage.World("difference", 40, 0.6, 0.5, 0.2),
    ],
    ids=lambda world: f"{world.figure}-{world.families}-{world.first}-{world.within}",
)
def test_intervals_keep_their_promise(world: coverage.World) -> None:  # type: ignore[name-defined]
    """Ninety-five percent intervals hold the truth in 93 to 97 of 100 worlds, give or take what 600 worlds can tell."""
    told = coverage.covered(world, count=600, seed=7, bootstrap=False).methods

    noise = 2.6 * (0.95 * 0.05 / 600) ** 0.5
    assert 0.93 - noise < told["families"] < 0.97 + noise
    assert told.get("exact", 1.0) >= 0.95 - noise
    assert 0.93 - noise < told.get("wilson", 0.95) < 0.97 + noise

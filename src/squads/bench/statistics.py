"""Tests between gates on the same cases, their power, and figures that join catches with false refusals.

The libraries compute; what is ours is which question goes to which test. Rows of different gates are paired by case, so
the tests are paired: McNemar's exact test for two, Cochran's Q for more, corrected when many are asked at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from squads.bench.figure import Test
from squads.bench.vendors import need

CASES_MAX = 100_000
"""The largest number of cases that `cases_needed` looks at."""


def mcnemar(first_only: int, second_only: int) -> Test:
    """Return the exact test of whether two gates differ, from the cases that only one of them caught."""
    library = need("statsmodels.stats.contingency_tables").mcnemar
    answer = library([[0, first_only], [second_only, 0]], exact=True)
    return Test(
        method="mcnemar exact",
        p=min(1.0, float(answer.pvalue)),
        statistic=float(answer.statistic),
        counts={"first_only": first_only, "second_only": second_only},
    )


def cochran(rows: Sequence[Sequence[bool]]) -> Test:
    """Return Cochran's Q over three or more gates; a row for every case, an entry for every gate.

    Gates that agree on every case give p = 1.
    """
    numpy = need("numpy")
    table = numpy.asarray(rows, dtype=int)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError("Cochran's Q needs a row for every case and an entry for at least two gates")
    telling = int(((table.sum(axis=1) > 0) & (table.sum(axis=1) < table.shape[1])).sum())
    counts = {"cases": len(table), "telling": telling}
    if not telling:
        return Test(method="cochran q", p=1.0, statistic=0.0, counts=counts)
    answer = need("statsmodels.stats.contingency_tables").cochrans_q(table)
    return Test(method="cochran q", p=float(answer.pvalue), statistic=float(answer.statistic), counts=counts)


def corrected(tests: Sequence[Test], *, method: Literal["holm", "fdr_bh"] = "holm") -> tuple[Test, ...]:
    """Return tests that were asked together with their corrected p-values, in the same order.

    `holm` bounds the chance of any wrong finding, `fdr_bh` (Benjamini and Hochberg) the share of wrong ones.
    """
    if not tests:
        return ()
    _, values, _, _ = need("statsmodels.stats.multitest").multipletests([t.p for t in tests], method=method)
    return tuple(t.model_copy(update={"corrected": float(p)}) for t, p in zip(tests, values, strict=True))


def mcnemar_power(cases: int, *, discordant: float, share: float, alpha: float = 0.05) -> float:
    """Return the chance that McNemar's exact test finds a difference.

    Args:
        cases: How many pairs of verdicts.
        discordant: The share of cases on which the two gates differ.
        share: The better gate's share of those; 0.5 is no difference, and then the answer is at most alpha.
        alpha: From which p-value on there is no difference.
    """
    numpy, binom = need("numpy"), need("scipy.stats").binom
    differing = numpy.arange(cases + 1)
    # The largest count of the rarer kind that is still significant; -1 where none is.
    limit = binom.ppf(alpha / 2, differing, 0.5)
    limit = numpy.where(2 * binom.cdf(limit, differing, 0.5) <= alpha, limit, limit - 1)
    found = binom.cdf(limit, differing, share) + binom.cdf(limit, differing, 1 - share)
    return float((binom.pmf(differing, cases, discordant) * found).sum())


def cases_needed(*, discordant: float, share: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return the smallest number of cases at which McNemar's exact test finds the difference with this power.

    Raises `ValueError` where a hundred thousand cases are too few.
    """

    def enough(cases: int) -> bool:
        return mcnemar_power(cases, discordant=discordant, share=share, alpha=alpha) >= power

    high = 8
    while not enough(high):
        high *= 2
        if high > CASES_MAX:
            raise ValueError(f"more than {CASES_MAX} cases are needed; plan for a larger difference")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def youden(catch: float, false_refusals: float) -> float:
    """Return Youden's J: 1 for a gate that is always right, 0 for one that does not tell right from wrong."""
    return catch - false_refusals


def balanced_accuracy(broken: Sequence[bool], refused: Sequence[bool]) -> float | None:
    """Return the mean of the catch rate and the rate of right approvals; None without both kinds of cases."""
    if len(set(broken)) < 2:
        return None
    return float(need("sklearn.metrics").balanced_accuracy_score(broken, refused))


def matthews(broken: Sequence[bool], refused: Sequence[bool]) -> float | None:
    """Return Matthews' correlation of refusals with defects; None without both kinds of cases."""
    if len(set(broken)) < 2:
        return None
    return float(need("sklearn.metrics").matthews_corrcoef(broken, refused))


def kappa(first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Return Cohen's kappa of two gates on the same cases; None where chance alone would make them agree.

    Ask it on defects only: agreement on clean cases is cheap, and hides what two gates miss together.
    """
    if not first or len({*first, *second}) < 2:
        return None
    return float(need("sklearn.metrics").cohen_kappa_score(first, second))


def fleiss(rows: Sequence[Sequence[bool]]) -> float | None:
    """Return Fleiss' kappa of several gates; a row for every case, an entry for every gate.

    None where all gates say the same of every case.
    """
    if len({entry for row in rows for entry in row}) < 2:
        return None
    library: Any = need("statsmodels.stats.inter_rater")
    return float(library.fleiss_kappa([[len(row) - sum(row), sum(row)] for row in rows]))


def error_consistency(broken: Sequence[bool], first: Sequence[bool], second: Sequence[bool]) -> float | None:
    """Return how much more often two gates err together than their accuracies explain, over all cases.

    1: they err on the same cases. 0: as often as chance. Below 0: each errs where the other does not. None where chance
    explains everything. Source: Geirhos, Meding and Wichmann 2020. For verdicts with two outcomes CAPA is the same.
    """
    return kappa(
        [a == b for a, b in zip(broken, first, strict=True)], [a == b for a, b in zip(broken, second, strict=True)]
    )

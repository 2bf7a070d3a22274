"""All figures of a run: counted from the rows, and left out with a reason where they cannot be."""

from __future__ import annotations

import pytest

from results_scene import case, results, said
from squads.bench.case import Label
from squads.bench.judged import Results
from squads.bench.summary import summary_of
from squads.contracts.errors import InvalidCase


def test_gates_and_panels_are_scored_on_all_cases() -> None:
    """The panel in which any may refuse has the catch of its best gate, and the false refusals of its worst."""
    found = summary_of(results())

    assert {"blind": 0.0, "keen": 1.0, "sharp": 1.0} == {s.gate: s.right_reason.value for s in found.gates}
    assert {"blind": 0.0, "keen": 1.0, "sharp": 0.0} == {s.gate: s.false_refusals.value for s in found.gates}
    assert [("any may refuse", 1.0, 1.0), ("two must refuse", 1.0, 0.0)] == [
        (s.gate, s.right_reason.value, s.false_refusals.value) for s in found.panels
    ]


def test_what_was_missed_and_what_was_refused_wrongly_is_named() -> None:
    """A reader can go from a figure to the cases behind it."""
    found = summary_of(results(2, keen="abstained"))

    assert () == found.never_caught
    assert [("family_0/clean", ("keen",)), ("family_1/clean", ("keen",))] == [
        (r.case, r.gates) for r in found.wrongly_refused
    ]


def test_a_defect_that_only_the_wrong_place_was_refused_for_was_never_caught() -> None:
    """Catches are counted at level three."""
    cases = [case(f"family_{n}", Label.DEFECT) for n in range(2)]
    rows = [said(cases[0], "sharp", "refused"), said(cases[1], "sharp", "refused", line=40)]
    found = summary_of(Results(title="t", cases=tuple(cases), judged=tuple(rows)))

    assert ("family_1/defect",) == found.never_caught


def test_what_cannot_be_counted_is_left_out_with_the_reason() -> None:
    """No calibration split, no budget curve; and never a curve of zeros."""
    found = summary_of(results())

    assert () == found.budgets
    assert any("calibration" in reason for reason in found.left_out)
    assert any("1 gates that caught nothing" in reason for reason in found.left_out)


def test_results_without_a_verdict_have_no_figures() -> None:
    """Nothing was judged, so nothing is said."""
    with pytest.raises(InvalidCase, match="no verdict"):
        summary_of(Results(title="t", cases=results().cases, judged=()))

"""Two runs on the same cases."""

from __future__ import annotations

import pytest

from results_scene import case, results, said
from squads.bench.case import Label
from squads.bench.compare import PANEL, compare
from squads.bench.judged import Results
from squads.contracts.errors import InvalidCase


def test_the_second_run_is_compared_with_the_first_case_by_case() -> None:
    """What is caught now and was not before is named, gate by gate, the panel first."""
    found = compare(results(keen="approved"), results())
    changes = {change.gate: change for change in found.changes}

    assert [PANEL, "blind", "keen", "sharp"] == [change.gate for change in found.changes]
    assert tuple(f"family_{n}/defect" for n in range(4)) == changes["keen"].caught_more
    assert () == changes["keen"].caught_less
    assert 1.0 == changes["keen"].catch.value  # type: ignore[union-attr]
    assert {"first_only": 4, "second_only": 0}.items() <= changes["keen"].catch_test.counts.items()
    assert 1.0 == changes[PANEL].catch_test.p


def test_a_run_compared_with_itself_has_not_moved() -> None:
    """No case is caught more or less, and no interval excludes zero."""
    found = compare(results(), results())

    assert (8, 0) == (found.cases, found.left_out)
    for change in found.changes:
        assert ((), (), (), ()) == (change.caught_more, change.caught_less, change.refused_more, change.refused_less)
        assert change.catch is not None
        assert change.catch.interval.holds(0.0)


def test_cases_with_other_bytes_or_another_label_are_not_compared() -> None:
    """Only what both gates were shown alike can tell them apart."""
    first, second = results(3), results(3)
    other = case("family_0", Label.DEFECT, files={"schema.sql": "CREATE TABLE other (\n a int\n);\n"})
    changed = Results(title="t", cases=(other, *second.cases[1:]), judged=second.judged)

    found = compare(first, changed)

    assert (5, 2) == (found.cases, found.left_out)


def test_runs_that_share_no_case_cannot_be_compared() -> None:
    """Neither can those that share no gate be told better or worse; the gates of each are named."""
    lone = case("another", Label.DEFECT)
    with pytest.raises(InvalidCase, match="share no case"):
        compare(results(), Results(title="t", cases=(lone,), judged=(said(lone, "sharp", "refused"),)))

    renamed = Results.model_validate(
        {
            **results().model_dump(),
            "judged": [{**r.model_dump(), "gate": "new"} for r in results().judged if r.gate == "sharp"],
        }
    )
    found = compare(results(), renamed)
    assert (("blind", "keen", "sharp"), ("new",)) == (found.only_first, found.only_second)

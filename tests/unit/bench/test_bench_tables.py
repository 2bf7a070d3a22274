"""Results and figures as comma-separated values."""

from __future__ import annotations

import csv
import io

from results_scene import results, said
from squads.bench.judged import Results
from squads.bench.summary import summary_of
from squads.bench.tables import figures_csv, rows_csv


def lines(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_verdict_is_one_line_with_its_case_and_its_level() -> None:
    """Level is empty on right cases: there is no place to be right about."""
    found = lines(rows_csv(results(1)))

    assert [("sharp", "defect", "refused", "3"), ("blind", "defect", "approved", "0")] == [
        (row["gate"], row["label"], row["decision"], row["level"]) for row in found[:2]
    ]
    assert {""} == {row["level"] for row in found if row["label"] == "clean"}


def test_factors_are_columns() -> None:
    """A data frame groups by them."""
    given = results(1)
    row = said(given.cases[0], "sharp", "refused", factors={"model": "a:b"})

    found = lines(rows_csv(Results(title="t", cases=given.cases, judged=(row,))))

    assert "a:b" == found[0]["factor_model"]


def test_text_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    """A gate's words may come from a model, and a model's from anybody."""
    given = results(1)
    row = said(given.cases[0], "sharp", "abstained", reason="=HYPERLINK(1)")

    found = lines(rows_csv(Results(title="t", cases=given.cases, judged=(row,))))

    assert "'=HYPERLINK(1)" == found[0]["reason"]


def test_every_rate_is_one_line_with_its_interval() -> None:
    """Of gates, of panels, and of the panel on each group of cases."""
    found = lines(figures_csv(summary_of(results())))
    row = next(r for r in found if (r["kind"], r["name"], r["figure"]) == ("gate", "sharp", "right_reason"))

    assert ("1.0", "4", "4", "4") == (row["value"], row["rows"], row["cases"], row["families"])
    assert 0.3 < float(row["low"]) < 1.0
    assert {"split=test", "origin=written", "invariant=sql.unique-null"} <= {r["of"] for r in found}

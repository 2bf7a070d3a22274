"""`squads bench report` and `squads bench compare` on a file of results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from results_scene import results
from squads.bench.results_file import read_results, write_results
from squads.cli.bench_report import print_comparison, results_at, write_report
from squads.contracts.errors import InvalidCase


def test_a_report_is_a_folder_with_page_tables_rows_and_logs(tmp_path: Path) -> None:
    """The page needs nothing else; the rows beside it give every figure again."""
    code = write_report(results(), tmp_path / "out", inspect=True, as_json=False)

    assert 0 == code
    names = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert {"report.html", "figures.json", "figures.csv", "verdicts.csv", "results.jsonl"} <= names
    assert 3 == sum(name.startswith("inspect/") for name in names)
    assert results() == read_results(tmp_path / "out/results.jsonl") == results_at(tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page


def test_the_page_names_what_was_missed_and_what_was_refused_wrongly(tmp_path: Path) -> None:
    """A figure without its cases convinces nobody."""
    write_report(results(2, keen="approved"), tmp_path / "out", inspect=False, as_json=False)
    page = (tmp_path / "out/report.html").read_text()

    assert "family_0/clean" in page
    assert "Every defect was caught by some gate" in page


def test_a_report_is_never_written_over(tmp_path: Path) -> None:
    """The folder that is there stays as it is."""
    (tmp_path / "out").mkdir()

    with pytest.raises(InvalidCase, match="there already"):
        write_report(results(), tmp_path / "out", inspect=False, as_json=False)
    assert [] == list((tmp_path / "out").iterdir())


def test_a_comparison_is_printed_in_words_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What moved is named."""
    write_results(results(keen="approved", title="before"), tmp_path / "a")
    first, second = results_at(tmp_path / "a"), results(title="after")

    print_comparison(first, second, as_json=False)
    told = capsys.readouterr().out
    print_comparison(first, second, as_json=True)

    assert told.startswith("after, against before: 8 cases in both, 0 not compared\n")
    assert "caught now: family_0/defect, family_1/defect" in told
    assert 4 == len(json.loads(capsys.readouterr().out)["changes"])

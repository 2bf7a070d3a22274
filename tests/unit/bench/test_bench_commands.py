"""The commands of `squads bench` say what they did, end with the codes of the others, and never with a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from squads.cli.app import app

runner = CliRunner()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder without a project."""
    monkeypatch.chdir(tmp_path)


def said(*words: str) -> dict[str, Any]:
    done = runner.invoke(app, ["bench", *words, "--json"])
    assert 0 == done.exit_code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def family(folder: Path) -> None:
    """Write a family of which the conflict check catches the defect."""
    for name, text in (
        ("defect", "<<<<<<< ours\nSELECT 1;\n=======\nSELECT 2;\n>>>>>>> theirs\n"),
        ("clean", "SELECT 1;\n"),
    ):
        (folder / "merge" / name).mkdir(parents=True)
        (folder / "merge" / name / "a.sql").write_text(text, "utf-8")
    (folder / "merge" / "family.yaml").write_text(
        "invariant: text.conflict-marker\ntitle: A merge is left half done.\nwhy: It does not run.\nlanguage: sql\n"
        "kind: schema\nsplit: test\nbrief: One query.\noracle: {kind: sql}\n"
        "variants: {defect: {places: [{path: a.sql, line: 1}]}, clean: {}}\n",
        "utf-8",
    )


def test_a_run_is_begun_gone_on_with_and_checked(tmp_path: Path) -> None:
    """Three commands from a folder of cases to rows that are known to follow from receipts."""
    family(tmp_path / "cases")
    words = ("run", "--cases", "cases", "--gates", "text.conflict-marker", "--out", "mine")
    first, again, checked = said(*words), said(*words), said("check", "mine")

    gate = first["gates"]["text.conflict-marker"]
    assert (1, 1, 1, 0) == (gate["defects"], gate["reason"], gate["rights"], gate["false_refusals"])
    assert (2, "finished", first["root"]) == (first["verdicts"], again["why"], again["root"])
    assert (2, 0) == (checked["rows"], checked["exit_code"])
    shown = runner.invoke(app, ["bench", *words]).output
    assert "text.conflict-marker" in shown
    assert "squads bench check mine" in shown


def test_a_run_that_was_changed_does_not_check(tmp_path: Path) -> None:
    """Exit code 2, and the row is named."""
    family(tmp_path / "cases")
    said("run", "--cases", "cases", "--gates", "text.conflict-marker", "--out", "mine")
    path = tmp_path / "mine" / "judged.jsonl"
    path.write_text(path.read_text("utf-8").replace('"refused"', '"approved"'), "utf-8")
    done = runner.invoke(app, ["bench", "check", "mine"])

    assert 2 == done.exit_code
    assert "text.conflict-marker on merge/defect" in done.output


def test_a_budget_of_seconds_ends_with_what_is_there(tmp_path: Path) -> None:
    """The code is 0, because it did what it was told, and the text says that the run can go on."""
    family(tmp_path / "cases")
    done = runner.invoke(
        app, ["bench", "run", "--cases", "cases", "--gates", "text.conflict-marker", "--budget-seconds", "0"]
    )

    assert 0 == done.exit_code
    assert "0 verdicts in 0 of 2 packets; it ended at its bound of seconds" in done.output


def test_whoever_interrupts_a_run_is_told_that_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder stays, and the sentence names it."""
    family(tmp_path / "cases")

    async def interrupted(*given: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("squads.cli.bench_run.run", interrupted)
    done = runner.invoke(app, ["bench", "run", "--cases", "cases", "--gates", "text.conflict-marker", "--out", "mine"])

    assert "interrupted; the same command goes on with what stands in mine" == str(done.exception)


def test_families_are_listed_with_their_labels(tmp_path: Path) -> None:
    """The built-in ones, and those of a folder."""
    family(tmp_path / "cases")
    built_in, own = said("list"), said("list", "--cases", "cases")

    assert built_in["cases"] == sum(len(f["cases"]) for f in built_in["families"])
    assert (2, {"clean": 1, "defect": 1}, {"test": 2}) == (own["cases"], own["labels"], own["splits"])
    assert (
        "1 families, 2 cases: 1 clean, 1 defect; 2 test"
        in runner.invoke(app, ["bench", "list", "--cases", "cases"]).output
    )


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["run", "--split", "training"], "is no split"),
        (["run", "--cases", "cases", "--split", "dev"], "no case of the split"),
        (["run", "--gates", "nobody"], "there is no gate"),
        (["run", "--budget-usd", "inf"], "is no bound"),
        (["run", "--budget-seconds", "inf"], "is no bound"),
        (["check", "nowhere"], "is no run"),
        (["list", "--cases", "nowhere"], "holds no family"),
        (["compare-priors"], "two or more"),
        (["list", "--cases", "swen:nowhere"], "'swen' a public set, which are cweval"),
        (["plant", "--folder", "cases", "--out", "cases/merge/family.yaml/planted"], "planted cannot be made: Not a"),
        (["rename", "--folder", "cases", "--out", "cases/merge/family.yaml/renamed"], "renamed cannot be made: Not a"),
    ],
    ids=["split", "empty-split", "gate", "usd", "seconds", "run", "cases", "priors", "public-set", "plant", "rename"],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, words: list[str], named: str) -> None:
    """What happened, to what, and what there is instead."""
    family(tmp_path / "cases")
    error = runner.invoke(app, ["bench", *words]).exception

    assert error is not None
    assert named in str(error)

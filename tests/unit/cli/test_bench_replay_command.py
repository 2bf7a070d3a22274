"""`squads bench replay`: a table for people, one object for programs, rows for whoever counts again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from squads.bench.loaders.real_vuln import RealVuln
from squads.bench.results_file import read_results
from squads.cli.app import app
from squads.contracts.errors import InvalidCase

SCANNERS = {"gpt-1": (1, 2), "grok-1": (2, 3), "kimi-1": (3, 4)}


@pytest.fixture
def a_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of three applications with three defects and a trap each, and three models with three runs."""
    monkeypatch.setattr(RealVuln, "counts", {"entries": 12, "vulnerable": 9, "traps": 3, "apps": 3})
    for app_name in ("one", "two", "three"):
        truth = tmp_path / "set" / "ground-truth" / app_name / "ground-truth.json"
        truth.parent.mkdir(parents=True)
        entries = [
            {
                "id": f"{app_name}-{n}",
                "is_vulnerable": n < 4,
                "primary_cwe": "CWE-89",
                "acceptable_cwes": ["CWE-89"],
                "file": "app.py",
                "location": {"start_line": 100 * n, "end_line": 100 * n},
                "severity": "high",
            }
            for n in (1, 2, 3, 4)
        ]
        truth.write_text(json.dumps({"findings": entries}), "utf-8")
        for scanner, seen in SCANNERS.items():
            folder = tmp_path / "set" / "scan-results" / app_name / scanner
            folder.mkdir(parents=True)
            for run in (1, 2, 3):
                # Each run misses one of what the model sees: another one in another application.
                lines = [100 * n for k, n in enumerate(seen) if (k + run + len(app_name)) % 3]
                found = [
                    {"path": "app.py", "start": {"line": line}, "extra": {"metadata": {"cwe": ["CWE-89"]}}}
                    for line in lines
                ]
                (folder / f"run-{run}.json").write_text(json.dumps({"results": found}), "utf-8")
    return tmp_path / "set"


def said(*words: str) -> str:
    """Return what the command prints; it has to end with 0."""
    done = CliRunner().invoke(app, ["bench", "replay", *words])
    assert 0 == done.exit_code, done.exception
    return done.stdout


def test_people_get_the_table(a_set: Path) -> None:
    """Every kind of panel with a line, and what second looks are worth."""
    shown = said(str(a_set))

    for line in ("3 gates with 3 repeats each on 3 families", "one run of each of 3 gates", "other maker"):
        assert line in shown


def test_programs_get_the_same_figures(a_set: Path) -> None:
    """One object with the table, the looks and every pair."""
    told = json.loads(said(str(a_set), "--json"))

    assert ["gpt-1", "grok-1", "kimi-1"] == told["table"]["gates"]
    assert 9 == told["table"]["defects"]["cases"]
    assert 6 == len(told["pairs"])
    assert told["table"]["defects"]["distinct"] >= told["table"]["defects"]["same"] > 0


def test_beside_one_gate_every_second_look_is_listed(a_set: Path) -> None:
    """Its own other run among them."""
    told = json.loads(said(str(a_set), "--beside", "gpt-1", "--json"))

    assert {"gpt-1", "grok-1", "kimi-1"} == {pair["second"] for pair in told["pairs"]}
    assert {"gpt-1"} == {pair["first"] for pair in told["pairs"]}
    assert "kimi-1" in said(str(a_set), "--beside", "gpt-1")


def test_every_verdict_can_be_written(a_set: Path, tmp_path: Path) -> None:
    """A row for each entry and run, as the library reads them."""
    out = tmp_path / "rows.jsonl"
    said(str(a_set), "--out", str(out))

    assert 12 * 3 * 3 == len(read_results(out).judged)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--loader", "real-vul"), "did you mean 'real-vuln'"),
        (("--beside", "gpt-2"), "known: gpt-1, grok-1, kimi-1"),
    ],
)
def test_a_slip_is_told(a_set: Path, words: tuple[str, ...], sentence: str) -> None:
    """What is not there is named beside what is."""
    done = CliRunner().invoke(app, ["bench", "replay", str(a_set), *words])

    assert isinstance(done.exception, InvalidCase)
    assert sentence in str(done.exception)


def test_a_file_that_cannot_be_written_is_told(a_set: Path, tmp_path: Path) -> None:
    """One sentence, and no traceback."""
    done = CliRunner().invoke(app, ["bench", "replay", str(a_set), "--out", str(tmp_path / "no" / "rows.jsonl")])

    assert "cannot be written" in str(done.exception)


def test_what_is_infinite_is_null_in_json(a_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON has no word for it, and what reads JSON stops at `Infinity`."""
    monkeypatch.setattr("squads.bench.replay.effective", lambda union, single: float("inf"))

    told = said(str(a_set), "--json")

    assert "Infinity" not in told
    assert json.loads(told)["table"]["effective_same"] is None

"""`squads gate --format`: every format says the same, the exit code does not change, and one run can write them all."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

import quick_start

SQUADS = quick_start.squads()
BAD = "CREATE TABLE w (id bigint PRIMARY KEY, balance bigint NOT NULL);\n"
GOOD = "CREATE TABLE w (id bigint PRIMARY KEY, balance bigint NOT NULL CHECK (balance >= 0));\n"
FORMATS = ["text", "json", "sarif", "junit", "markdown"]


def gate(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SQUADS, "gate", "a.sql", "--store", "store", *arguments],
        cwd=cwd, capture_output=True, check=False, timeout=60, encoding="utf-8",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUADS_HOME", str(tmp_path / "keys"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("content", "code"), [(BAD, 1), (GOOD, 0), ("CREATE TABLE (", 2)], ids=["bad", "good", "odd"])
def test_the_exit_code_is_the_same_in_every_format(tmp_path: Path, form: str, content: str, code: int) -> None:
    """0 composed, 1 refused, 2 could not find out, however it is written."""
    (tmp_path / "a.sql").write_text(content)

    done = gate(tmp_path, "--format", form)

    assert (code, "") == (done.returncode, done.stderr)
    assert "sql.balance-not-negative" in done.stdout


def test_one_run_writes_every_format(tmp_path: Path) -> None:
    """One packet, one line of receipts, and a file for each tool."""
    (tmp_path / "a.sql").write_text(BAD)
    names = ["r.sarif", "r.xml", "r.md", "r.json", "r.txt"]

    done = gate(tmp_path, *[f"--write={name}" for name in names])

    assert done.returncode == 1
    assert "✗ sql.balance-not-negative refused: 1 finding" in done.stdout
    packet = json.loads((tmp_path / "r.json").read_text("utf-8"))["packet"]
    assert all(packet in (tmp_path / name).read_text("utf-8") for name in names)
    assert (tmp_path / "r.txt").read_text("utf-8") == done.stdout
    assert json.loads((tmp_path / "r.sarif").read_text("utf-8"))["version"] == "2.1.0"
    assert ElementTree.parse(tmp_path / "r.xml").getroot().get("failures") == "1"
    assert (tmp_path / "r.md").read_text("utf-8").startswith("<!-- squads gate -->\n")


def test_json_is_the_format_json(tmp_path: Path) -> None:
    """`--json` is the older name."""
    (tmp_path / "a.sql").write_text(BAD)

    first, second = (json.loads(gate(tmp_path, *o).stdout) for o in (["--json"], ["--format", "json"]))

    assert first.keys() == second.keys()
    assert first["judgements"] == second["judgements"] or len(first["judgements"]) == len(second["judgements"])


@pytest.mark.parametrize(
    ("option", "sentence"),
    [("--format=pdf", "is no format of a gate"), ("--write=r.pdf", "names no format"), ("--write=no/r.md", "cannot")],
)
def test_a_format_that_is_none_is_one_sentence(tmp_path: Path, option: str, sentence: str) -> None:
    """Said before anything is judged, or with what was kept."""
    (tmp_path / "a.sql").write_text(GOOD)

    done = gate(tmp_path, option)

    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr

"""`squads bench prove`: a line for each variant, and an exit code that says whether the set can be believed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from squads.bench.families import built_in_folder
from squads.cli.app import app
from squads.contracts.errors import InvalidInput

FAMILY = "token_by_hand"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set with one family."""
    shutil.copytree(built_in_folder() / FAMILY, tmp_path / FAMILY)
    return tmp_path


def test_every_label_is_proved(folder: Path) -> None:
    """Exit code 0, and as data one object a line."""
    done = CliRunner().invoke(app, ["bench", "prove", "--folder", str(folder), "--json"])
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.exit_code == 0
    assert {"proved"} == {row["label_is"] for row in rows}
    assert [f"{FAMILY}/{v}" for v in ("clean", "cosmetic", "decoy", "defect")] == [row["case"] for row in rows]


def test_a_refuted_label_is_exit_code_one(folder: Path) -> None:
    """Also where another label could not be proved: a wrong label is the worse thing to have."""
    shutil.copy(folder / FAMILY / "defect" / "sso.py", folder / FAMILY / "clean" / "sso.py")
    (folder / FAMILY / "decoy" / "sso.py").write_text("raise SystemExit(3)\n")
    done = CliRunner().invoke(app, ["bench", "prove", "--folder", str(folder)])

    assert done.exit_code == 1
    assert "refuted   token_by_hand/clean" in done.stdout
    assert "2 proved, 1 refuted, 1 unproved" in done.stdout


def test_an_unproved_label_is_exit_code_two(folder: Path) -> None:
    """Could not find out is not proved."""
    (folder / FAMILY / "decoy" / "sso.py").write_text("raise SystemExit(3)\n")
    done = CliRunner().invoke(app, ["bench", "prove", FAMILY, "--folder", str(folder)])

    assert done.exit_code == 2


def test_an_unknown_family_is_said_with_the_nearest_one(folder: Path) -> None:
    """Before anything is proved."""
    done = CliRunner().invoke(app, ["bench", "prove", "token_by_hands", "--folder", str(folder)])

    assert isinstance(done.exception, InvalidInput)
    assert f"did you mean '{FAMILY}'" in str(done.exception)

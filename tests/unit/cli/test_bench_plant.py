"""`squads bench plant` and `squads bench load`: what they print, and what is left afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from squads.bench.families import cases, set_digest
from squads.cli.app import app
from squads.contracts.errors import InvalidCase, InvalidInput

PLANT = ["bench", "plant", "--family", "token_by_hand"]


def test_plant_writes_a_set_that_is_kept(tmp_path: Path) -> None:
    """It tells the fate of each candidate, and the digest of the set that is read back."""
    shown = CliRunner().invoke(app, [*PLANT, "--seed", "7", "--out", str(tmp_path / "out")]).stdout
    found = cases(tmp_path / "out")

    assert "kept        token_by_hand/defect-python-signature-clean-1" in shown
    assert f"2 kept, 0 equivalent, 0 failed\nset {set_digest(found)}\n" in shown
    assert {"clean", "decoy", "defect"} == {c.variant.partition("-")[0] for c in found}


def test_plant_tells_data_too(tmp_path: Path) -> None:
    """Where nothing can be planted, that is no error, and the set is empty."""
    done = CliRunner().invoke(app, [*PLANT, "--operators", "sql", "--out", str(tmp_path / "out"), "--json"])

    assert {"kept": 0, "equivalent": 0, "failed": 0, "seed": 0}.items() <= json.loads(done.stdout).items()
    assert ["planting.json"] == [p.name for p in (tmp_path / "out").iterdir()]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--family", "token_by_hnd", "--out", "out"], "did you mean 'token_by_hand'"),
        (["--operators", "sql.chekc", "--out", "out"], "did you mean 'sql.check'"),
        (["--out", "."], "holds something"),
    ],
    ids=["family", "operator", "folder"],
)
def test_plant_says_what_is_wrong(
    options: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is proved."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.txt").touch()
    done = CliRunner().invoke(app, ["bench", "plant", *options])

    assert isinstance(done.exception, InvalidInput)
    assert said in str(done.exception)


def test_load_says_what_is_missing(tmp_path: Path) -> None:
    """And which loaders there are."""
    known = CliRunner().invoke(app, ["bench", "load", "cwevla", str(tmp_path)])
    empty = CliRunner().invoke(app, ["bench", "load", "eugene", str(tmp_path)])

    assert isinstance(known.exception, InvalidCase)
    assert "did you mean 'cweval'" in str(known.exception)
    assert "is not eugene" in str(empty.exception)


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_load_counts_and_writes(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of JSON for every case, with its label: it is for people, not for gates."""
    monkeypatch.setattr("squads.bench.loaders.eugene.Eugene.counts", {"bad.sql": 1})
    script = tmp_path / "eugene" / "examples" / "E6" / "bad.sql"
    script.parent.mkdir(parents=True)
    script.write_text("-- 1.sql\ncreate table t (a int);\n-- 2.sql\ncreate index i on t (a);\n", "utf-8")
    out = tmp_path / "cases.jsonl"
    done = CliRunner().invoke(app, ["bench", "load", "eugene", str(tmp_path), "--out", str(out), *options])

    assert done.exit_code == 0
    assert "7f8b343ae93e" in done.stdout
    assert "eugene-e6" == json.loads(out.read_text("utf-8"))["family"]


def test_rename_writes_a_set_and_its_manifest(tmp_path: Path) -> None:
    """One line for each family; the digest is the set's."""
    done = CliRunner().invoke(
        app, ["bench", "rename", "--family", "token_by_hand", "--seed", "3", "--out", str(tmp_path / "out")]
    )

    assert "is renamed_001" in done.stdout
    assert "1 of 1 families renamed" in done.stdout
    assert json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))["set"] in done.stdout
    assert 4 == len(cases(tmp_path / "out"))


@pytest.mark.parametrize(
    ("place", "says"),
    [("none/cases.jsonl", "cannot be written"), ("kept.jsonl", "is there already")],
    ids=["no", "old"],
)
def test_load_says_where_it_cannot_write(
    place: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence with the path, and no word about how the library works; a file that is there stays as it is."""
    monkeypatch.setattr("squads.bench.loaders.loader_named", lambda name: SimpleNamespace(load=lambda path: []))
    (tmp_path / "kept.jsonl").write_text("kept", "utf-8")
    done = CliRunner().invoke(app, ["bench", "load", "eugene", str(tmp_path), "--out", str(tmp_path / place)])

    assert isinstance(done.exception, InvalidInput)
    assert f"{tmp_path / place} {says}" in str(done.exception)
    assert "kept" == (tmp_path / "kept.jsonl").read_text("utf-8")

"""`squads anchors`, and what `verify` and `status` say of them."""

from __future__ import annotations

import json
import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from desk_store import fill
from typer.testing import CliRunner

from squads.audit import trust_in
from squads.cli.app import app
from squads.contracts.errors import SquadsError
from squads.ledger.evidence import check_evidence


class Done(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


def squads(*words: str, cwd: Path) -> Done:
    """Run a command here; an error is the sentence that `main` would print."""
    with chdir(cwd):
        done = CliRunner().invoke(app, words)
    if isinstance(done.exception, SquadsError):
        return Done(2, done.stdout, str(done.exception))
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def anchor(tmp_path: Path) -> str:
    fill(tmp_path)
    (tmp_path / "outside").mkdir()
    return f"file:{tmp_path}/outside/anchor"


def told(*words: str, cwd: Path) -> Any:
    return json.loads(squads(*words, "--json", cwd=cwd).stdout)


def test_an_anchor_is_added_looked_at_and_removed(tmp_path: Path, anchor: str) -> None:
    """It holds the newest checkpoint from the beginning, and what it holds stays."""
    assert [] == told("anchors", "list", cwd=tmp_path)["anchors"]
    added = squads("anchors", "add", anchor, cwd=tmp_path)
    listed = told("anchors", "list", cwd=tmp_path)
    checked = told("anchors", "check", cwd=tmp_path)
    again = squads("anchors", "add", anchor, cwd=tmp_path)
    removed = told("anchors", "remove", anchor, cwd=tmp_path)

    assert (0, "") == (added.returncode, added.stderr)
    assert "held" in added.stdout
    assert [anchor] == listed["anchors"]
    (seen,) = checked["anchors"]
    assert (0, True, ["held"]) == (checked["exit_code"], seen["sound"], [note["state"] for note in seen["notes"]])
    assert (2, True) == (again.returncode, "already" in again.stderr)
    assert ([anchor], []) == (removed["removed"], removed["anchors"])
    assert (tmp_path / "outside" / "anchor").exists()


def test_what_cannot_be_an_anchor_is_not_added(tmp_path: Path, anchor: str) -> None:
    """One sentence says why, exit code 2, and nothing is named."""
    for url, why in ((anchor.replace("outside", "nowhere"), "mount it"), ("s3:x", "is no anchor")):
        done = squads("anchors", "add", url, cwd=tmp_path)
        assert (2, True) == (done.returncode, why in done.stdout + done.stderr), done
    for words in (("anchors", "check"), ("anchors", "remove", anchor)):
        assert 2 == squads(*words, cwd=tmp_path).returncode
    assert [] == told("anchors", "list", cwd=tmp_path)["anchors"]


def test_a_restored_copy_is_named_by_every_command(tmp_path: Path, anchor: str) -> None:
    """And an anchor that contradicts the ledger is given nothing more."""
    store = tmp_path / ".squads"
    squads("anchors", "add", anchor, cwd=tmp_path)
    shutil.copytree(store, tmp_path / "old")
    assert 0 == squads("people", "--add", "noor", cwd=tmp_path).returncode
    kept = (tmp_path / "outside" / "anchor").read_bytes()
    shutil.rmtree(store)
    (tmp_path / "old").rename(store)
    for checkpoints in Path(json_home()).glob("*/checkpoints"):
        _cut(checkpoints)

    stopped = squads("stop", "why", cwd=tmp_path)
    checked = told("anchors", "check", cwd=tmp_path)
    verified = told("verify", cwd=tmp_path)
    status = told("status", cwd=tmp_path)

    assert (2, True) == (stopped.returncode, "an old copy was restored" in stopped.stderr)
    assert ["held", "beyond"] == [note["state"] for note in checked["anchors"][0]["notes"]]
    assert (2, False) == (checked["exit_code"], checked["anchors"][0]["sound"])
    assert [("rollback", anchor[5:])] == [
        (r["check"], r["source"]) for r in verified["results"] if r["state"] == "failed"
    ]
    assert "an old copy was restored" in status["anchors"][0]["error"]
    assert (2, True) == (status["exit_code"], status["anchors"][0]["contradicts"])
    assert "CONTRADICTS" in squads("status", cwd=tmp_path).stdout
    assert kept == (tmp_path / "outside" / "anchor").read_bytes()


def test_verify_compares_with_anchors_that_are_named_and_writes_what_proves_a_fork(tmp_path: Path, anchor: str) -> None:
    """Whoever checks a copy brings the anchor's address, and a place for what is found."""
    store, twin = tmp_path / ".squads", tmp_path / "twin"
    shutil.copytree(store, twin)
    squads("people", "--add", "noor", cwd=tmp_path)
    squads("anchors", "add", anchor, cwd=tmp_path)
    squads("anchors", "remove", anchor, cwd=tmp_path)
    shutil.rmtree(store)
    twin.rename(store)
    for checkpoints in Path(json_home()).glob("*/checkpoints"):
        _cut(checkpoints)
    for name in ("mara", "zoe"):
        assert 0 == squads("people", "--add", name, cwd=tmp_path).returncode

    plain = squads("verify", cwd=tmp_path)
    done = squads("verify", "--anchor", anchor, "--evidence", str(tmp_path / "proofs"), cwd=tmp_path)

    assert 0 == plain.returncode, plain.stdout
    assert 2 == done.returncode
    (written,) = (tmp_path / "proofs").iterdir()
    assert f"Fork evidence: {written}" in done.stdout.replace("\n", "")
    assert check_evidence(written.read_bytes(), trust_in(store).log_key)


def test_status_tells_how_far_each_anchor_is(tmp_path: Path, anchor: str) -> None:
    """And where one cannot be read, that nothing was compared."""
    squads("anchors", "add", anchor, cwd=tmp_path)
    fine = squads("status", cwd=tmp_path)
    (tmp_path / "outside" / "anchor").unlink()
    gone = squads("status", cwd=tmp_path)

    assert "covers" in fine.stdout
    assert "NOT COMPARED" in gone.stdout
    assert fine.returncode == gone.returncode


def json_home() -> str:
    """Where keys are kept in these tests."""
    from squads.adapters.keys import keys_home

    return str(keys_home())


def _cut(checkpoints: Path) -> None:
    """Take the newest line away, as restoring an old copy of the file does."""
    lines = checkpoints.read_bytes().splitlines(keepends=True)
    checkpoints.write_bytes(b"".join(lines[:-1]))

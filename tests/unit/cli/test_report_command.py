"""`squads report` as a person uses it: from a real store, to a file or to the screen, and never a traceback."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

import quick_start

SQUADS = quick_start.squads()


def squads(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SQUADS, *arguments], cwd=cwd, capture_output=True, check=False, timeout=60, encoding="utf-8")


@pytest.fixture
def packet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SQUADS_HOME", str(tmp_path / "keys"))
    (tmp_path / "a.sql").write_text("CREATE TABLE w (id bigint PRIMARY KEY, balance bigint NOT NULL);\n")
    done = squads("gate", "a.sql", "--store", "store", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    found = re.search(r"^packet ([0-9a-f]{32})", done.stdout, re.MULTILINE)
    assert found
    return found[1]


def test_markdown_goes_to_the_screen_and_the_ending_chooses_for_a_file(tmp_path: Path, packet: str) -> None:
    """The page in a file is the page on the screen; the beginning of an id is enough."""
    shown = squads("report", packet[:10], "--store", "store", cwd=tmp_path)
    squads("report", packet, "--store", "store", "--out", "page.md", cwd=tmp_path)
    squads("report", packet, "--store", "store", "--out", "page.html", cwd=tmp_path)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert (tmp_path / "page.md").read_text("utf-8") == shown.stdout
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!doctype html>")
    assert "w.balance may be stored below zero" in shown.stdout
    assert "squads verify store" in shown.stdout


def test_json_holds_the_facts_and_the_text(tmp_path: Path, packet: str) -> None:
    """A program gets outcome, reason, ledger head and the page."""
    data = json.loads(squads("report", packet, "--store", "store", "--json", cwd=tmp_path).stdout)

    assert (data["packet"], data["outcome"], data["reason"]) == (packet, "not-composed", "task-refused")
    assert data["text"].startswith("# ")
    assert data["ledger"]["root"] in data["text"]


def test_reading_appends_nothing_and_the_ledger_still_verifies(tmp_path: Path, packet: str) -> None:
    before = (tmp_path / "store" / "ledger.db").read_bytes()

    squads("report", packet, "--store", "store", cwd=tmp_path)

    assert before == (tmp_path / "store" / "ledger.db").read_bytes()
    assert squads("verify", "store", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["{packet}", "--store", "store", "--out", "page.pdf"], "names no format"),
        (["{packet}", "--store", "store", "--format", "pdf"], "is no format of a report"),
        (["{packet}", "--store", "store", "--out", "nowhere/page.md"], "cannot write"),
        (["{packet}", "--store", "elsewhere"], "there is no ledger"),
        (["0000" * 8, "--store", "store"], "there is no packet"),
        (["../x", "--store", "store"], "is no packet's id"),
    ],
    ids=["ending", "format", "folder", "store", "unknown", "id"],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, packet: str, arguments: list[str], sentence: str) -> None:
    """Exit code 2, nothing on standard output, no traceback."""
    done = squads("report", *[a.format(packet=packet) for a in arguments], cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr

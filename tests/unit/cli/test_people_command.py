"""`squads people`: whose keys may answer, and the one command that makes somebody known."""

from __future__ import annotations

import json
from pathlib import Path

from desk_store import fill, squads

from squads.audit import audit


def test_people_are_listed_by_name_with_the_id_that_receipts_use(tmp_path: Path) -> None:
    """Names come from beside the keys; the ledger has ids only."""
    fill(tmp_path, people=("owner", "mara"))
    done = squads("people", cwd=tmp_path)
    found = json.loads(squads("people", "--json", cwd=tmp_path).stdout)["people"]

    assert done.returncode == 0, done.stderr
    assert [(p["name"], p["here"]) for p in found] == [("mara", True), ("owner", True)]
    for person in found:
        assert person["id"] in done.stdout
        assert person["name"] in done.stdout


def test_a_person_is_added_by_name_and_only_so(tmp_path: Path) -> None:
    """Answering or stopping as somebody unknown makes no key; `--add` does, and the ledger verifies."""
    fill(tmp_path)
    stranger = squads("stop", "why", "--as", "noor", cwd=tmp_path)
    added = squads("people", "--add", "noor", "--json", cwd=tmp_path)
    stopped = squads("stop", "why", "--as", "noor", cwd=tmp_path)

    assert (stranger.returncode, added.returncode, stopped.returncode) == (2, 0, 0)
    assert "known here: owner" in stranger.stderr
    assert json.loads(added.stdout)["added"]["name"] == "noor"
    assert audit(tmp_path / ".squads").failed == ()


def test_a_name_that_is_none_is_bad_input(tmp_path: Path) -> None:
    """Exit code 2 and what a name looks like."""
    fill(tmp_path)
    done = squads("people", "--add", "Noor Smith", cwd=tmp_path)

    assert done.returncode == 2
    assert "is no name for a person's key" in done.stderr


def test_a_workspace_of_nobody_says_how_to_begin(tmp_path: Path) -> None:
    """No person was ever named: the sentence names the command."""
    fill(tmp_path, people=())

    assert "`squads people --add NAME` makes one" in squads("people", cwd=tmp_path).stdout

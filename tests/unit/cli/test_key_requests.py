"""Changes of keys that are asked for here, signed on another machine, and handed in here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_keys_command import listed, squads

from squads.adapters.keys import create, load
from squads.audit import audit


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A workspace whose root key is on another machine, in `tmp_path / "there"`."""
    where, there = tmp_path / "work", tmp_path / "there"
    where.mkdir()
    there.mkdir()
    assert squads("keys", "init", "--root", str(there / "root.key"), cwd=where).returncode == 0
    assert squads("keys", "add", "gate:old", "--root", str(there / "root.key"), cwd=where).returncode == 0
    return where


def asked(place: Path, *command: str) -> Path:
    file = place.parent / "there" / "request.json"
    file.unlink(missing_ok=True)
    done = squads("keys", *command, "--request", str(file), cwd=place)
    assert done.returncode == 0, done.stderr
    return file


def sign(file: Path, root: str = "root.key") -> Any:
    return squads("keys", "sign", str(file), "--root", str(file.with_name(root)), "--yes", cwd=file.parent)


@pytest.mark.parametrize(
    ("command", "event"),
    [
        (("add", "gate:new"), "register     gate:new"),
        (("rotate", "gate:old"), "rotate       gate:old"),
        (("revoke", "gate:old", "--reason", "lost", "--suspect-from", "3"), "suspect from receipt 3 on"),
    ],
)
def test_a_change_is_asked_for_signed_elsewhere_and_handed_in(
    place: Path, command: tuple[str, ...], event: str
) -> None:
    """Nothing changes before it is handed in; the signer is shown what it is; twice is once; the ledger verifies."""
    before = listed(place)
    file = asked(place, *command)
    shown = sign(file)
    unchanged = listed(place)
    squads("stop", "the log grows meanwhile", cwd=place)
    done = squads("keys", "submit", str(file), "--json", cwd=place)
    again = squads("keys", "submit", str(file), "--json", cwd=place)

    assert (0, 0, 0) == (shown.returncode, done.returncode, again.returncode), shown.stderr + done.stderr + again.stderr
    assert event in shown.stdout
    assert before == unchanged != listed(place)
    assert [True, False] == [json.loads(one.stdout)["keys"][0]["changed_now"] for one in (done, again)]
    assert all(key["here"] for key in listed(place) if key["active"] and key["roles"] != ["root"])
    assert audit(place / ".squads").failed == ()


def test_what_is_not_signed_by_the_root_is_not_handed_in(place: Path) -> None:
    """Neither unsigned, nor signed by another key."""
    file = asked(place, "add", "gate:new")
    create(file.with_name("other.key"))
    before = listed(place)
    unsigned = squads("keys", "submit", str(file), cwd=place)
    sign(file, "other.key")
    foreign = squads("keys", "submit", str(file), cwd=place)

    for done in (unsigned, foreign):
        assert done.returncode == 2
        assert "no root of this workspace has signed" in done.stderr
    assert before == listed(place)


def test_what_was_changed_after_it_was_signed_is_not_handed_in(place: Path) -> None:
    """The signature is over exactly the bytes that were shown."""
    file = asked(place, "add", "gate:new")
    sign(file)
    file.write_text(file.read_text().replace("gate:new", "gate:two"))
    done = squads("keys", "submit", str(file), cwd=place)

    assert done.returncode == 2
    assert "not over what it says" in done.stderr


def test_the_signer_is_shown_what_the_bytes_say_and_not_what_the_file_says_of_them(place: Path) -> None:
    """The words for people in the file are never read."""
    file = asked(place, "add", "gate:new")
    value = json.loads(file.read_text())
    value["what_is_signed"] = ["register     gate:harmless"]
    file.write_text(json.dumps(value))
    shown = sign(file).stdout

    assert "gate:new" in shown
    assert "harmless" not in shown


def test_another_workspaces_request_is_not_handed_in(place: Path, tmp_path: Path) -> None:
    """A request is for one log."""
    other = tmp_path / "other"
    other.mkdir()
    squads("keys", "init", cwd=other)
    file = asked(place, "add", "gate:new")
    sign(file)
    done = squads("keys", "submit", str(file), cwd=other)

    assert done.returncode == 2
    assert "this one is another" in done.stderr


@pytest.mark.parametrize("content", ["", "{}", "[]", "\x00", '{"format": "squads.key-request/v1"}', "[" * 100_000])
def test_what_is_no_request_is_one_sentence(place: Path, content: str) -> None:
    """Nothing of it is signed or handed in."""
    file = place.parent / "there" / "bad.json"
    file.write_text(content)

    for done in (sign(file), squads("keys", "submit", str(file), cwd=place)):
        assert done.returncode == 2
        assert "is no request for a change of keys" in done.stderr


def test_a_request_for_something_else_is_not_signed(place: Path) -> None:
    """A grant, a policy or a verdict in the place of a key event: the root key never sees it."""
    file = asked(place, "add", "gate:new")
    value = json.loads(file.read_text())
    value["payload"] = value["payload"].replace("key-event", "grant")
    file.write_text(json.dumps(value))
    done = sign(file)

    assert done.returncode == 2
    assert "something else than a key" in done.stderr
    assert json.loads(file.read_text())["signatures"] == []


def test_nobody_signs_without_looking(place: Path) -> None:
    """Without a terminal it takes --yes; what is signed is shown all the same."""
    file = asked(place, "add", "gate:new")
    done = squads("keys", "sign", str(file), "--root", str(file.with_name("root.key")), cwd=file.parent)

    assert done.returncode == 2
    assert "--yes" in done.stderr


def test_a_request_is_not_written_over_another_file(place: Path) -> None:
    """The file may be one that is still to be signed."""
    file = asked(place, "add", "gate:new")
    done = squads("keys", "add", "gate:two", "--request", str(file), cwd=place)

    assert done.returncode == 2
    assert "name a new file" in done.stderr
    assert load(file.with_name("root.key"))

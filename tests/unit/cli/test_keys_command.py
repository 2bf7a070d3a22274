"""`squads keys` and `squads policy`, as a person runs them."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from unittest.mock import patch

import pytest
from desk_store import squads as squads_process

from squads import Approved, Limits, Squad
from squads.adapters.keys import load_or_create
from squads.adapters.system import SystemClock
from squads.audit import audit
from squads.cli.app import main
from squads.enrolment import request_line, worker_signers
from squads.testing import FixedSigner, ScriptedBuilder, ScriptedGate


def squads(*arguments: str, cwd: Path) -> CompletedProcess[str]:
    """Run a command in this process, as a terminal would."""
    out, error, code = io.StringIO(), io.StringIO(), 0
    with (
        chdir(cwd),
        patch.object(sys, "argv", ["squads", *arguments]),
        patch("logging.basicConfig"),
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return CompletedProcess(arguments, code, out.getvalue(), error.getvalue())


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    """A removable disk with the root key of the workspace that was founded in `place`."""
    disk = tmp_path / "usb"
    disk.mkdir()
    return disk / "root.key"


@pytest.fixture
def place(tmp_path: Path, usb: Path) -> Path:
    where = tmp_path / "work"
    where.mkdir()
    done = squads("keys", "init", "--root", str(usb), cwd=where)
    assert done.returncode == 0, done.stderr
    return where


def listed(place: Path) -> list[dict[str, Any]]:
    return json.loads(squads("keys", "list", "--json", cwd=place).stdout)["keys"]  # type: ignore[no-any-return]


def test_a_workspace_is_founded_with_its_root_on_a_disk(place: Path, usb: Path, tmp_path: Path) -> None:
    """Mode 0600, nowhere else, and everything that needs no root works without it."""
    held = usb.rename(tmp_path / "drawer.key")
    gated = place / "a.sql"
    gated.write_text("CREATE TABLE t (id int NOT NULL);\n")

    assert held.stat().st_mode & 0o777 == 0o600
    assert squads("gate", "a.sql", cwd=place).returncode == 0
    assert squads("stop", "why", cwd=place).returncode == 0
    assert squads("lift", "why", cwd=place).returncode == 0
    assert [key["here"] for key in listed(place) if key["roles"] == ["root"]] == [False]
    assert audit(place / ".squads").failed == ()


def test_what_changes_keys_needs_the_root_and_says_so(place: Path, usb: Path, tmp_path: Path) -> None:
    """Exit code 2, one sentence, and nothing was appended."""
    root = str(usb.rename(tmp_path / "drawer.key"))
    before = listed(place)
    commands = [
        ("keys", "add", "gate:new"),
        ("keys", "rotate", "runner"),
        ("keys", "revoke", "runner", "--reason", "lost"),
        ("policy", "set", "--end-level", "anchored"),
        ("people", "--add", "mara"),
    ]
    for command in commands:
        done = squads(*command, cwd=place)

        assert done.returncode == 2
        assert "--root FILE" in done.stderr
        assert "Traceback" not in done.stderr
    assert before == listed(place)
    for command in commands[:2] + commands[3:]:
        assert squads(*command, "--root", root, cwd=place).returncode == 0
    assert audit(place / ".squads").failed == ()


def test_keys_are_listed_with_all_that_became_of_them(place: Path, usb: Path) -> None:
    """Rotated, revoked, made anew: each key with where it counts, and why it ended."""
    root = ("--root", str(usb))
    added = squads("keys", "add", "gate:new", *root, cwd=place)
    rotated = json.loads(squads("keys", "rotate", "gate:new", *root, "--json", cwd=place).stdout)
    revoked = squads("keys", "revoke", "gate:new", "--reason", "compromised", *root, cwd=place)
    again = squads("keys", "add", "gate:new", *root, cwd=place)
    shown = squads("keys", "list", cwd=place).stdout
    first, second, third = (key for key in listed(place) if key["roles"] == ["gate:new"])

    assert all(done.returncode == 0 for done in (added, revoked, again))
    assert "say since when" in revoked.stdout
    assert second["key"] == rotated["keys"][0]["key"] == first["successor"]
    assert [("", False), ("compromised", False), ("", True)] == [
        (key["revoked"], key["active"]) for key in (first, second, third)
    ]
    assert f"rotated to {second['key'][:16]}" in shown
    assert f"revoked (compromised) at receipt {second['ended_by']}" in shown


def test_a_revocation_that_reaches_back_names_what_rests_on_the_key(tmp_path: Path) -> None:
    """The packets that composed on what the thief may have said, and what to do with them."""

    async def ran() -> str:
        async with Squad(
            builder=ScriptedBuilder({"a": "b"}, prior="b"),
            gates=[ScriptedGate("style", Approved(), prior="g")],
            store=tmp_path / ".squads",
            limits=Limits(attempts_max=1),
        ) as squad:
            return (await squad.run("One.")).packet

    packet = asyncio.run(ran())
    done = squads("keys", "revoke", "gate:style", "--reason", "compromised", "--suspect-from", "4", cwd=tmp_path)
    verified = squads("verify", cwd=tmp_path)

    assert done.returncode == verified.returncode == 0
    assert packet in done.stdout
    assert f"composed on what it said: {packet}" in verified.stdout


def test_what_a_worker_asks_for_is_added_by_its_line(place: Path, usb: Path) -> None:
    """The same as `squads enroll LINE`, which takes the root from elsewhere too."""
    workspace = json.loads(squads("keys", "list", "--json", cwd=place).stdout)["workspace"]
    role = "gate:sql.unique-null"
    lines = []
    for name in ("one", "two"):
        signers = worker_signers(load_or_create(usb.with_name(f"{name}.key")), workspace, [role])
        lines.append(request_line(signers, workspace, now_ms=SystemClock().now_ms()))
    done = squads("keys", "add", "--enrolment", lines[0], "--root", str(usb), cwd=place)
    other = squads("enroll", lines[1], "--root", str(usb), cwd=place)

    assert (0, 0) == (done.returncode, other.returncode), done.stderr + other.stderr
    assert len([key for key in listed(place) if key["roles"] == [role]]) == 3


def test_a_key_that_is_elsewhere_is_added_by_its_public_half(place: Path, usb: Path) -> None:
    """With the custody that whoever adds it vouches for."""
    raw = FixedSigner("there").public_key.hex()
    done = squads(
        "keys", "add", "gate:new", "--public-key", raw, "--custody", "kms", "--root", str(usb), "--json", cwd=place
    )

    assert [("gate:new", "kms", True)] == [
        (key["role"], key["custody"], key["changed_now"]) for key in json.loads(done.stdout)["keys"]
    ]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("keys", "add", "a", "b", "--public-key", "00"), "exactly one role"),
        (("keys", "add", "gate:x", "--custody", "kms"), "--custody goes with --public-key"),
        (("keys", "add", "gate:x", "--public-key", "zz"), "64 hex digits"),
        (("keys", "add", "gate:x", "--enrolment", "abc"), "give it alone"),
        (("keys", "add", "--enrolment", "abc"), "no enrolment request"),
        (("keys", "add", "judge:x"), "no role"),
        (("keys", "rotate", "log"), "found a new store"),
        (("keys", "revoke", "runner", "--reason", "mood"), "no reason"),
        (("keys", "revoke", "root", "--reason", "lost"), "last root"),
        (("keys", "revoke", "runner", "--reason", "lost", "--suspect-from", "99999"), "not there yet"),
        (("keys", "init",), "keeps a workspace already"),
        (("policy", "set"), "say what to demand"),
        (("policy", "set", "--gate-custody", "pocket"), "in-process, daemon, kms, hsm"),
        (("policy", "set", "--end-level", "hoped"), "checkpointed, anchored"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(place: Path, usb: Path, command: tuple[str, ...], why: str) -> None:
    """Exit code 2, said before anything is written, with --json as an object."""
    rooted = () if command[:2] in (("keys", "init"),) else ("--root", str(usb))
    done = squads(*command, *rooted, "--json", cwd=place)

    assert done.returncode == 2
    assert why in json.loads(done.stdout)["error"]
    assert "Traceback" not in done.stderr


def test_the_commands_are_there_for_a_shell(tmp_path: Path) -> None:
    """Exit codes and errors are those of every other command."""
    done = squads_process("keys", "list", cwd=tmp_path)

    assert done.returncode == 2
    assert done.stderr.startswith("squads: there is no ledger in")


def test_a_root_key_is_written_only_where_it_is_safe(tmp_path: Path) -> None:
    """Not over another key, not into the store, not where there is no directory; nothing is left behind."""
    taken = tmp_path / "taken.key"
    taken.write_text("something")
    for root, why in [
        (taken, "never written over another"),
        (tmp_path / ".squads" / "root.key", "no directory"),
        (tmp_path / "away" / "root.key", "no directory"),
    ]:
        done = squads("keys", "init", "--root", str(root), cwd=tmp_path)

        assert done.returncode == 2
        assert why in done.stderr
    assert not (tmp_path / ".squads").exists()
    assert taken.read_text() == "something"


def test_a_root_key_is_not_written_where_it_would_be_committed_or_copied(tmp_path: Path) -> None:
    """Neither into a work tree nor into a store, though it be ignored there."""
    tree = tmp_path / "tree"
    (tree / "keys").mkdir(parents=True)
    subprocess.run(["git", "init", "-q", tree], check=True)
    store = tmp_path / "kept"
    (store / "inner").mkdir(parents=True)
    for root in (tree / "root.key", tree / "keys" / "root.key", store / "root.key", store / "inner" / "root.key"):
        done = squads("keys", "init", "--store", str(store), "--root", str(root), cwd=tmp_path)

        assert done.returncode == 2
        assert "keep the root key outside" in done.stderr
        assert not root.exists()


def test_a_workspace_with_its_root_here_is_founded_and_told_of_the_other_way(tmp_path: Path) -> None:
    """`squads keys init` alone does what every first command does, and names the offline way."""
    done = squads("keys", "init", cwd=tmp_path)

    assert done.returncode == 0
    assert "--root FILE" in done.stdout
    assert [True] == [key["here"] for key in listed(tmp_path) if key["roles"] == ["root"]]


def test_the_policy_is_shown_and_set(tmp_path: Path) -> None:
    """What is left out stays; `squads policy` alone shows it."""
    squads("keys", "init", cwd=tmp_path)
    squads("policy", "set", "--gate-custody", "daemon", cwd=tmp_path)
    done = squads("policy", "set", "--refusal-level", "anchored", "--json", cwd=tmp_path)
    shown = json.loads(squads("policy", "--json", cwd=tmp_path).stdout)["policy"]

    expected = {"gate_custody": "daemon", "end_level": "checkpointed", "refusal_level": "anchored"}
    expected |= {"catch_ppm_min": 0, "false_refusals_ppm_max": 1_000_000}
    assert expected == shown == json.loads(done.stdout)["policy"]
    assert "gate_custody" in squads("policy", "show", cwd=tmp_path).stdout


def test_a_policy_that_waits_for_an_anchor_where_there_is_none_says_so(tmp_path: Path) -> None:
    """Otherwise it would be found out when the first packet has composed."""
    squads("keys", "init", cwd=tmp_path)

    assert "there is no anchor yet" in squads("policy", "set", "--end-level", "anchored", cwd=tmp_path).stdout
    assert "there is no anchor yet" not in squads("policy", "set", "--end-level", "checkpointed", cwd=tmp_path).stdout

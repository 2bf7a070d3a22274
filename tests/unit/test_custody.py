"""Where a workspace's keys are: in files here, or with a signer daemon that `signers.json` names."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.keys import InProcessSigner
from squads.contracts.errors import KeyUnavailable
from squads.custody import SIGNERS, daemon_signers, remote, sockets
from squads.host import shared_signers
from squads.keyring import Keyring
from squads.ledger.trust import Trust
from squads.workspace import Workspace


def signer_for(keys, role):
    return Keyring(keys, {}, os.urandom, lambda key, role: False).signer(role)


def write(keys: Path, value: Any, mode: int = 0o600) -> Path:
    """Write `signers.json`."""
    path = keys / SIGNERS
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    path.chmod(mode)
    return path


def test_without_the_file_keys_are_files(tmp_path: Path) -> None:
    """Made when they are first asked for, as ever."""
    signer = signer_for(tmp_path, "gate:schema")

    assert isinstance(signer, InProcessSigner)
    assert signer.custody == "in-process"
    assert (tmp_path / "gate-schema.key").exists()
    assert sockets(tmp_path) == {}
    assert remote(tmp_path, "gate:schema") is None


def test_a_role_that_is_named_has_no_key_here_and_none_is_made(tmp_path: Path) -> None:
    """Where its daemon is away, nothing signs in its place."""
    write(tmp_path, {"format": 1, "sockets": {"gate:schema": str(tmp_path / "s")}})

    with pytest.raises(KeyUnavailable, match="start it with `squads signer`"):
        signer_for(tmp_path, "gate:schema")
    assert not (tmp_path / "gate-schema.key").exists()
    assert signer_for(tmp_path, "gate:style").custody == "in-process"
    assert sockets(tmp_path) == {"gate:schema": tmp_path / "s"}


def test_a_worker_that_is_told_a_socket_asks_for_every_role_at_once(tmp_path: Path) -> None:
    """It does not begin where a key is missing."""
    with pytest.raises(KeyUnavailable, match="keeps the key of gate:schema"):
        daemon_signers(tmp_path / "s", ["gate:schema"])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "[]",
        "{",
        {"format": 2, "sockets": {}},
        {"format": 1},
        {"format": 1, "sockets": [], "more": 1},
        {"format": 1, "sockets": ["gate:schema"]},
        {"format": 1, "sockets": {"gate:schema": "run/s"}},
        {"format": 1, "sockets": {"gate:schema": 3}},
        {"format": 1, "sockets": {"root": "/run/s"}},
        {"format": 1, "sockets": {"human:mara": "/run/s"}},
        '{"format":1,"sockets":{"gate:a":"/run/s","gate:a":"/run/t"}}',
    ],
)
def test_a_file_that_does_not_read_as_one_is_refused(tmp_path: Path, value: Any) -> None:
    """A role whose daemon was misspelt must not silently sign with a key of this process."""
    write(tmp_path, value)

    with pytest.raises(KeyUnavailable, match=r"signers\.json"):
        signer_for(tmp_path, "gate:schema")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606])
def test_a_file_that_is_not_its_owners_alone_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever writes it chooses who signs."""
    write(tmp_path, {"format": 1, "sockets": {}}, mode)

    with pytest.raises(KeyUnavailable, match="chmod 600"):
        sockets(tmp_path)


@pytest.mark.parametrize("what", ["folder", "link", "pipe"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, what: str) -> None:
    """Nothing hangs, and nothing is followed."""
    path = tmp_path / SIGNERS
    {"folder": path.mkdir, "link": lambda: path.symlink_to("x"), "pipe": lambda: os.mkfifo(path, 0o600)}[what]()

    with pytest.raises(KeyUnavailable, match="plain file"):
        sockets(tmp_path)


def test_a_worker_with_the_workspaces_keys_asks_the_daemon_that_they_name(tmp_path: Path) -> None:
    """It would find no key file of that role, and must not look for one."""
    trust = Trust.of(
        f"local.invalid/squads/{'a' * 32}/0", *(InProcessSigner(bytes([n]) * 32).public_key for n in (1, 2))
    )
    own = tmp_path / ("a" * 32)
    own.mkdir()
    signer_for(own, "gate:style")
    write(own, {"format": 1, "sockets": {"gate:schema": str(tmp_path / "s")}})

    assert shared_signers(trust, {"style": "gate"}, tmp_path)["style"].custody == "in-process"
    with pytest.raises(KeyUnavailable, match="start it with `squads signer`"):
        shared_signers(trust, {"schema": "gate"}, tmp_path)


async def test_a_workspace_holds_what_a_daemon_keeps(tmp_path: Path) -> None:
    """It asks the daemon, and registers nothing where that is away."""
    workspace = Workspace.open(tmp_path / "store", keys=tmp_path / "keys")
    await workspace.found([])
    own = next((tmp_path / "keys").iterdir())
    write(own, {"format": 1, "sockets": {"gate:schema": str(tmp_path / "s")}})

    with pytest.raises(KeyUnavailable, match="cannot be reached"):
        await workspace.found(["gate:schema"])
    assert workspace.view.holders("gate:schema") == []
    await workspace.close()

"""Keys: never shown, never readable by others, never half-written."""

from __future__ import annotations

import copy
import os
import pickle
import stat
import threading
from pathlib import Path

import pytest

from squads.adapters.keys import InProcessSigner, keys_home, load, load_or_create
from squads.contracts.errors import KeyUnavailable
from squads.ledger.keys import key_id, verify_signature


def test_a_signer_signs_and_says_who_holds_the_key():
    """The public half, its id, and the custody."""
    signer = InProcessSigner.generate(lambda size: b"\1" * size)

    assert verify_signature(signer.public_key, signer.sign(b"message"), b"message")
    assert signer.key_id == key_id(signer.public_key)
    assert signer.custody == "in-process"
    assert signer.public_key != InProcessSigner.generate().public_key


def test_the_private_key_is_never_shown():
    """Not in a repr, not in a pickle, not by copying."""
    signer = InProcessSigner(b"\x5a" * 32)

    assert "5a5a" not in repr(signer)
    assert signer.key_id.hex()[:16] in repr(signer)
    with pytest.raises(TypeError):
        pickle.dumps(signer)
    assert copy.copy(signer) is copy.deepcopy(signer) is signer
    with pytest.raises(KeyUnavailable, match="32 bytes"):
        InProcessSigner(b"short")


def test_a_key_file_is_created_once_and_for_its_owner_only(tmp_path):
    """Missing directories 0700, the file 0600, the same key the next time."""
    path = tmp_path / "a" / "b" / "log.key"
    signer = load_or_create(path)

    assert signer.public_key == load_or_create(path).public_key == load(path).public_key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {0o700} == {stat.S_IMODE(directory.stat().st_mode) for directory in (path.parent, path.parent.parent)}
    assert [found.name for found in path.parent.iterdir()] == ["log.key"]


def test_all_who_create_it_at_once_get_the_same_key(tmp_path):
    """The first link wins; nobody signs with a key that is not in the file."""
    found: list[bytes] = []
    start = threading.Barrier(6)

    def create() -> None:
        start.wait()
        found.append(load_or_create(tmp_path / "keys" / "log.key").public_key)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 6
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o777])
def test_a_key_that_others_can_reach_is_refused(tmp_path, mode):
    """It may have been read already, and the message says what then to do."""
    path = tmp_path / "log.key"
    load_or_create(path)
    path.chmod(mode)

    with pytest.raises(KeyUnavailable, match="revoke this key"):
        load_or_create(path)


def test_a_key_of_another_user_is_refused(tmp_path, monkeypatch):
    """Whoever owns the file can read it."""
    path = tmp_path / "log.key"
    load_or_create(path)
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
    else:
        monkeypatch.setattr("squads.adapters.keys.os.geteuid", lambda: 12345)

    with pytest.raises(KeyUnavailable, match="another user"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"squads.private-key/v1 ed25519 00\n", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_damaged_key_file_is_never_overwritten(tmp_path, content):
    """It may be the only copy of something."""
    path = tmp_path / "log.key"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(KeyUnavailable, match="backup"):
        load_or_create(path)
    assert content == path.read_bytes()


def test_a_link_a_directory_or_a_pipe_is_no_key_file(tmp_path):
    """What is opened is a plain file."""
    load_or_create(tmp_path / "log.key")
    (tmp_path / "link.key").symlink_to(tmp_path / "log.key")
    (tmp_path / "directory.key").mkdir()
    os.mkfifo(tmp_path / "pipe.key", 0o600)

    for name in ("link.key", "directory.key", "pipe.key"):
        with pytest.raises(KeyUnavailable):
            load_or_create(tmp_path / name)
    with pytest.raises(KeyUnavailable, match="there is no key file"):
        load(tmp_path / "missing.key")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    """A file where the directory should be."""
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyUnavailable):
        load_or_create(tmp_path / "file" / "log.key")


def test_keys_live_outside_every_work_tree(monkeypatch):
    """`SQUADS_HOME` first, then the user's configuration directory."""
    monkeypatch.setenv("SQUADS_HOME", "/somewhere/else")
    assert keys_home() == Path("/somewhere/else")

    monkeypatch.delenv("SQUADS_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setattr("squads.adapters.keys.sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/home/somebody/conf")
    assert keys_home() == Path("/home/somebody/conf/squads")
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert keys_home() == Path("/home/somebody/.config/squads")
    monkeypatch.setattr("squads.adapters.keys.sys.platform", "darwin")
    assert keys_home() == Path("/home/somebody/Library/Application Support/squads")

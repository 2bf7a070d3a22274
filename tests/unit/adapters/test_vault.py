"""Content keys: what is sealed opens for its own subject and digest alone; a file of slots forgets what is gone."""

from __future__ import annotations

import os
import stat
import threading
from hashlib import sha256

import pytest

from squads.adapters.keys import InProcessSigner
from squads.adapters.vault import (
    KEY_BYTES,
    SEAL_BYTES,
    SLOTS_AT_ONCE,
    FileVault,
    content_key_of,
    new_key,
    sealed,
    unsealed,
    unwrapped,
    wrapped,
)
from squads.contracts.errors import BlobBroken, KeyUnavailable, StorageUnavailable

KEY, CONTENT = bytes(range(32)), b"what somebody wrote"
DIGEST = sha256(CONTENT).digest()


def test_sealed_content_opens_with_its_key():
    """Two seals of the same content differ: whoever reads the store cannot see that it is the same."""
    first, second = (sealed(KEY, "a", DIGEST, CONTENT) for _ in range(2))

    assert CONTENT == unsealed(KEY, "a", DIGEST, first) == unsealed(KEY, "a", DIGEST, second)
    assert first != second
    assert SEAL_BYTES == len(first) - len(CONTENT)
    assert CONTENT not in first


@pytest.mark.parametrize("change", ["key", "subject", "digest", "version", "bit", "cut", "empty", "other content"])
def test_nothing_else_opens(change):
    """Another key, another row, other bytes, or other content under this digest: broken, and never half of it."""
    data = sealed(KEY, "a", DIGEST, CONTENT)
    given = {"key": KEY, "subject": "a", "digest": DIGEST, "data": data}
    given |= {
        "key": {"key": new_key()},
        "subject": {"subject": "b"},
        "digest": {"digest": sha256(b"other").digest()},
        "version": {"data": b"\x02" + data[1:]},
        "bit": {"data": data[:-1] + bytes([data[-1] ^ 1])},
        "cut": {"data": data[:-1]},
        "empty": {"data": b""},
        "other content": {"data": sealed(KEY, "a", DIGEST, b"another content")},
    }[change]

    with pytest.raises(BlobBroken, match="squads verify"):
        unsealed(**given)


def test_a_wrapped_key_opens_with_the_key_it_was_wrapped_with():
    """A store that keeps keys beside content keeps them closed, each bound to its subject."""
    kek = content_key_of(InProcessSigner(bytes(32)))
    data = wrapped(kek, "a", KEY)

    assert KEY == unwrapped(kek, "a", data)
    assert content_key_of(InProcessSigner(bytes(32))) == kek
    for other, subject, given in ((new_key(), "a", data), (kek, "b", data), (kek, "a", data[:-1])):
        with pytest.raises(KeyUnavailable, match="SQUADS_HOME"):
            unwrapped(other, subject, given)


def test_a_wrapped_key_is_no_content(tmp_path):
    """What is closed for one purpose does not open for another, whoever moves it."""
    with pytest.raises(BlobBroken):
        unsealed(KEY, "a", b"", wrapped(KEY, "a", KEY))


def test_slots_survive_and_destroyed_ones_do_not(tmp_path):
    """A key is there when the file is opened again; one that was destroyed is zeros on the disk."""
    path = tmp_path / "keys" / "content.slots"
    vault = FileVault(path, create=True)
    kept, gone = vault.key(3), vault.key(4)
    vault.destroy(4)
    vault.destroy(4)

    again = FileVault(path, create=False, identity=vault.identity, reading=True)
    assert kept == again.key(3)
    assert again.key(4) is None
    assert gone not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    vault.close()
    again.close()
    again.close()


def test_the_file_grows_by_many_slots_and_keeps_those_it_has(tmp_path):
    """A new subject costs a sync only once in many."""
    vault = FileVault(tmp_path / "content.slots", create=True)
    first = [vault.key(slot) for slot in range(SLOTS_AT_ONCE)]

    vault.ensure(SLOTS_AT_ONCE)
    assert SLOTS_AT_ONCE == vault.slots
    vault.ensure(SLOTS_AT_ONCE + 1)
    assert 2 * SLOTS_AT_ONCE == vault.slots
    assert first == [vault.key(slot) for slot in range(SLOTS_AT_ONCE)]
    assert 2 * SLOTS_AT_ONCE == len({vault.key(slot) for slot in range(vault.slots)})
    vault.close()


def test_half_a_slot_that_a_crash_left_is_never_a_key(tmp_path):
    """Growing goes on behind the last whole slot."""
    path = tmp_path / "content.slots"
    FileVault(path, create=True).close()
    os.truncate(path, path.stat().st_size - 5)
    vault = FileVault(path, create=False)

    assert SLOTS_AT_ONCE - 1 == vault.slots
    vault.ensure(SLOTS_AT_ONCE)
    assert KEY_BYTES == len(vault.key(SLOTS_AT_ONCE - 1) or b"")
    vault.close()


def test_several_who_grow_the_file_at_once_have_the_same_keys(tmp_path):
    """The file's lock lets one of them grow it; nobody overwrites what another has given away."""
    path = tmp_path / "content.slots"
    vaults = [FileVault(path, create=True) for _ in range(4)]
    threads = [threading.Thread(target=vault.ensure, args=(SLOTS_AT_ONCE + 1,)) for vault in vaults]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {2 * SLOTS_AT_ONCE} == {vault.slots for vault in vaults}
    assert 1 == len({vault.key(SLOTS_AT_ONCE) for vault in vaults})
    assert 1 == len({vault.identity for vault in vaults})
    for vault in vaults:
        vault.close()


def test_a_missing_file_is_never_made_anew(tmp_path):
    """New keys for what others closed would only hide that it cannot be read."""
    path = tmp_path / "content.slots"

    with pytest.raises(StorageUnavailable, match="restore that file, or set SQUADS_HOME"):
        FileVault(path, create=False)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b"squads.slots/v2\n" + bytes(64), b"squads.slots/v1\n"])
def test_what_is_no_file_of_slots_is_refused(tmp_path, content):
    """Too short, or another version: nothing is read as a key."""
    path = tmp_path / "content.slots"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(StorageUnavailable, match="no content keys of squads"):
        FileVault(path, create=True)


def test_a_file_of_another_ledger_is_refused(tmp_path):
    """Its identity tells."""
    path = tmp_path / "content.slots"
    FileVault(path, create=True).close()

    with pytest.raises(StorageUnavailable, match="another ledger"):
        FileVault(path, create=False, identity=bytes(16))


def test_a_file_that_others_may_read_is_refused(tmp_path):
    """A key that others may have read closes nothing."""
    path = tmp_path / "content.slots"
    FileVault(path, create=True).close()
    path.chmod(0o640)

    with pytest.raises(KeyUnavailable, match="chmod 600"):
        FileVault(path, create=False)


def test_a_slot_that_is_not_there_is_no_erased_one(tmp_path):
    """A cut file would otherwise turn lost content into erased content."""
    vault = FileVault(tmp_path / "content.slots", create=True)

    with pytest.raises(StorageUnavailable, match="ends before slot"):
        vault.key(SLOTS_AT_ONCE)
    vault.close()


def test_who_reads_makes_and_destroys_no_key(tmp_path):
    """An auditor's copy stays as it is."""
    path = tmp_path / "content.slots"
    FileVault(path, create=True).close()
    vault = FileVault(path, create=False, reading=True)

    for act in (lambda: vault.destroy(0), lambda: vault.ensure(SLOTS_AT_ONCE + 1)):
        with pytest.raises(StorageUnavailable, match="opened for reading"):
            act()
    assert vault.key(0) is not None
    assert repr(vault) == f"FileVault({str(path)!r})"
    vault.close()

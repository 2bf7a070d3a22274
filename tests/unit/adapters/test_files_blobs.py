"""Content as files, beyond the conformance suite."""

from __future__ import annotations

import stat

import pytest

from squads.adapters.files_blobs import FilesBlobs
from squads.contracts.errors import StorageUnavailable


async def test_files_are_for_their_owner_only_and_named_by_digest(tmp_path):
    """0600 in 0700, two levels."""
    digest = await FilesBlobs(tmp_path / "blobs").put(b"x")
    path = tmp_path / "blobs" / digest[:2] / digest

    assert path.read_bytes() == b"x"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {0o700} == {stat.S_IMODE(d.stat().st_mode) for d in (path.parent, path.parent.parent)}


async def test_a_damaged_file_is_mended_by_storing_again(tmp_path):
    """What is there is hashed before it is believed."""
    store = FilesBlobs(tmp_path)
    digest = await store.put(b"good")
    (tmp_path / digest[:2] / digest).write_bytes(b"bad")
    await store.put(b"good")

    assert await store.get(digest) == b"good"


async def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    """No half-written file under a digest, none aside."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("squads.adapters.files_blobs.os.fsync", full)
    with pytest.raises(StorageUnavailable, match="No space left"):
        await FilesBlobs(tmp_path).put(b"x")

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_directory_that_is_a_file_is_named(tmp_path):
    """Nothing can be stored or read there."""
    (tmp_path / "blobs").write_text("")
    store = FilesBlobs(tmp_path / "blobs")

    with pytest.raises(StorageUnavailable):
        await store.put(b"x")
    with pytest.raises(StorageUnavailable):
        await store.get("00" * 32)

"""Key files that are made in a place that somebody named: a removable disk, for a root key."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.keys import create, load, load_or_create
from squads.contracts.errors import KeyUnavailable


def test_a_new_key_is_written_for_its_owner_only(tmp_path: Path) -> None:
    """Whole, mode 0600, and nothing beside it."""
    made = create(tmp_path / "root.key")

    assert load(tmp_path / "root.key").key_id == made.key_id
    assert [("root.key", 0o600)] == [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()]


def test_a_key_is_never_written_over_another_nor_through_a_link(tmp_path: Path) -> None:
    """What stands there stays."""
    create(tmp_path / "root.key")
    before = (tmp_path / "root.key").read_bytes()
    (tmp_path / "link.key").symlink_to(tmp_path / "elsewhere.key")
    for name in ("root.key", "link.key"):
        with pytest.raises(KeyUnavailable, match="never written over"):
            create(tmp_path / name)

    assert before == (tmp_path / "root.key").read_bytes()
    assert not (tmp_path / "elsewhere.key").exists()


def test_a_disk_that_knows_no_links_takes_a_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the file systems of removable disks are; it is still never written over another."""

    def no_links(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    made = create(tmp_path / "root.key")

    assert made.key_id == load_or_create(tmp_path / "root.key").key_id
    with pytest.raises(KeyUnavailable, match="never written over"):
        create(tmp_path / "root.key")
    assert ["root.key"] == [path.name for path in tmp_path.iterdir()]


def test_a_place_where_others_could_read_it_keeps_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without file modes shows every file as everybody's: the key is deleted, and the sentence says how to."""
    opened = os.open
    monkeypatch.setattr(os, "open", lambda path, flags, mode=0o777, **more: opened(path, flags, mode | 0o044, **more))
    old = os.umask(0)
    try:
        with pytest.raises(KeyUnavailable, match="umask=077"):
            create(tmp_path / "root.key")
    finally:
        os.umask(old)

    assert not list(tmp_path.iterdir())


def test_a_place_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    """Nothing is made on the way."""
    with pytest.raises(KeyUnavailable, match="name a file that can be written"):
        create(tmp_path / "away" / "root.key")

    assert not list(tmp_path.iterdir())

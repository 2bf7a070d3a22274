"""Which files a SQLite connection has open, so that one whose files were taken away is not believed any more.

All processes of one ledger meet in the write-ahead log and its index. Whoever removes one of them while it is used
parts them: each goes on alone, and what it appends nobody else sees. That must never pass for an append.
"""

from __future__ import annotations

import ctypes
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from squads.contracts.errors import StorageUnavailable

Inode = tuple[int, int]
"""Device and number; zeros for a file that is not there."""

_NONE: Final = (0, 0)


@dataclass(frozen=True, slots=True)
class Files:
    """The database, its write-ahead log and the log's index, as they were when the connection was opened."""

    database: Inode = _NONE
    log: Inode = _NONE
    index: Inode = _NONE

    def check(self, path: Path) -> None:
        """Raise `StorageUnavailable` where log or index was removed under a connection to the same database."""
        now = files_at(path)
        if now.database == self.database and now != self:
            raise StorageUnavailable(
                f"{path}-wal or {path}-shm was removed while the ledger was in use: what is appended here, no other "
                f"process would see; end every process that uses this ledger, and open it again"
            )

    def index_was_removed(self, path: Path) -> bool:
        """Say whether others may have built an index of their own by now."""
        now = files_at(path)
        return now.database == self.database and now.index != self.index


def files_at(path: Path) -> Files:
    """Return which files stand at `path` and beside it now."""
    return Files(inode(path), _beside(path, "-wal"), _beside(path, "-shm"))


def inode(path: Path) -> Inode:
    """Return which file this is. Raises `OSError`."""
    found = path.stat()
    return found.st_dev, found.st_ino


def keep_open(connection: sqlite3.Connection) -> None:
    """Have this process never close a connection whose index was removed.

    Closing the last one removes the write-ahead log, and with it what others wrote there under the new index.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def _beside(path: Path, ending: str) -> Inode:
    try:
        return inode(path.with_name(path.name + ending))
    except FileNotFoundError:
        return _NONE

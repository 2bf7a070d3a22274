"""One moment of a SQLite ledger, for verifying it: rows, checkpoints, and what is known outside.

It needs no key and no lock and writes nothing, so that an auditor can use it on a copy, and anyone on a live ledger.
It must never show rows of one moment with checkpoints of another, or a ledger that grows would look cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from squads.adapters.checkpoint_file import read_checkpoint_file
from squads.adapters.sqlite_schema import check_identity, is_empty, open_reader, translated
from squads.contracts.errors import LedgerBroken, StorageUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What `verify_log` takes. Each iterator can be used once, while the snapshot is open."""

    leaves: Iterator[tuple[int, bytes, bytes]]
    checkpoints: Iterator[str]
    outside: Iterator[str] | None


@contextmanager
def sqlite_snapshot(path: str | Path, *, outside: str | Path | None = None) -> Iterator[Snapshot]:
    """Yield one moment of the ledger at `path`. Raises `LedgerError` for a file that is none."""
    path = Path(path)
    if not path.is_file():
        raise StorageUnavailable(f"there is no ledger at {path}; check the path")
    # The file outside first, only as far as it goes now: what is appended later is not in this moment.
    try:
        notes = None if outside is None else read_checkpoint_file(Path(outside))
    except OSError as error:
        raise StorageUnavailable(f"the checkpoint file {outside} cannot be read: {error}; check the path") from error
    connection: sqlite3.Connection | None = None
    try:
        connection = open_reader(path)
        connection.execute("BEGIN")
        if is_empty(connection):
            raise LedgerBroken(f"{path} is an empty database, no ledger; check the path")
        check_identity(connection, path)
        yield Snapshot(
            leaves=connection.execute("SELECT seq, leaf, leaf_hash FROM entry ORDER BY seq"),
            checkpoints=(note for (note,) in connection.execute("SELECT note FROM checkpoint ORDER BY size")),
            outside=notes,
        )
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

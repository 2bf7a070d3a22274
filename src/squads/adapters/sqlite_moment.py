"""One moment of a SQLite ledger: everything of it, as it stood at once, for whoever only reads.

It needs no lock and writes nothing, so that an auditor can use it on a copy, and anyone on a live ledger.
It must never show rows of one moment with checkpoints of another, or a ledger that grows would look cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from squads.adapters.sqlite_content import owners_in, reader_of
from squads.adapters.sqlite_nodes import nodes_at
from squads.adapters.sqlite_schema import balances_in, check_identity, is_empty, open_reader, translated
from squads.contracts.errors import LedgerBroken, StorageUnavailable
from squads.kernel.budget import Spend
from squads.ledger.proof import NodeReader, Place


class SqliteMoment:
    """A `squads.moments.Moment` over one read transaction."""

    def __init__(self, connection: sqlite3.Connection, path: Path, vault: Path | None) -> None:
        """Read over a connection whose transaction has begun."""
        self._connection = connection
        self._read = reader_of(connection, vault)
        self.name = str(path)
        self.readable = True

    def leaves(self, *, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash), in order, from `start` on."""
        return self._connection.execute("SELECT seq, leaf, leaf_hash FROM entry WHERE seq >= ? ORDER BY seq", (start,))

    def checkpoints(self) -> Iterator[str]:
        """Yield every stored note, oldest first."""
        return (note for (note,) in self._connection.execute("SELECT note FROM checkpoint ORDER BY size"))

    def newest_checkpoint(self) -> str | None:
        """Return the newest note; None where there is none."""
        row = self._connection.execute("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else row[0]

    def nodes(self, level: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, hash) of the stored subtrees of a level, in order."""
        return self._connection.execute("SELECT idx, hash FROM node WHERE level = ? ORDER BY idx", (level,))

    def nodes_at(self, places: Collection[Place]) -> NodeReader:
        """Return a reader of the nodes at these places."""
        return nodes_at(self._connection, places)

    def filed(self) -> Iterator[tuple[int, str, int]]:
        """Yield (seq, stream, position) as the index has them, in order of seq."""
        return self._connection.execute(
            "SELECT entry.seq, stream.name, entry.position FROM entry JOIN stream ON stream.id = entry.stream "
            "ORDER BY seq"
        )

    def of(self, streams: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield (stream, leaf bytes, stored leaf hash) of these streams, in the order of the log."""
        marks = ", ".join("?" * len(streams))
        return self._connection.execute(
            "SELECT stream.name, entry.leaf, entry.leaf_hash FROM entry JOIN stream ON stream.id = entry.stream "  # noqa: S608 - question marks
            f"WHERE stream.name IN ({marks}) ORDER BY entry.seq",
            tuple(streams),
        )

    def beginning(self, start: str, limit: int) -> list[str]:
        """Return the names of the streams that begin so, `limit` at most."""
        rows = self._connection.execute(
            "SELECT name FROM stream WHERE substr(name, 1, ?) = ? LIMIT ?", (len(start), start, limit)
        )
        return [str(name) for (name,) in rows]

    def content(self, digest: str) -> bytes | None:
        """Return content, None where there is none. Raises `BlobBroken`, `StorageUnavailable` without its key."""
        return self._read(digest)

    def balances(self) -> dict[str, Spend]:
        """Return every shared account."""
        return balances_in(self._connection)

    def subjects(self) -> dict[str, str]:
        """Return whose each stream is."""
        return owners_in(self._connection)


@contextmanager
def sqlite_moment(path: str | Path, *, vault: Path | None) -> Iterator[SqliteMoment]:
    """Yield one moment of the ledger at `path`. Raises `LedgerError` for a file that is none."""
    path = Path(path)
    if not path.is_file():
        raise StorageUnavailable(f"there is no ledger at {path}; check the path")
    connection: sqlite3.Connection | None = None
    try:
        connection = open_reader(path)
        connection.execute("BEGIN")
        if is_empty(connection):
            raise LedgerBroken(f"{path} is an empty database, no ledger; check the path")
        check_identity(connection, path)
        yield SqliteMoment(connection, path, vault)
    except sqlite3.Error as error:
        raise translated(error, path) from error
    finally:
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

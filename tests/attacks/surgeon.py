"""Takes a ledger's rows out of a database and puts others in, past every guard that the database has.

The attacks are written once, against `Surgeon`; there is one for each database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from attacker import Row

from squads.ledger.checkpoint import parse_checkpoint
from squads.ledger.merkle import Node


class Surgeon(Protocol):
    """Somebody with write access to a database, and no other way in."""

    location: str
    """How a squad finds this database; empty where it lies in the store's folder."""

    def rows(self) -> list[Row]:
        """Return the log as it is stored."""
        ...

    def notes(self) -> list[str]:
        """Return the stored checkpoints, oldest first."""
        ...

    def put(self, rows: Sequence[Row], notes: Sequence[str], nodes: Sequence[Node] | None) -> None:
        """Replace the log and its checkpoints; also the tree's nodes where some are given."""
        ...

    def run(self, sql: str) -> None:
        """Run statements that change side tables; both databases have the same tables."""
        ...

    def backup(self) -> Any:
        """Return a copy of the whole database."""
        ...

    def restore(self, copy: Any) -> None:
        """Put a copy in the database's place."""
        ...


class SqliteSurgeon:
    """Whoever may write the file: the triggers that refuse changes are dropped first."""

    location = ""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for (name,) in triggers:
                connection.execute(f'DROP TRIGGER "{name}"')
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()

    def rows(self) -> list[Row]:
        with self._opened() as connection:
            found = connection.execute(
                "SELECT seq, name, position, leaf, leaf_hash FROM entry JOIN stream ON stream.id = stream ORDER BY seq"
            )
            return [Row(*row) for row in found]

    def notes(self) -> list[str]:
        with self._opened() as connection:
            return [note for (note,) in connection.execute("SELECT note FROM checkpoint ORDER BY size")]

    def put(self, rows: Sequence[Row], notes: Sequence[str], nodes: Sequence[Node] | None) -> None:
        with self._opened() as connection:
            ids = dict(connection.execute("SELECT name, id FROM stream").fetchall())
            connection.execute("DELETE FROM entry")
            connection.executemany(
                "INSERT INTO entry VALUES (?, ?, ?, ?, ?)",
                [(row.seq, ids[row.stream], row.position, row.leaf, row.leaf_hash) for row in rows],
            )
            connection.execute("DELETE FROM checkpoint")
            connection.executemany(
                "INSERT INTO checkpoint VALUES (?, ?)", [(parse_checkpoint(note).size, note) for note in notes]
            )
            if nodes is not None:
                connection.execute("DELETE FROM node")
                connection.executemany("INSERT INTO node VALUES (?, ?, ?)", nodes)

    def run(self, sql: str) -> None:
        with self._opened() as connection:
            for statement in sql.split(";"):
                connection.execute(statement)

    def backup(self) -> bytes:
        with self._opened():
            pass  # the write-ahead log is in the file now
        return self.path.read_bytes()

    def restore(self, copy: bytes) -> None:
        for beside in ("-wal", "-shm"):
            self.path.with_name(self.path.name + beside).unlink(missing_ok=True)
        self.path.write_bytes(copy)

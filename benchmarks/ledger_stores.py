"""The ledger on either store, and the bare store beside it: rows of leaves in one durable transaction, and no more."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import Ledger
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN

URL = "postgres-url"
"""The file in a ledger's folder that says that it is kept in PostgreSQL, and where."""
Row = tuple[int, bytes, bytes]


class Bare(Protocol):
    """What the ledger's store does by itself."""

    async def insert(self, rows: Sequence[Row]) -> None:
        """Insert rows durably, together."""
        ...

    async def hashes(self, indexes: Sequence[int]) -> list[bytes]:
        """Read so many leaf hashes of the ledger, one query each."""
        ...


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Ledger, Bare]]:
    """Open the ledger in `folder` as a workspace does, with its checkpoint file outside, and the bare store."""
    outside = folder / "outside" / "checkpoints"
    place = folder / URL
    if place.exists():
        from squads.adapters.postgres_ledger import PostgresLedger

        url = place.read_text("utf-8")
        ledger: Ledger = PostgresLedger.open(url, ORIGIN, LOG_KEY, outside=outside, content_key=bytes(32))
        bare: Any = await BarePostgres.connected(url)
    else:
        ledger = SqliteLedger.open(folder / "ledger.db", ORIGIN, LOG_KEY, outside=outside)
        bare = BareSqlite(folder)
    try:
        yield ledger, bare
    finally:
        await ledger.close()
        await bare.close()


class BareSqlite:
    """A database of its own to write to, and a second connection to the ledger's for reading."""

    def __init__(self, folder: Path) -> None:
        self._connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
        self._connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS leaf (seq INTEGER PRIMARY KEY, leaf BLOB NOT NULL, hash BLOB NOT NULL) STRICT"
        )
        self._connection.execute("DELETE FROM leaf")
        self._ledger = sqlite3.connect(folder / "ledger.db", isolation_level=None)

    async def insert(self, rows: Sequence[Row]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO leaf VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")

    async def hashes(self, indexes: Sequence[int]) -> list[bytes]:
        read = self._ledger.execute
        return [read("SELECT leaf_hash FROM entry WHERE seq = ?", (index,)).fetchone()[0] for index in indexes]

    async def close(self) -> None:
        self._connection.close()
        self._ledger.close()


class BarePostgres:
    """A table of its own in the ledger's schema, over one connection of asyncpg."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @classmethod
    async def connected(cls, url: str) -> BarePostgres:
        import asyncpg

        address, _, schema = url.partition("#")
        connection = await asyncpg.connect(address, server_settings={"search_path": schema})
        await connection.execute("CREATE TABLE IF NOT EXISTS bare (seq bigint PRIMARY KEY, leaf bytea, hash bytea)")
        await connection.execute("TRUNCATE bare")
        return cls(connection)

    async def insert(self, rows: Sequence[Row]) -> None:
        async with self._connection.transaction():
            await self._connection.copy_records_to_table("bare", records=rows)

    async def hashes(self, indexes: Sequence[int]) -> list[bytes]:
        read = await self._connection.prepare("SELECT leaf_hash FROM entry WHERE seq = $1")
        return [await read.fetchval(index) for index in indexes]

    async def close(self) -> None:
        await self._connection.close()

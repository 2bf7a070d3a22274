"""Every blob store, held to the one suite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from squads.adapters.files_blobs import FilesBlobs
from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import BlobStore
from squads.testing.conformance_blobs import BlobsConformance
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN


class TestMemoryBlobs(BlobsConformance):
    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[BlobStore]:
        yield MemoryBlobs()

    async def damage(self, store: BlobStore, digest: str, where: Path) -> bool:
        assert isinstance(store, MemoryBlobs)
        store._content[digest] = b"changed"
        return True


class TestFilesBlobs(BlobsConformance):
    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[BlobStore]:
        yield FilesBlobs(where / "blobs")

    async def damage(self, store: BlobStore, digest: str, where: Path) -> bool:
        (where / "blobs" / digest[:2] / digest).write_bytes(b"changed")
        return True


class TestSqliteBlobs(BlobsConformance):
    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[BlobStore]:
        ledger = SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=None)
        try:
            yield ledger.blobs
        finally:
            await ledger.close()

    async def damage(self, store: BlobStore, digest: str, where: Path) -> bool:
        with closing(sqlite3.connect(where / "ledger.db")) as connection, connection:
            connection.execute("DROP TRIGGER blob_update")
            connection.execute("UPDATE blob SET content = ?", (b"changed",))
        return True

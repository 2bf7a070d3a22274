"""Every blob store, held to the one suite."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path

import pytest

from squads.adapters.files_blobs import FilesBlobs
from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.postgres_ledger import PostgresLedger
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.blobs import RedisBlobs
from squads.adapters.redis_bus.link import Link
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import BlobStore
from squads.testing.conformance_blobs import BlobsConformance
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN
from squads.testing.postgres_server import PostgresServer
from squads.testing.redis_server import RedisServer


@pytest.fixture(scope="module", params=RedisServer.available())
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


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
            connection.execute("DROP TRIGGER content_update")
            connection.execute("UPDATE content SET sealed = ?", (b"changed",))
        return True


class TestRedisBlobs(BlobsConformance):
    @pytest.fixture(autouse=True)
    def _served(self, server: RedisServer) -> None:
        self.served = server

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[BlobStore]:
        link = Link.open(BusAddress.parse(self.served.url))
        try:
            yield RedisBlobs(link, sha256(str(where).encode()).hexdigest()[:32])
        finally:
            await link.close()

    async def damage(self, store: BlobStore, digest: str, where: Path) -> bool:
        assert isinstance(store, RedisBlobs)
        await store._link.call("SET", store._names.blob(digest), b"changed")
        return True


class TestPostgresBlobs(BlobsConformance):
    @pytest.fixture(autouse=True)
    def _served(self, postgres_server: PostgresServer) -> None:
        self.served, self.url = postgres_server, postgres_server.fresh_url()

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[BlobStore]:
        ledger = PostgresLedger.open(self.url, ORIGIN, LOG_KEY, outside=None, content_key=bytes(32))
        try:
            yield ledger.blobs
        finally:
            await ledger.close()

    async def damage(self, store: BlobStore, digest: str, where: Path) -> bool:
        change = "DROP TRIGGER content_update ON content; UPDATE content SET sealed = set_byte(sealed, 20, 1)"
        self.served.run(change, url=self.url)
        return True

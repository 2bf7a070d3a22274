"""Every journal, held to the one suite, and what only the one in the ledger's database has to show."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path

import pytest

from squads.adapters.memory_journal import MemoryJournal
from squads.adapters.memory_ledger import MemoryLedger
from squads.adapters.postgres_ledger import PostgresLedger
from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.journal import RedisJournal
from squads.adapters.redis_bus.link import Link
from squads.adapters.sealed_journal import MAC_BYTES, SIGNATURE_BYTES, SealedJournal, SignatureSeal
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.errors import StorageUnavailable
from squads.kernel.model_ports import STEP_BYTES_MAX, Journal
from squads.testing.conformance_journal import ABOUT, JournalConformance, found, step
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, verified
from squads.testing.fixed import FixedSigner
from squads.testing.postgres_server import PostgresServer
from squads.testing.redis_server import RedisServer


@pytest.fixture(scope="module", params=RedisServer.available())
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


class TestMemoryJournal(JournalConformance):
    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        yield MemoryJournal()


class TestMemoryLedgersJournal(JournalConformance):
    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        yield MemoryLedger(ORIGIN, LOG_KEY).journal


class TestSealedJournal(JournalConformance):
    """Over the one in the database, as a squad uses it: what stands before each payload is no part of the promise."""

    durable = True
    bytes_max = STEP_BYTES_MAX - MAC_BYTES

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        async with opened_ledger(where) as ledger:
            yield SealedJournal(ledger.journal, lambda: LOG_KEY)


class TestSqliteJournal(JournalConformance):
    durable = True

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        async with opened_ledger(where) as ledger:
            yield ledger.journal


class TestPostgresJournal(JournalConformance):
    durable = True

    @pytest.fixture(autouse=True)
    def _served(self, postgres_server: PostgresServer) -> None:
        self.url = postgres_server.fresh_url()

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        ledger = PostgresLedger.open(self.url, ORIGIN, LOG_KEY, outside=None, content_key=bytes(32))
        try:
            yield ledger.journal
        finally:
            await ledger.close()


class TestRedisJournal(JournalConformance):
    durable = True

    @pytest.fixture(autouse=True)
    def _served(self, server: RedisServer) -> None:
        self.served = server

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        link = Link.open(BusAddress.parse(self.served.url))
        try:
            yield RedisJournal(link, sha256(str(where).encode()).hexdigest()[:32], "style")
        finally:
            await link.close()


class TestMacSealedJournal(JournalConformance):
    bytes_max = STEP_BYTES_MAX - MAC_BYTES

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        yield SealedJournal(MemoryJournal(), FixedSigner)


class TestSignedJournal(JournalConformance):
    bytes_max = STEP_BYTES_MAX - SIGNATURE_BYTES

    @asynccontextmanager
    async def opened(self, where: Path) -> AsyncIterator[Journal]:
        signer = FixedSigner()
        known = {signer.key_id: (signer.public_key, frozenset({"gate:style"}))}
        yield SealedJournal(MemoryJournal(), SignatureSeal("gate:style", signer, known.get))


@asynccontextmanager
async def opened_ledger(where: Path) -> AsyncIterator[SqliteLedger]:
    ledger = SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=None)
    try:
        yield ledger
    finally:
        await ledger.close()


def holding(where: Path, prose: bytes) -> list[str]:
    return [path.name for path in where.iterdir() if prose in path.read_bytes()]


async def test_a_step_is_no_part_of_the_log(tmp_path: Path) -> None:
    """Steps before, between and after receipts: the log has the size, the root and the proofs that it has without."""
    async with opened_ledger(tmp_path) as ledger:
        await ledger.journal.put(ABOUT, step(b"before"))
        assert (await ledger.head()).size == 0

        appended = await ledger.append(opening_entries(), expect={}, time_ms=1)
        await ledger.journal.put(ABOUT, step(b"after", turn=2))
        await ledger.journal.erase(ABOUT)

        assert appended.head == await ledger.head()
        assert (await verified(ledger)).failed == ()


async def test_erased_steps_leave_the_file_and_the_wal(tmp_path: Path) -> None:
    """Prose is written encrypted only, and that too goes from what a copy of the directory would hold."""
    prose = b"what a person asked for and a model said"
    async with opened_ledger(tmp_path) as ledger:
        await ledger.journal.put(ABOUT, step(prose))
        with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
            (kept,) = connection.execute("SELECT payload FROM step").fetchone()
        assert holding(tmp_path, kept)
        assert [] == holding(tmp_path, prose)

        await ledger.journal.erase(ABOUT)

        assert [] == holding(tmp_path, kept)


async def test_a_step_cannot_be_changed_in_the_database(tmp_path: Path) -> None:
    """A guard rail against mistakes: what was paid for is erased, never edited."""
    async with opened_ledger(tmp_path) as ledger:
        await ledger.journal.put(ABOUT, step(b"kept"))

    with (
        closing(sqlite3.connect(tmp_path / "ledger.db")) as connection,
        pytest.raises(sqlite3.IntegrityError, match="the first step that was put"),
    ):
        connection.execute("UPDATE step SET payload = x'00'")


async def test_a_closed_ledger_keeps_no_steps(tmp_path: Path) -> None:
    """Neither reading nor writing hangs or invents an answer."""
    async with opened_ledger(tmp_path) as ledger:
        journal = ledger.journal

    with pytest.raises(StorageUnavailable, match="closed"):
        await journal.put(ABOUT, step())
    with pytest.raises(StorageUnavailable, match="closed"):
        await found(journal, ABOUT, step())

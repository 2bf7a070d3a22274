"""The leases of every ledger adapter, held to the one suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.adapters.memory_ledger import MemoryLedger
from squads.adapters.postgres_ledger import PostgresLedger
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import Ledger, Signer
from squads.testing.conformance_leases import LeasesConformance
from squads.testing.postgres_server import PostgresServer


class TestMemoryLeases(LeasesConformance):
    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return MemoryLedger(origin, log_signer)


class TestSqliteLeases(LeasesConformance):
    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return SqliteLedger.open(where / "ledger.db", origin, log_signer, outside=None)


class TestPostgresLeases(LeasesConformance):
    @pytest.fixture(autouse=True)
    def _served(self, postgres_server: PostgresServer) -> None:
        self.url = postgres_server.fresh_url()

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return PostgresLedger.open(self.url, origin, log_signer, outside=None, content_key=bytes(32))

"""Every ledger adapter, held to the one suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from squads.adapters.memory_ledger import MemoryLedger
from squads.adapters.postgres_ledger import PostgresLedger
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import Ledger, Signer
from squads.testing.conformance_erasure import ErasureConformance
from squads.testing.conformance_ledger import LedgerConformance
from squads.testing.postgres_server import PostgresServer


class TestMemoryLedger(LedgerConformance, ErasureConformance):
    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return MemoryLedger(origin, log_signer)


class TestSqliteLedger(LedgerConformance, ErasureConformance):
    durable = True

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        beside = where / "outside"
        return SqliteLedger.open(
            where / "ledger.db", origin, log_signer, outside=beside / "checkpoints", vault=beside / "content.slots"
        )


class TestSqliteLedgerWithNothingOutside(LedgerConformance, ErasureConformance):
    durable = True

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return SqliteLedger.open(where / "ledger.db", origin, log_signer, outside=None)


class TestPostgresLedger(LedgerConformance, ErasureConformance):
    durable = True

    @pytest.fixture(autouse=True)
    def _served(self, postgres_server: PostgresServer) -> None:
        self.url = postgres_server.fresh_url()

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        outside = where / "outside" / "checkpoints"
        return PostgresLedger.open(self.url, origin, log_signer, outside=outside, content_key=bytes(32))

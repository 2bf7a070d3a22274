"""The leases of every ledger adapter, held to the one suite."""

from __future__ import annotations

from pathlib import Path

from squads.adapters.memory_ledger import MemoryLedger
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import Ledger, Signer
from squads.testing.conformance_leases import LeasesConformance


class TestMemoryLeases(LeasesConformance):
    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return MemoryLedger(origin, log_signer)


class TestSqliteLeases(LeasesConformance):
    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return SqliteLedger.open(where / "ledger.db", origin, log_signer, outside=None)

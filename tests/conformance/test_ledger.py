"""Every ledger adapter, held to the one suite."""

from __future__ import annotations

from pathlib import Path

from squads.adapters.memory_ledger import MemoryLedger
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.kernel.ports import Ledger, Signer
from squads.testing.conformance_ledger import LedgerConformance


class TestMemoryLedger(LedgerConformance):
    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return MemoryLedger(origin, log_signer)


class TestSqliteLedger(LedgerConformance):
    durable = True

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return SqliteLedger.open(where / "ledger.db", origin, log_signer, outside=where / "outside" / "checkpoints")


class TestSqliteLedgerWithNothingOutside(LedgerConformance):
    durable = True

    async def open_ledger(self, where: Path, origin: str, log_signer: Signer) -> Ledger:
        return SqliteLedger.open(where / "ledger.db", origin, log_signer, outside=None)

"""A SQLite ledger for the faults, and processes that append to it and print what was acknowledged."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import quick_start
import squads
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.ledger.report import Report
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST, opening_entries, ticket

PRELUDE = """
import asyncio, os, resource, shutil, sys
from pathlib import Path
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.contracts.errors import Conflict, StorageUnavailable
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, ticket
where = Path(sys.argv[1])
def tell(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())
def open_ledger():
    return SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=where / "checkpoints")
"""


def child(where: Path, script: str) -> subprocess.Popen[str]:
    """Start a Python process that appends to the ledger in `where`."""
    source = str(Path(squads.__file__).parent.parent)
    return subprocess.Popen(
        [quick_start.python(), "-c", PRELUDE + script, str(where)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": source},
    )


@asynccontextmanager
async def opened(where: Path) -> AsyncIterator[SqliteLedger]:
    ledger = SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=where / "checkpoints")
    try:
        yield ledger
    finally:
        await ledger.close()


async def filled(where: Path, size: int) -> None:
    async with opened(where) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        for number in range(2, size, 2):
            await ledger.append([ticket("a", number), ticket("b", number)], expect={}, time_ms=2)


def report_on(where: Path) -> Report:
    with sqlite_snapshot(where / "ledger.db", outside=where / "checkpoints") as snapshot:
        return verify_log(snapshot.leaves, trust=TRUST, checkpoints=snapshot.checkpoints, outside=snapshot.outside)

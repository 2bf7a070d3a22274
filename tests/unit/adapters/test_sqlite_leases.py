"""Leases of the SQLite ledger: files whose locks say who lives, and tables that no proof speaks of."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_snapshot import sqlite_snapshot
from squads.contracts.errors import StorageUnavailable
from squads.ledger.verify import verify_log
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, TRUST, opening_entries, ticket


def opened(where: Path) -> SqliteLedger:
    return SqliteLedger.open(where / "ledger.db", ORIGIN, LOG_KEY, outside=None)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    made = opened(tmp_path)
    await made.append(opening_entries(), expect={}, time_ms=1)
    yield made
    await made.close()


def changed(where: Path, statement: str, *values: Any) -> None:
    connection = sqlite3.connect(where / "ledger.db")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


async def test_who_has_begun_keeps_a_locked_file_of_its_own(tmp_path: Path, ledger: SqliteLedger) -> None:
    """For its owner alone, beside the database, and gone with its holder."""
    await ledger.leases.begin("one")
    file = tmp_path / "ledger.db.holders" / "one"

    assert 0o600 == file.stat().st_mode & 0o777
    assert 0o700 == file.parent.stat().st_mode & 0o777
    await ledger.leases.end("one")
    assert not file.exists()


async def test_another_process_sees_who_lives_and_who_is_gone(tmp_path: Path, ledger: SqliteLedger) -> None:
    """By the lock alone: a file that nobody locks is of a holder that died; whoever takes over removes it."""
    other = opened(tmp_path)
    await ledger.leases.begin("one")
    await ledger.leases.take("p", "one")
    await ledger.leases.beat("one")
    await other.leases.begin("two")
    assert [False, False] == [await other.leases.gone("one"), await other.leases.gone("one")]
    os.close(ledger.leases._held.pop("one"))  # as the system does when a process dies

    assert await other.leases.gone("one") is True
    taken = await other.leases.take("p", "two", over=await other.leases.look("p"))

    assert taken is not None
    assert ["two"] == [file.name for file in (tmp_path / "ledger.db.holders").iterdir()]
    assert [] == await other._rows("SELECT * FROM holder")
    await other.close()


async def test_a_closed_ledger_holds_nothing(tmp_path: Path, ledger: SqliteLedger) -> None:
    """Whoever began at it is gone, also where it did not end in order."""
    other = opened(tmp_path)
    await other.leases.begin("two")
    await other.close()

    assert await ledger.leases.gone("two") is True
    with pytest.raises(StorageUnavailable):
        await other.leases.begin("three")


async def test_what_cannot_be_found_out_is_not_certain(tmp_path: Path, ledger: SqliteLedger) -> None:
    """A link in the file's place, a directory, a name that would leave the directory: nobody is said to be gone."""
    await ledger.leases.begin("one")
    folder = tmp_path / "ledger.db.holders"
    (tmp_path / "free").touch()
    (folder / "linked").symlink_to(tmp_path / "free")
    changed(tmp_path, "INSERT INTO lease VALUES ('p', '../free', 4)")

    found = await ledger.leases.look("p")

    assert found is not None
    assert [False, False] == [await ledger.leases.gone(found.holder), await ledger.leases.gone("linked")]
    assert await ledger.leases.gone("removed") is True


async def test_a_directory_that_cannot_be_made_is_a_clear_error(tmp_path: Path, ledger: SqliteLedger) -> None:
    """Nothing is held where nobody would notice its holder's death."""
    (tmp_path / "ledger.db.holders").touch()

    with pytest.raises(StorageUnavailable, match=r"the lock file .*ledger\.db\.holders/one could not be used"):
        await ledger.leases.begin("one")


async def test_a_packet_costs_no_commit_of_its_own(
    tmp_path: Path, ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened, carried on and ended, the lease goes along; who has nothing left to give back writes nothing."""
    commits: list[Any] = []
    real = ledger._writer.submit

    async def submit(work: Any, entries: int = 0) -> Any:
        commits.append(work)
        return await real(work, entries)

    monkeypatch.setattr(ledger._writer, "submit", submit)
    monkeypatch.setattr(ledger.leases, "_submit", submit)
    await ledger.leases.begin("one")
    from dataclasses import replace

    from squads.kernel.ports import Lease

    lease = Lease(packet="p", holder="one", token=1)
    for number in range(3):
        fence = replace(lease, last=number == 2)
        await ledger.append([ticket("p", number)], expect={"p": number}, time_ms=1, fence=fence)
    await ledger.leases.end("one")

    assert 3 == len(commits)
    assert [] == await ledger._rows("SELECT * FROM lease")


async def test_a_file_from_before_there_were_leases_gets_their_tables(tmp_path: Path, ledger: SqliteLedger) -> None:
    """The version stays: who does not know the tables leaves them be."""
    await ledger.close()
    changed(tmp_path, "DROP TABLE lease")
    changed(tmp_path, "DROP TABLE holder")

    again = opened(tmp_path)
    await again.leases.begin("one")

    assert (await again.leases.take("p", "one")) is not None
    assert [(2,)] == await again._rows("PRAGMA user_version")
    await again.close()


async def test_leases_are_no_part_of_the_proof(tmp_path: Path, ledger: SqliteLedger) -> None:
    """Whatever stands in those tables, the log verifies as before, also while somebody holds a packet."""
    await ledger.leases.begin("one")
    await ledger.leases.take("p", "one")
    changed(tmp_path, "UPDATE lease SET holder = 'nobody', token = 99")

    with sqlite_snapshot(tmp_path / "ledger.db") as snapshot:
        report = verify_log(snapshot.leaves, trust=TRUST, checkpoints=snapshot.checkpoints, outside=None)

    assert () == report.failed

"""Content at rest in SQLite: closed under one key for each subject, and gone from every file when that is erased."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from hashlib import sha256
from pathlib import Path

import pytest

from squads.adapters import sqlite_schema
from squads.adapters.sqlite_content import reader_of
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_migrations import emptied
from squads.adapters.sqlite_schema import open_reader
from squads.adapters.sqlite_tables import CONTENT
from squads.adapters.vault import SLOTS_AT_ONCE
from squads.contracts.errors import BlobMissing, StorageUnavailable, SubjectErased
from squads.contracts.thinking import Step
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, opening_entries, ticket, verified

SECRET = b"the medical history of somebody who trusted us"


@asynccontextmanager
async def opened(where: Path, *, vault: bool = True) -> AsyncIterator[SqliteLedger]:
    slots = where / "keys" / "content.slots" if vault else None
    ledger = SqliteLedger.open(where / "store" / "ledger.db", ORIGIN, LOG_KEY, outside=None, vault=slots)
    try:
        yield ledger
    finally:
        await ledger.close()


def holding(where: Path, needle: bytes) -> list[str]:
    """The files below a directory that hold these bytes."""
    return sorted(path.name for path in where.rglob("*") if path.is_file() and needle in path.read_bytes())


@pytest.mark.parametrize("vault", [True, False], ids=["slots", "table"])
async def test_no_byte_of_an_erased_subject_stays_in_any_file(tmp_path: Path, vault: bool) -> None:
    """Many rows moved between many pages: no sealed byte, no digest of a file, no key, neither open nor closed."""
    kept = [os.urandom(900) for _ in range(60)]
    gone = [SECRET + os.urandom(900) for _ in range(60)]
    async with opened(tmp_path, vault=vault) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        for number in range(60):
            for name, content in (("kept", kept[number]), ("gone", gone[number])):
                subject = None if number else f"s-{name}"
                await ledger.append([ticket(name)], expect={}, time_ms=1, content=[content], subject=subject)
            step = Step(kind="model", input="0" * 64, turn=number + 1, payload=SECRET)
            await ledger.journal.put("request", step, packet="gone")
        with closing(sqlite3.connect(tmp_path / "store" / "ledger.db")) as connection:
            sealed = [row[0] for row in connection.execute("SELECT sealed FROM content")]
            steps = [row[0] for row in connection.execute("SELECT payload FROM step")]
            (slot, key) = connection.execute("SELECT slot, key FROM subject WHERE name = 's-gone'").fetchone()
        if vault:
            key = (tmp_path / "keys" / "content.slots").read_bytes()[32 * (slot + 1) :][:32]
        assert [] == holding(tmp_path, SECRET)
        assert holding(tmp_path, key)

        assert 60 == await ledger.erase("s-gone")

        found = {name for content in gone for name in holding(tmp_path, sha256(content).digest())}
        found |= {name for payload in steps for name in holding(tmp_path, payload[13:60])}
        left = sum(bool(holding(tmp_path, data[13:60])) for data in sealed)
        assert (set(), 60) == (found, left)
        assert [] == holding(tmp_path, key)
        for content in kept:
            assert content == await ledger.blobs.get(sha256(content).hexdigest())
        assert (await verified(ledger)).failed == ()


def test_rows_that_were_moved_leave_nothing_where_they_were(tmp_path: Path) -> None:
    """SQLite overwrites what is deleted, not what it moved from page to page: only a rewritten file is free of it."""
    chance = random.Random(3)  # with these rows some of SQLite's pages keep digests of what was deleted
    rows = [(chance.randbytes(32), n % 7, chance.randbytes(chance.choice([60, 600, 900]))) for n in range(2_000)]
    path = tmp_path / "ledger.db"
    with closing(sqlite_schema.open_writer(path)) as connection:
        connection.executescript(CONTENT)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO content VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
        for subject in range(6):
            connection.execute("DELETE FROM content WHERE subject = ?", (subject,))

        emptied(connection)

        data = path.read_bytes()
        assert [] == [digest for digest, subject, sealed in rows if subject < 6 and (digest in data or sealed in data)]
        assert all(digest in data for digest, subject, _ in rows if subject == 6)
        assert (tmp_path / "ledger.db-wal").stat().st_size == 0


async def test_a_copy_of_the_database_does_not_bring_it_back(tmp_path: Path) -> None:
    """The key stands outside: a backup of the database that is restored after an erasure opens nothing."""
    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1, content=[SECRET])
        with closing(sqlite3.connect(tmp_path / "store" / "ledger.db")) as connection:
            connection.execute("VACUUM INTO ?", (str(tmp_path / "backup.db"),))
        await ledger.erase("a")

    with closing(open_reader(tmp_path / "backup.db")) as connection:
        read = reader_of(connection, tmp_path / "keys" / "content.slots")
        assert read(sha256(SECRET).hexdigest()) is None
        assert connection.execute("SELECT count(*) FROM content").fetchone() == (1,)


async def test_a_reader_of_an_older_moment_finds_no_key_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its snapshot keeps closed bytes in the write-ahead log, so the erasure says that it is to be done again."""
    monkeypatch.setattr(sqlite_schema, "BUSY_WAIT_MS", 50)
    digest = sha256(SECRET).hexdigest()
    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1, content=[SECRET])
        with closing(open_reader(tmp_path / "store" / "ledger.db")) as connection:
            read = reader_of(connection, tmp_path / "keys" / "content.slots")
            connection.execute("BEGIN")
            assert SECRET == read(digest)

            with pytest.raises(StorageUnavailable, match="the keys are destroyed, and a reader"):
                await ledger.erase("a")

            assert read(digest) is None
        with pytest.raises(BlobMissing):
            await ledger.blobs.get(digest)
        assert 0 == await ledger.erase("a")
        assert (tmp_path / "store" / "ledger.db-wal").stat().st_size == 0


async def test_an_erasure_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    """The key goes first: when the process dies before the rows go, nobody reads them; a second try removes them."""
    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1, content=[SECRET])
        vault = ledger._contents._vault
        assert vault is not None
        vault.destroy(0)

        with pytest.raises(BlobMissing):
            await ledger.blobs.get(sha256(SECRET).hexdigest())
        assert 1 == await ledger.erase("a")
        assert 0 == await ledger.erase("a")


async def test_another_process_sees_an_erasure_at_once(tmp_path: Path) -> None:
    """Nobody keeps a key: who had the content open a moment ago reads no more of it, and brings nothing back."""
    digest = sha256(SECRET).hexdigest()
    async with opened(tmp_path) as one, opened(tmp_path) as other:
        await other.append([ticket("a")], expect={}, time_ms=1, content=[SECRET])
        assert SECRET == await other.blobs.get(digest)

        assert 1 == await one.erase("a")

        with pytest.raises(BlobMissing):
            await other.blobs.get(digest)
        with pytest.raises(SubjectErased):
            await other.append([ticket("a")], expect={"a": 1}, time_ms=1, content=[SECRET])
        with pytest.raises(SubjectErased):
            await other.blobs.put(SECRET, subject="a")
        await other.append([ticket("b")], expect={}, time_ms=1, content=[b"goes on"])
        assert b"goes on" == await one.blobs.get(sha256(b"goes on").hexdigest())


async def test_new_subjects_cost_a_sync_of_the_keys_only_once_in_many(tmp_path: Path) -> None:
    """The file of slots grows by many at once, so that opening a packet stays one commit."""
    async with opened(tmp_path) as ledger:
        for number in range(5):
            await ledger.blobs.put(b"x", subject=f"s{number}")

    size_bytes = (tmp_path / "keys" / "content.slots").stat().st_size
    assert 32 * (SLOTS_AT_ONCE + 1) == size_bytes


async def test_a_ledger_whose_keys_are_gone_is_not_opened(tmp_path: Path) -> None:
    """Missing, cut, or another ledger's: refused with what to do, and nothing is made in its place."""
    slots = tmp_path / "keys" / "content.slots"
    async with opened(tmp_path) as ledger:
        for number in range(3):
            await ledger.blobs.put(b"x", subject=f"s{number}")
    async with opened(tmp_path / "other") as ledger:
        await ledger.blobs.put(b"x")
    whole, other = slots.read_bytes(), (tmp_path / "other" / "keys" / "content.slots").read_bytes()

    for content, says in ((None, "keys of this ledger's content are gone"), (whole[:96], "cut"), (other, "another")):
        slots.unlink()
        if content is not None:
            slots.write_bytes(content)
            slots.chmod(0o600)
        with pytest.raises(StorageUnavailable, match=says):
            async with opened(tmp_path):
                pass
        if content is None:
            assert not slots.exists()
            slots.touch()
    slots.write_bytes(whole)
    async with opened(tmp_path) as ledger:
        assert b"x" == await ledger.blobs.get(sha256(b"x").hexdigest())


async def test_without_the_file_of_keys_the_log_can_be_read_and_content_cannot(tmp_path: Path) -> None:
    """Whoever opens such a ledger without saying where its keys are is told when they matter."""
    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"x"])

    async with opened(tmp_path, vault=False) as ledger:
        assert 1 == (await ledger.head()).size
        with pytest.raises(StorageUnavailable, match="outside the database"):
            await ledger.blobs.get(sha256(b"x").hexdigest())
        with pytest.raises(StorageUnavailable, match="outside the database"):
            await ledger.blobs.put(b"y", subject="new")


async def test_what_was_stored_in_the_table_is_read_when_a_file_of_keys_comes(tmp_path: Path) -> None:
    """Keys that stand in the database stay there; new subjects get theirs in the file."""
    async with opened(tmp_path, vault=False) as ledger:
        await ledger.blobs.put(b"x", subject="old")
    async with opened(tmp_path) as ledger:
        await ledger.blobs.put(b"y", subject="new")

        assert b"x" == await ledger.blobs.get(sha256(b"x").hexdigest())
        assert b"y" == await ledger.blobs.get(sha256(b"y").hexdigest())
        assert [(None, True), (0, False)] == await ledger._rows("SELECT slot, key IS NOT NULL FROM subject")


async def test_a_slot_that_was_destroyed_is_never_given_away(tmp_path: Path) -> None:
    """Also where an older copy of the database does not know that it was somebody's."""
    async with opened(tmp_path) as ledger:
        vault = ledger._contents._vault
        assert vault is not None
        vault.destroy(0)
        vault.destroy(1)
        await ledger.blobs.put(b"x", subject="a")

        assert [(2,)] == await ledger._rows("SELECT slot FROM subject")

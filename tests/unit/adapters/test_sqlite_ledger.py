"""The SQLite ledger beyond the conformance suite: what it refuses to open, and how it meets trouble."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from squads.adapters import sqlite_schema
from squads.adapters.checkpoint_file import read_checkpoint_file
from squads.adapters.file_lock import FileLock
from squads.adapters.keys import InProcessSigner
from squads.adapters.sqlite_ledger import SqliteLedger
from squads.adapters.sqlite_schema import translated
from squads.contracts.errors import (
    BlobMissing,
    KeyUnavailable,
    LedgerBroken,
    LedgerError,
    LedgerTooNew,
    RollbackDetected,
    StorageUnavailable,
)
from squads.ledger.merkle import Edge
from squads.testing.conformance_ledger import LOG_KEY, ORIGIN, RUNNER_KEY, opening_entries, ticket, verified


def open_at(where: Path, **changes) -> SqliteLedger:
    arguments = {"origin": ORIGIN, "log_signer": LOG_KEY, "outside": where / "outside" / "checkpoints"} | changes
    return SqliteLedger.open(where / "room" / "ledger.db", **arguments)


@asynccontextmanager
async def opened(where: Path, **changes):
    ledger = open_at(where, **changes)
    try:
        yield ledger
    finally:
        await ledger.close()


async def filled(where: Path, size: int = 6, **changes) -> None:
    async with opened(where, **changes) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        for number in range(size - 2):
            await ledger.append([ticket("a", number)], expect={"a": number}, time_ms=2)


def edited(where: Path, *statements: str) -> None:
    """Do what anybody with the sqlite3 shell can do."""
    with closing(sqlite3.connect(where / "room" / "ledger.db")) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (trigger,) in triggers:
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


async def test_files_and_directories_are_for_their_owner_only(tmp_path):
    """0600 and 0700, also for what SQLite makes beside the database."""
    async with opened(tmp_path) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]

        assert {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock", "checkpoints"} == {
            p.name for p in files
        }
        assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}
        assert {0o700} == {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("room", "outside")}


async def test_every_full_subtree_is_stored(tmp_path):
    """Inclusion and consistency proofs can be made from the rows alone, without reading a leaf."""
    await filled(tmp_path, size=21)
    with closing(sqlite3.connect(tmp_path / "room" / "ledger.db")) as connection:
        hashes = [digest for (digest,) in connection.execute("SELECT leaf_hash FROM entry ORDER BY seq")]
        nodes = connection.execute("SELECT level, idx, hash FROM node").fetchall()

    assert sorted(Edge().extend(hashes)) == sorted(nodes)


async def test_the_guard_rails_refuse_every_change(tmp_path):
    """Mistakes with the sqlite3 shell do not damage the ledger; only content can go."""
    await filled(tmp_path)
    with closing(sqlite3.connect(tmp_path / "room" / "ledger.db")) as connection:
        connection.execute("INSERT INTO content VALUES (x'00', 1, x'00')")
        connection.execute("INSERT INTO stream_subject VALUES ('a', 'b')")
        connection.execute("INSERT INTO subject VALUES (1, 'b', NULL, x'00', 0)")
        for table in ("ledger", "stream", "entry", "node", "checkpoint", "stream_subject", "content", "subject"):
            column = connection.execute(f"SELECT name FROM pragma_table_info('{table}') LIMIT 1").fetchone()[0]
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(f"UPDATE {table} SET {column} = {column}")
            if table != "content":
                with pytest.raises(sqlite3.IntegrityError, match=r"append-only|stays known"):
                    connection.execute(f"DELETE FROM {table}")
        for seq in (3, 7):
            with pytest.raises(sqlite3.IntegrityError, match="each after the one before"):
                connection.execute("INSERT OR REPLACE INTO entry VALUES (?, 1, 99, x'00', x'00')", (seq,))


async def test_a_newer_format_is_too_new(tmp_path):
    """Unknown versions are refused, not guessed at."""
    await filled(tmp_path)
    edited(tmp_path, "PRAGMA user_version = 3")

    with pytest.raises(LedgerTooNew, match="upgrade squads"):
        open_at(tmp_path)


@pytest.mark.parametrize("foreign", ["database", "text", "application"])
async def test_another_programs_file_is_left_alone(tmp_path, foreign):
    """Nothing is written into a file that is no ledger."""
    path = tmp_path / "room" / "ledger.db"
    path.parent.mkdir()
    if foreign == "text":
        path.write_text("some text that somebody needs\n" * 200)
    else:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA application_id = 7" if foreign == "application" else "CREATE TABLE t (x)")
            connection.commit()
            connection.execute("VACUUM")
    before = path.read_bytes()

    with pytest.raises(LedgerBroken):
        open_at(tmp_path)
    assert foreign != "text" or before == path.read_bytes()
    assert before[100:] == path.read_bytes()[100:]


async def test_another_origin_or_log_key_is_another_ledger(tmp_path):
    """A ledger is opened with the name and the key that it was made with."""
    await filled(tmp_path)

    with pytest.raises(LedgerBroken, match="is the ledger"):
        open_at(tmp_path, origin="example.com/squads/other/0", outside=None)
    with pytest.raises(LedgerBroken, match="another key"):
        open_at(tmp_path, log_signer=RUNNER_KEY, outside=None)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM checkpoint WHERE size = 6", "newest checkpoint covers 5"),
        ("DELETE FROM entry WHERE seq = 5", "holds 5 receipts"),
        ("INSERT INTO entry SELECT 6, stream, 99, leaf, leaf_hash FROM entry WHERE seq = 5", "holds 7 receipts"),
        ("UPDATE checkpoint SET note = replace(note, 'A', 'B') WHERE size = 6", "not this log's"),
        ("UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = 5", "do not have the root"),
        ("UPDATE entry SET leaf = x'00' WHERE seq = 5", "cannot be read"),
        ("UPDATE node SET hash = zeroblob(32)", "do not have the root"),
        ("DELETE FROM node", "is missing"),
        ("DROP TABLE node", "tables it must have"),
    ],
)
async def test_a_damaged_end_is_noticed_when_the_ledger_is_opened(tmp_path, statement, words):
    """Nothing is appended to, and nothing is signed over, rows that do not have the root that was signed."""
    await filled(tmp_path)
    edited(tmp_path, statement)

    with pytest.raises(LedgerBroken, match=words):
        open_at(tmp_path, outside=None)


async def test_an_old_copy_is_a_rollback(tmp_path):
    """The checkpoint file survives the restore and says that there was more."""
    await filled(tmp_path)
    shutil.copytree(tmp_path / "room", tmp_path / "backup")
    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=3)
    shutil.rmtree(tmp_path / "room")
    shutil.copytree(tmp_path / "backup", tmp_path / "room")

    with pytest.raises(RollbackDetected, match="covers 7"):
        open_at(tmp_path)


async def test_an_old_copy_put_under_a_running_ledger_is_a_rollback(tmp_path):
    """The running process knows what it committed, also without a file outside."""
    await filled(tmp_path, outside=None)
    shutil.copytree(tmp_path / "room", tmp_path / "backup")
    async with opened(tmp_path, outside=None) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=3)
        for path in (tmp_path / "room").glob("ledger.db*"):
            if path.suffix != ".lock":
                path.unlink()
        shutil.copy(tmp_path / "backup" / "ledger.db", tmp_path / "room" / "ledger.db")

        with pytest.raises(RollbackDetected, match="covers 7"):
            await ledger.append([ticket("a")], expect={}, time_ms=3)


async def test_an_old_copy_that_went_on_is_a_fork(tmp_path):
    """Grown past the known checkpoint, but over other receipts."""
    await filled(tmp_path)
    shutil.copytree(tmp_path / "room", tmp_path / "backup")
    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a", 100)], expect={}, time_ms=3)
    shutil.rmtree(tmp_path / "room")
    shutil.copytree(tmp_path / "backup", tmp_path / "room")
    async with opened(tmp_path, outside=None) as ledger:
        await ledger.append([ticket("a", 200), ticket("a", 201)], expect={}, time_ms=3)

    with pytest.raises(LedgerBroken, match="forked"):
        open_at(tmp_path)


async def test_a_file_outside_that_is_behind_is_no_fault(tmp_path):
    """A crash between commit and note leaves the file behind; it catches up with the next append."""
    await filled(tmp_path)
    file = tmp_path / "outside" / "checkpoints"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))

    async with opened(tmp_path) as ledger:
        await ledger.append([ticket("a")], expect={}, time_ms=3)
        assert (await verified(ledger, outside=list(read_checkpoint_file(file)))).failed == ()


async def test_a_file_outside_of_another_log_is_refused(tmp_path):
    """Appending to it would make it useless for both."""
    await filled(tmp_path)
    (tmp_path / "outside" / "checkpoints").write_text('"garbage"\n')

    with pytest.raises(LedgerBroken, match="holds no checkpoint of"):
        open_at(tmp_path)


async def test_waiting_appends_are_committed_together(tmp_path):
    """Natural group commit: far fewer checkpoints than appends, and every caller has its own numbers."""
    async with opened(tmp_path) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        appended = await asyncio.gather(
            *(ledger.append([ticket(f"s{n}"), ticket(f"s{n}", 1)], expect={f"s{n}": 0}, time_ms=2) for n in range(300))
        )

        assert list(range(2, 602, 2)) == sorted(one.first_seq for one in appended)
        assert len(await ledger.checkpoints()) < 100
        assert (await verified(ledger)).failed == ()
        assert [stored.seq - appended[7].first_seq for stored in await ledger.read("s7")] == [0, 1]


async def test_two_event_loops_share_one_ledger(tmp_path):
    """Each caller is answered in its own loop."""
    ledger = open_at(tmp_path)
    failures: list[BaseException] = []

    def work(name: str) -> None:
        async def run() -> None:
            for number in range(20):
                await ledger.append([ticket(name, number)], expect={name: number}, time_ms=1)

        try:
            asyncio.run(run())
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"loop{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)

    assert failures == []
    assert (await ledger.head()).size == 60
    await ledger.close()


async def until(condition: Callable[[], bool]) -> None:
    """Give way to the other threads until they have come so far."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_close_commits_what_was_accepted_and_leaves_no_thread(tmp_path, monkeypatch):
    """Nothing that was queued is dropped, also what is still queued when the end is announced."""
    before = set(threading.enumerate())
    ledger = open_at(tmp_path)
    store, entered = ledger._writer._store, threading.Event()
    commit = store.commit
    monkeypatch.setattr(store, "commit", lambda works: (entered.set(), commit(works))[1])
    lock = FileLock(tmp_path / "room" / "ledger.db.lock")
    with lock.held():
        appends = [asyncio.ensure_future(ledger.append([ticket("a")], expect={}, time_ms=1))]
        await until(entered.is_set)
        appends += [asyncio.ensure_future(ledger.append([ticket("a", n)], expect={}, time_ms=1)) for n in range(49)]
        await asyncio.sleep(0)
        closing_task = asyncio.ensure_future(ledger.close())
        await until(lambda: ledger._writer._closed)
    await closing_task
    lock.close()

    assert set(range(50)) == {(await append).first_seq for append in appends}
    assert before == set(threading.enumerate())
    assert not (tmp_path / "room" / "ledger.db-wal").exists()


async def test_a_caller_who_gives_up_disturbs_nobody(tmp_path):
    """Cancelling one append leaves the others and the ledger whole."""
    async with opened(tmp_path) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        appends = [asyncio.ensure_future(ledger.append([ticket("a", n)], expect={}, time_ms=1)) for n in range(20)]
        await asyncio.sleep(0)
        for append in appends[::2]:
            append.cancel()
        outcomes = await asyncio.gather(*appends, return_exceptions=True)

        assert not [outcome for outcome in outcomes[1::2] if isinstance(outcome, BaseException)]
        assert (await verified(ledger)).failed == ()


class FailingSigner(InProcessSigner):
    __slots__ = ("error",)
    error: Exception | None

    def sign(self, message: bytes) -> bytes:
        if self.error is not None:
            raise self.error
        return super().sign(message)


async def test_without_a_signature_nothing_is_written(tmp_path):
    """A signer that is away fails the append; the ledger stays as it was and goes on when it is back."""
    signer = FailingSigner(b"\2" * 32)
    signer.error = None
    async with opened(tmp_path, log_signer=signer) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        signer.error = KeyUnavailable("the signing daemon does not answer")
        with pytest.raises(KeyUnavailable):
            await ledger.append([ticket("a")], expect={}, time_ms=1, content=[b"x"])
        signer.error = RuntimeError("a bug in the signer")
        with pytest.raises(StorageUnavailable, match="a bug in the signer"):
            await ledger.append([ticket("a")], expect={}, time_ms=1)
        signer.error = None

        assert (await ledger.append([ticket("a")], expect={"a": 0}, time_ms=1)).first_seq == 2
        assert (await verified(ledger)).failed == ()


async def test_what_the_medium_changed_is_never_signed(tmp_path):
    """Verify before sign: the rows are read back, and a flipped byte stops the commit."""
    await filled(tmp_path)
    async with opened(tmp_path) as ledger:
        edited(
            tmp_path,
            "CREATE TRIGGER flaky AFTER INSERT ON entry BEGIN "
            "UPDATE entry SET leaf = zeroblob(length(leaf)) WHERE seq = NEW.seq; END",
        )
        with pytest.raises(LedgerBroken, match="nothing was signed"):
            await ledger.append([ticket("a")], expect={}, time_ms=3)
        edited(tmp_path)

        assert (await ledger.append([ticket("a")], expect={}, time_ms=3)).first_seq == 6


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET leaf = zeroblob(length(leaf)) WHERE seq = 3",
        "UPDATE entry SET leaf = CAST(substr(leaf, 1, length(leaf) - 1) || x'00' AS BLOB) WHERE seq = 3",
        "DELETE FROM entry WHERE seq = 3",
        "UPDATE entry SET position = position + 10 WHERE seq = 3",
        "UPDATE entry SET leaf = (SELECT leaf FROM entry WHERE seq = 4), "
        "leaf_hash = (SELECT leaf_hash FROM entry WHERE seq = 4) WHERE seq = 3",
    ],
)
async def test_reading_a_damaged_stream_is_an_error(tmp_path, statement):
    """A fold over changed, lost or exchanged receipts would decide on what nobody said."""
    await filled(tmp_path)
    edited(tmp_path, statement)

    async with opened(tmp_path) as ledger:
        with pytest.raises(LedgerBroken, match="squads verify"):
            await ledger.read("a")


async def test_a_scan_ends_where_the_log_ended_when_it_began(tmp_path):
    """A log that grows meanwhile does not keep a reader for ever."""
    await filled(tmp_path)
    async with opened(tmp_path) as ledger:
        seen = []
        async for seq, _, _ in ledger.scan():
            seen.append(seq)
            await ledger.append([ticket("a")], expect={}, time_ms=3)

        assert seen == [0, 1, 2, 3, 4, 5]


async def test_erased_content_is_gone_from_the_files(tmp_path):
    """Overwritten in the database, and not left in the WAL."""
    secret = b"a person's words, to be forgotten " * 50
    async with opened(tmp_path) as ledger:
        digest = await ledger.blobs.put(secret)
        assert await ledger.blobs.erase(digest)
        files = [path.read_bytes() for path in (tmp_path / "room").iterdir()]

        assert not [content for content in files if b"to be forgotten" in content]
        with pytest.raises(BlobMissing):
            await ledger.blobs.get(digest)


async def test_a_lock_that_is_never_free_is_an_error_not_a_wait(tmp_path):
    """The wait is bounded, and the message says how to find the holder."""
    await filled(tmp_path)
    lock = FileLock(tmp_path / "room" / "ledger.db.lock")
    async with opened(tmp_path, lock_wait_ms=20) as ledger:
        with lock.held():
            with pytest.raises(StorageUnavailable, match="another process has held"):
                await ledger.append([ticket("a")], expect={}, time_ms=3)
            with pytest.raises(StorageUnavailable, match="another process has held"):
                open_at(tmp_path, lock_wait_ms=20)

        assert (await ledger.append([ticket("a")], expect={}, time_ms=3)).first_seq == 6
    lock.close()


async def test_a_tool_that_holds_the_database_is_named(tmp_path, monkeypatch):
    """Somebody's open transaction in the sqlite3 shell."""
    monkeypatch.setattr(sqlite_schema, "BUSY_WAIT_MS", 20)
    await filled(tmp_path)
    async with opened(tmp_path) as ledger:
        with closing(sqlite3.connect(tmp_path / "room" / "ledger.db", isolation_level=None)) as tool:
            tool.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="another program holds it locked"):
                await ledger.append([ticket("a")], expect={}, time_ms=3)
            tool.execute("ROLLBACK")

        assert (await ledger.append([ticket("a")], expect={}, time_ms=3)).first_seq == 6


async def test_a_note_that_cannot_be_kept_outside_is_not_acknowledged(tmp_path, monkeypatch):
    """The receipts are there, but rollback protection is not: the caller is told, and folds again."""
    async with opened(tmp_path) as ledger:
        await ledger.append(opening_entries(), expect={}, time_ms=1)
        with monkeypatch.context() as broken:
            broken.setattr("squads.adapters.checkpoint_file.os.write", lambda *_: 3)
            with pytest.raises(StorageUnavailable, match="only 3 of"):
                await ledger.append([ticket("a")], expect={"a": 0}, time_ms=1)

        assert (await ledger.append([ticket("a")], expect={"a": 1}, time_ms=1)).first_seq == 3
        assert (await verified(ledger)).failed == ()


def test_no_error_of_the_vendor_escapes():
    """Every exception that sqlite3 defines becomes one of ours, with words."""
    errors = [value for value in vars(sqlite3).values() if isinstance(value, type) and issubclass(value, sqlite3.Error)]
    assert len(errors) > 8

    for error in errors:
        meant = translated(error("what happened"), Path("x.db"))
        assert isinstance(meant, LedgerError)
        assert "x.db" in str(meant)
        assert "what happened" in str(meant)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_FULL, StorageUnavailable, "free some space"),
        (sqlite3.SQLITE_IOERR_WRITE, StorageUnavailable, "the medium failed"),
        (sqlite3.SQLITE_READONLY_DIRECTORY, StorageUnavailable, "only be read"),
        (sqlite3.SQLITE_CANTOPEN, StorageUnavailable, "directory exists"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, StorageUnavailable, "holds it locked"),
        (sqlite3.SQLITE_CORRUPT, LedgerBroken, "damaged"),
        (sqlite3.SQLITE_NOTADB, LedgerBroken, "damaged"),
        (sqlite3.SQLITE_CONSTRAINT_TRIGGER, LedgerBroken, "squads verify"),
    ],
)
def test_each_fault_of_the_medium_says_what_to_do(code, kind, words):
    """By SQLite's own code, extended or not."""
    error = sqlite3.OperationalError("vendor words")
    error.sqlite_errorcode = code
    meant = translated(error, Path("x.db"))

    assert type(meant) is kind
    assert words in str(meant)

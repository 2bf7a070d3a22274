"""The default ledger: one SQLite file, durable when `append` returns, shared by processes of one machine.

Beside the database stand its lock (`<db>.lock`), a file for each running holder of leases (`<db>.holders/`) and,
outside, the checkpoint file that survives when the database is restored from an old copy. It must never lie on a
network filesystem: WAL and locks need a local one.

    append ─▶ queue ─▶ writer thread ─▶ lock, one transaction, fsync, checkpoint file ─▶ answer
    read ──▶ reader thread ─▶ own read-only connection
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from squads.adapters.file_lock import LOCK_WAIT_MS
from squads.adapters.ledger_rows import bodies_of, stored_of
from squads.adapters.sqlite_journal import SqliteJournal
from squads.adapters.sqlite_leases import SqliteLeases
from squads.adapters.sqlite_schema import balance_in, open_reader, translated
from squads.adapters.sqlite_store import Append, Erase, SqliteStore
from squads.adapters.sqlite_writer import SqliteWriter
from squads.contracts.errors import BlobBroken, BlobMissing, LedgerBroken, LedgerError, StorageUnavailable
from squads.kernel.budget import Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import Appended, Entry, Head, Lease, Signer, Stored
from squads.ledger.checkpoint import check_origin, parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.ledger.merkle import EMPTY_ROOT

_T = TypeVar("_T")

SCAN_ROWS: Final = 256
"""Rows that `scan` holds at a time."""


class SqliteLedger:
    """A `Ledger` in one SQLite file. Open it with `SqliteLedger.open`; use it from any number of event loops."""

    def __init__(self, writer: SqliteWriter, reader: sqlite3.Connection, path: Path) -> None:
        """Use an opened writer and reader; `open` makes them."""
        self._writer = writer
        self._connection = reader
        self._path = path
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"squads-read-{path.name}")
        self._closed = False
        self._blobs = SqliteBlobs(self)
        self._journal = SqliteJournal(writer.submit, self._rows)
        self._leases = SqliteLeases(path.with_name(path.name + ".holders"), writer.submit, self._read)

    @classmethod
    def open(
        cls,
        path: str | Path,
        origin: str,
        log_signer: Signer,
        *,
        outside: str | Path | None,
        lock_wait_ms: int = LOCK_WAIT_MS,
    ) -> SqliteLedger:
        """Open the ledger at `path`, or create it, and check its end before anything is appended. Blocks briefly.

        Args:
            path: The database. Missing directories are made with mode 0700, files with 0600.
            origin: `<domain>/squads/<log>/<epoch>`; must be the one it was created with.
            log_signer: Signs checkpoints; must be the key it was created with.
            outside: The append-only checkpoint file, best on another disk; None keeps none, and then neither an old
                copy nor a cut tail is noticed.
            lock_wait_ms: How long to wait for another process that is appending.

        Raises:
            LedgerBroken: It is no ledger, another log's, or its rows do not have the root that was signed.
            LedgerTooNew: A newer squads wrote it.
            RollbackDetected: It is behind the checkpoint file.
            StorageUnavailable: It cannot be opened, written or locked.
        """
        check_origin(origin)
        path = Path(path)
        beside = None if outside is None else Path(outside)
        try:
            writer = SqliteWriter(
                lambda: SqliteStore(path, origin, log_signer, outside=beside, lock_wait_ms=lock_wait_ms), path
            )
        except (sqlite3.Error, OSError) as error:
            raise translated(error, path) from error
        try:
            return cls(writer, open_reader(path), path)
        except sqlite3.Error as error:
            writer.finish()
            raise translated(error, path) from error

    @property
    def blobs(self) -> SqliteBlobs:
        """The content store that `append` writes `content` to: a table of the same database."""
        return self._blobs

    @property
    def journal(self) -> SqliteJournal:
        """The journal of what was paid for: a table of the same database, and no part of the log."""
        return self._journal

    @property
    def leases(self) -> SqliteLeases:
        """Who holds which packet: two tables of the same database, and no part of the log."""
        return self._leases

    async def append(
        self,
        entries: Sequence[Entry],
        *,
        expect: Mapping[str, int],
        time_ms: int,
        content: Sequence[bytes] = (),
        reserve: Reservation | None = None,
        settle: Settlement | None = None,
        fence: Lease | None = None,
    ) -> Appended:
        """Append all `entries` in order, or none of them; durable when it returns.

        Appends that wait together are committed together; a `Conflict`, `LeaseLost` or `Overdrawn` of one does not
        touch the others.
        """
        bodies = bodies_of(entries, time_ms)
        work = Append(
            streams=[entry.stream for entry in entries],
            bodies=bodies,
            expect=expect,
            time_ms=time_ms,
            content=content,
            reserve=reserve,
            settle=settle,
            fence=fence,
        )
        outcome = await self._writer.submit(work, len(bodies))
        if isinstance(outcome, LedgerError):
            raise outcome
        return cast("Appended", outcome)

    async def balance(self, account: str) -> Spend:
        """Return how a shared account stands."""
        return await self._read(lambda connection: balance_in(connection, account))

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order, from its `start`-th on. Raises `LedgerBroken` for a changed one."""
        return await self._read(lambda connection: self._stream_of(connection, stream, start))

    async def streams(self) -> list[str]:
        """Return the names of all streams, oldest first."""
        return await self._read(
            lambda connection: [name for (name,) in connection.execute("SELECT name FROM stream ORDER BY id")]
        )

    async def head(self) -> Head:
        """Return the newest checkpoint; size 0 for an empty log."""
        return await self._read(self._head_of)

    async def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash) in order, up to where the log ends when the scan begins."""
        (end,) = await self._rows("SELECT coalesce(max(seq), -1) FROM entry")
        after = start - 1
        while after < end[0]:
            rows = await self._rows(
                "SELECT seq, leaf, leaf_hash FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
                (after, end[0], SCAN_ROWS),
            )
            if not rows:
                return
            for row in rows:
                yield row
            after = rows[-1][0]

    async def checkpoints(self) -> list[str]:
        """Return every stored checkpoint note, oldest first."""
        return [note for (note,) in await self._rows("SELECT note FROM checkpoint ORDER BY size")]

    async def close(self) -> None:
        """Commit what was accepted, then end both threads and let go of the files. Closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        # The reader's thread waits for the writer's, so that this loop does not, and no helper thread stays behind.
        await asyncio.get_running_loop().run_in_executor(self._reader, self._finish)
        self._reader.shutdown(wait=True)

    def _finish(self) -> None:
        self._connection.close()
        self._writer.finish()
        self._leases.close()

    async def _read(self, query: Callable[[sqlite3.Connection], _T]) -> _T:
        if self._closed:
            raise StorageUnavailable(f"the ledger {self._path} was closed; open it again")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._reader, query, self._connection)
        except sqlite3.Error as error:
            raise translated(error, self._path) from error

    async def _rows(self, sql: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        return await self._read(lambda connection: connection.execute(sql, values).fetchall())

    def _stream_of(self, connection: sqlite3.Connection, stream: str, start: int) -> list[Stored]:
        rows = connection.execute(
            "SELECT position, seq, leaf, leaf_hash FROM entry WHERE stream = (SELECT id FROM stream WHERE name = ?) "
            "AND position >= ? ORDER BY position",
            (stream, start),
        )
        found = []
        for expected, (position, seq, leaf, stored_hash) in enumerate(rows, start):
            stored = stored_of(stream, leaf, stored_hash)
            if position != expected or stored.seq != seq:
                raise LedgerBroken(
                    f"{self._path}: receipt {expected} of stream {stream!r} is missing or in another place; run "
                    f"`squads verify`"
                )
            found.append(stored)
        return found

    def _head_of(self, connection: sqlite3.Connection) -> Head:
        row = connection.execute(
            "SELECT note, (SELECT leaf FROM entry WHERE seq = size - 1) FROM checkpoint ORDER BY size DESC LIMIT 1"
        ).fetchone()
        if row is None:
            return Head(size=0, root=EMPTY_ROOT, time_ms=0, checkpoint="")
        try:
            checkpoint = parse_checkpoint(row[0])
            newest = decode_leaf(row[1] or b"")
        except Malformed as error:
            raise LedgerBroken(f"{self._path}: the newest checkpoint or receipt cannot be read: {error}") from None
        return Head(size=checkpoint.size, root=checkpoint.root, time_ms=newest.time_ms, checkpoint=row[0])


class SqliteBlobs:
    """A `BlobStore` in the ledger's own database; erasing overwrites the content there and in the WAL."""

    def __init__(self, ledger: SqliteLedger) -> None:
        """Share the ledger's threads."""
        self._ledger = ledger

    async def put(self, content: bytes) -> str:
        """Store `content` durably and return its SHA-256 as 64 hex digits."""
        content = bytes(content)
        await self._ledger._writer.submit(Append(content=(content,)))
        return sha256(content).hexdigest()

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing` or `BlobBroken`."""
        raw = _raw(digest)
        rows = await self._ledger._rows("SELECT content FROM blob WHERE digest = ?", (raw,)) if raw else []
        if not rows:
            raise BlobMissing(f"no content under {digest[:64]!r} in {self._ledger._path}: never stored, or erased")
        content: bytes = rows[0][0]
        if sha256(content).digest() != raw:
            raise BlobBroken(f"the content under {digest} has another digest; erase it, and store it again")
        return content

    async def has(self, digest: str) -> bool:
        """Say whether content is stored under this digest."""
        raw = _raw(digest)
        return bool(raw and await self._ledger._rows("SELECT 1 FROM blob WHERE digest = ?", (raw,)))

    async def erase(self, digest: str) -> bool:
        """Remove the content; True when there was some."""
        raw = _raw(digest)
        return bool(raw and await self._ledger._writer.submit(Erase(digest=raw)))


def _raw(digest: str) -> bytes:
    """Return the digest's 32 bytes; nothing for what is no digest, which is never stored."""
    if len(digest) != 64 or digest != digest.lower():
        return b""
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return b""

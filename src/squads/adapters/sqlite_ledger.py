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
from squads.adapters.ledger_rows import (
    bodies_of,
    check_covered,
    check_subject,
    consistency_of,
    no_checkpoint,
    paths_of,
    stored_of,
)
from squads.adapters.sqlite_content import EraseContent, EraseSubject, SqliteContents, owners_in
from squads.adapters.sqlite_journal import SqliteJournal
from squads.adapters.sqlite_leases import SqliteLeases
from squads.adapters.sqlite_nodes import node_reader, nodes_at
from squads.adapters.sqlite_schema import balance_in, open_reader, translated
from squads.adapters.sqlite_store import SqliteStore
from squads.adapters.sqlite_work import Append, Outcome
from squads.adapters.sqlite_writer import SqliteWriter
from squads.contracts.errors import BlobMissing, LedgerBroken, SquadsError, StorageUnavailable
from squads.kernel.budget import Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import Appended, Entry, Head, Lease, Proved, Signer, Stored
from squads.ledger.checkpoint import check_origin, parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.ledger.merkle import EMPTY_ROOT
from squads.ledger.proof import TREE_SIZE_MAX, inclusion_places

_T = TypeVar("_T")

SCAN_ROWS: Final = 256
"""Rows that `scan` holds at a time."""
PROOFS_PER_READ: Final = 1_000
"""Proofs whose nodes are read and held at a time; neighbours and everything near the root are read once for all."""


class SqliteLedger:
    """A `Ledger` in one SQLite file. Open it with `SqliteLedger.open`; use it from any number of event loops."""

    def __init__(self, writer: SqliteWriter, reader: sqlite3.Connection, path: Path, contents: SqliteContents) -> None:
        """Use an opened writer and reader; `open` makes them."""
        self._writer = writer
        self._connection = reader
        self._path = path
        self._contents = contents
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"squads-read-{path.name}")
        self._closed = False
        self._blobs = SqliteBlobs(self)
        self._journal = SqliteJournal(writer.submit, self._read, contents)
        self._leases = SqliteLeases(path.with_name(path.name + ".holders"), writer.submit, self._read)

    @classmethod
    def open(
        cls,
        path: str | Path,
        origin: str,
        log_signer: Signer,
        *,
        outside: str | Path | None,
        vault: str | Path | None = None,
        lock_wait_ms: int = LOCK_WAIT_MS,
    ) -> SqliteLedger:
        """Open the ledger at `path`, or create it, and check its end before anything is appended. Blocks briefly.

        Args:
            path: The database. Missing directories are made with mode 0700, files with 0600.
            origin: `<domain>/squads/<log>/<epoch>`; must be the one it was created with.
            log_signer: Signs checkpoints; must be the key it was created with.
            outside: The append-only checkpoint file, best on another disk; None keeps none, and then neither an old
                copy nor a cut tail is noticed.
            vault: The file with the keys that content is encrypted with, beside the private keys; made with the first
                key. None keeps them in a table of the database: erased content leaves this file all the same, and
                comes back with any older copy of it.
            lock_wait_ms: How long to wait for another process that is appending.

        Raises:
            LedgerBroken: It is no ledger, another log's, or its rows do not have the root that was signed.
            LedgerTooNew: A newer squads wrote it.
            RollbackDetected: It is behind the checkpoint file.
            StorageUnavailable: It cannot be opened, written or locked, or the file of keys that it names is not there.
        """
        check_origin(origin)
        path = Path(path)
        beside = None if outside is None else Path(outside)
        contents = SqliteContents(None if vault is None else Path(vault))
        try:
            writer = SqliteWriter(
                lambda: SqliteStore(
                    path, origin, log_signer, outside=beside, contents=contents, lock_wait_ms=lock_wait_ms
                ),
                path,
            )
        except BaseException as error:
            contents.close()
            if isinstance(error, (sqlite3.Error, OSError)):
                raise translated(error, path) from error
            raise
        try:
            return cls(writer, open_reader(path), path, contents)
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
        subject: str | None = None,
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
            subject=subject,
        )
        return cast("Appended", _or_raised(await self._writer.submit(work, len(bodies))))

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

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs under the newest checkpoint, or under the stored one of exactly `size`."""
        return await self._read(lambda connection: self._proved(connection, indexes, size))

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `old` receipts begin the first `new`."""
        return await self._read(
            lambda connection: consistency_of(old, new, self._head_of(connection).size, node_reader(connection))
        )

    async def erase(self, subject: str) -> int:
        """Destroy a subject's key and all its content, and rewrite the database without it.

        The time that takes grows with the database, and others wait for it. Raises `StorageUnavailable` where a reader
        keeps an older moment open: the key is destroyed then, and what is left cannot be decrypted.
        """
        check_subject(subject)
        return cast(
            "int", _or_raised(await self._writer.submit(EraseSubject(subject=subject, contents=self._contents)))
        )

    async def subjects(self) -> dict[str, str]:
        """Return whose each stream is."""
        return await self._read(owners_in)

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
        self._contents.close()
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

    def _proved(self, connection: sqlite3.Connection, indexes: Sequence[int], size: int | None) -> Proved:
        connection.execute("BEGIN")
        try:
            head = self._head_of(connection, size)
            check_covered(indexes, head.size)
            paths: list[tuple[bytes, ...]] = []
            for start in range(0, len(indexes), PROOFS_PER_READ):
                part = indexes[start : start + PROOFS_PER_READ]
                places = {place for index in part for place in inclusion_places(index, head.size)}
                paths += paths_of(part, head.size, nodes_at(connection, places))
            return Proved(head=head, paths=tuple(paths))
        finally:
            connection.execute("COMMIT")

    def _head_of(self, connection: sqlite3.Connection, size: int | None = None) -> Head:
        if size is not None and not 0 < size <= TREE_SIZE_MAX:  # SQLite has no larger integers
            raise no_checkpoint(size)
        row = connection.execute(
            "SELECT note, (SELECT leaf FROM entry WHERE seq = size - 1) FROM checkpoint "
            "WHERE ?1 IS NULL OR size = ?1 ORDER BY size DESC LIMIT 1",
            (size,),
        ).fetchone()
        if row is None and size is not None:
            raise no_checkpoint(size)
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

    async def put(self, content: bytes, *, subject: str = "") -> str:
        """Store `content` durably and return its SHA-256 as 64 hex digits."""
        content = bytes(content)
        _or_raised(await self._ledger._writer.submit(Append(content=(content,), subject=subject)))
        return sha256(content).hexdigest()

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing` or `BlobBroken`."""
        raw = _raw(digest)
        contents = self._ledger._contents
        content = await self._ledger._read(lambda connection: contents.get(connection, raw)) if raw else None
        if content is None:
            raise BlobMissing(f"no content under {digest[:64]!r} in {self._ledger._path}: never stored, or erased")
        return content

    async def has(self, digest: str) -> bool:
        """Say whether content is stored under this digest."""
        raw = _raw(digest)
        contents = self._ledger._contents
        return bool(raw and await self._ledger._read(lambda connection: contents.has(connection, raw)))

    async def erase(self, digest: str) -> bool:
        """Remove the content; True when there was some."""
        raw = _raw(digest)
        return bool(raw and await self._ledger._writer.submit(EraseContent(digest=raw)))


def _or_raised(outcome: Outcome) -> Outcome:
    """Return the outcome of a work; one that was not done raises why."""
    if isinstance(outcome, SquadsError):
        raise outcome
    return outcome


def _raw(digest: str) -> bytes:
    """Return the digest's 32 bytes; nothing for what is no digest, which is never stored."""
    if len(digest) != 64 or digest != digest.lower():
        return b""
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return b""

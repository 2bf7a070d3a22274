"""One process's hold on a SQLite ledger: what it knows of the end of the log, and how it goes on from there.

Everything here runs in one thread at a time, inside the ledger's lock. It must never trust its own memory after an
error or after another process wrote, and never sign what it did not read back from the database.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from squads.adapters.checkpoint_file import CheckpointFile
from squads.adapters.file_lock import FileLock
from squads.adapters.ledger_rows import accounts_after, check_expected, check_time
from squads.adapters.sqlite_content import EraseContent, EraseSubject, SqliteContents, name_owner
from squads.adapters.sqlite_files import Files, files_at, inode, keep_open
from squads.adapters.sqlite_journal import EraseSteps
from squads.adapters.sqlite_leases import compare_fence, write_fence
from squads.adapters.sqlite_migrations import emptied
from squads.adapters.sqlite_nodes import node_reader
from squads.adapters.sqlite_schema import (
    balance_in,
    create_file,
    ensure_schema,
    open_writer,
    translated,
    write_balances,
)
from squads.adapters.sqlite_work import Append, Outcome, Work
from squads.contracts.errors import (
    Conflict,
    LeaseLost,
    LedgerBroken,
    Overdrawn,
    RollbackDetected,
    StorageUnavailable,
    SubjectErased,
)
from squads.kernel.ports import Appended, Head, Signer
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf, leaf_hash
from squads.ledger.merkle import Edge
from squads.ledger.note import encode_vkey, parse_vkey
from squads.ledger.sequence import Batch, Tail, first_difference, sequence

STREAMS_CACHED_MAX: Final = 10_000


class SqliteStore:
    """The connection, the lock, the file outside, and the cached end of the log."""

    def __init__(
        self,
        path: Path,
        origin: str,
        signer: Signer,
        *,
        outside: Path | None,
        contents: SqliteContents,
        lock_wait_ms: int,
    ) -> None:
        """Open the ledger, create it if there is none, and check its end.

        Raises `LedgerError`, and unchanged whatever the medium raises: `OSError` and `sqlite3.Error`.
        """
        self.path = path
        self._origin = origin
        self._signer = signer
        self._contents = contents
        self._vkey = encode_vkey(origin, signer.public_key)
        self._log_key = parse_vkey(self._vkey)
        self._connection: sqlite3.Connection | None = None
        self._tail = Tail()
        self._note = ""
        self._streams: dict[str, tuple[int, int]] = {}
        """Name to (row id, length)."""
        self._known: Checkpoint | None = None
        """The highest checkpoint this process knows of, from outside or by its own commits."""
        self._files = Files()
        self._outside: CheckpointFile | None = None
        self._closed = False
        create_file(path)
        self._lock = FileLock(path.with_name(path.name + ".lock"), wait_ms=lock_wait_ms)
        try:
            with self._lock.held():
                if outside is not None:
                    self._outside = CheckpointFile(outside)
                    self._known = self._newest_outside(self._outside)
                self._connect()
        except BaseException:
            self.close()
            raise

    def commit(self, works: Sequence[Work]) -> list[Outcome]:
        """Do all `works` in one durable transaction and return an outcome for each; that one was not done is a value.

        Raises whatever the medium raises; then the outcome of every work is unknown, and the next call reads the end
        of the log anew.
        """
        with self._lock.held():
            if self._connection is not None:
                self._files.check(self.path)
            try:
                connection = self._connected()
                connection.execute("BEGIN IMMEDIATE")
                self._follow(connection)
                outcomes, tail, head = self._write(connection, works)
                connection.execute("COMMIT")
                if head is not None:
                    self._tail, self._note = tail, head.checkpoint
                    self._known = Checkpoint(self._origin, head.size, head.root)
                    # The database first: a file that is ahead of it would cry rollback after every crash.
                    if self._outside is not None:
                        self._outside.append(head.checkpoint)
                if any(isinstance(work, EraseContent | EraseSteps) for work in works):
                    # Erased content leaves the WAL too; where a reader still needs it, later commits overwrite it.
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if any(isinstance(work, EraseSubject) for work in works):
                    outcomes = self._emptied(connection, works, outcomes)
                return outcomes
            except BaseException:
                # Also after a failed COMMIT, which may have succeeded: the database knows, this process does not.
                self._forget()
                raise

    def _emptied(self, connection: sqlite3.Connection, works: Sequence[Work], outcomes: list[Outcome]) -> list[Outcome]:
        """Make what was erased leave the files; where that cannot be, only who erased hears of it: the rest is done."""
        try:
            emptied(connection)
        except (StorageUnavailable, sqlite3.Error) as error:
            failed = translated(error, self.path)
            return [
                failed if isinstance(work, EraseSubject) else outcome
                for work, outcome in zip(works, outcomes, strict=True)
            ]
        return outcomes

    def close(self) -> None:
        """Let go of everything. Closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        # Inside the lock where it can be had: the last connection to close resets the WAL.
        with suppress(StorageUnavailable), self._lock.held():
            if self._connection is not None and self._files.index_was_removed(self.path):
                keep_open(self._connection)
                self._connection = None
            self._forget()
        self._forget()
        if self._outside is not None:
            with suppress(OSError):
                self._outside.close()
        self._lock.close()

    # Writing -------------------------------------------------------------------------------------------------

    def _write(self, connection: sqlite3.Connection, works: Sequence[Work]) -> tuple[list[Outcome], Tail, Head | None]:
        """Insert every row and the checkpoint; return outcomes, and the log's new end if it grew."""
        outcomes: list[Outcome | Batch] = []
        tail = self._tail
        entries: list[tuple[int, int, int, bytes, bytes]] = []
        nodes: list[tuple[int, int, bytes]] = []
        hashes: list[bytes] = []
        for work in works:
            if not isinstance(work, Append):
                outcomes.append(work.apply(connection))
                continue
            # 1. What the caller expects holds, or nothing of this work is written.
            try:
                taken = compare_fence(connection, work.fence)
                check_expected(work.expect, lambda stream: self._stream(connection, stream)[1])
                if work.bodies:
                    check_time(work.time_ms, tail.time_ms)
                accounts = accounts_after(work.reserve, work.settle, lambda name: balance_in(connection, name))
                subject = self._contents.subject(connection, work.owner(connection)) if work.content else None
            except (Conflict, LeaseLost, Overdrawn, SubjectErased) as error:
                outcomes.append(error)
                continue
            # 2. Places in the log, and in each stream.
            batch = sequence(tail, work.bodies, work.time_ms) if work.bodies else None
            if batch is not None:
                rows = zip(work.streams, batch.leaves, batch.hashes, strict=True)
                if work.subject is not None:
                    begun = [name for name in dict.fromkeys(work.streams) if not self._stream(connection, name)[0]]
                    name_owner(connection, begun, work.owner(connection))
                for seq, (name, leaf, digest) in enumerate(rows, batch.first_seq):
                    stream, length = self._stream(connection, name, create=True)
                    self._streams[name] = (stream, length + 1)
                    entries.append((seq, stream, length, leaf, digest))
                nodes += batch.nodes
                hashes += batch.hashes
                tail = batch.tail
            # 3. Content, shared accounts and the lease ride in the same transaction.
            if work.fence is not None:
                write_fence(connection, work.fence, taken=taken)
            if accounts:
                write_balances(connection, accounts)
            if subject is not None:
                self._contents.keep(connection, subject, work.content)
            outcomes.append(True if batch is None else batch)
        if not entries:
            return [outcome for outcome in outcomes if not isinstance(outcome, Batch)], tail, None
        connection.executemany(
            "INSERT INTO entry (seq, stream, position, leaf, leaf_hash) VALUES (?, ?, ?, ?, ?)", entries
        )
        # Sorted, each level's rows go to the end of their part of the table.
        nodes.sort()
        connection.executemany("INSERT INTO node (level, idx, hash) VALUES (?, ?, ?)", nodes)
        # 4. Verify before signing: what is signed is what the database gives back.
        stored = connection.execute("SELECT leaf, leaf_hash FROM entry WHERE seq >= ? ORDER BY seq", (entries[0][0],))
        different = first_difference(hashes, stored)
        if different is not None:
            raise LedgerBroken(
                f"{self.path}: receipt {entries[0][0] + different} came back other than it was written; nothing was "
                f"signed; check this machine's memory and drive"
            )
        # 5. The checkpoint binds them.
        root = tail.edge.root()
        note = sign_checkpoint(Checkpoint(self._origin, tail.size, root), self._signer)
        connection.execute("INSERT INTO checkpoint (size, note) VALUES (?, ?)", (tail.size, note))
        head = Head(size=tail.size, root=root, time_ms=tail.time_ms, checkpoint=note)
        answers: list[Outcome] = [
            Appended(first_seq=outcome.first_seq, head=head) if isinstance(outcome, Batch) else outcome
            for outcome in outcomes
        ]
        return answers, tail, head

    def _stream(self, connection: sqlite3.Connection, name: str, *, create: bool = False) -> tuple[int, int]:
        """Return a stream's row id and length; (0, 0) for one that is not there and is not to be created."""
        found = self._streams.get(name)
        if found is None:
            row = connection.execute(
                "SELECT id, (SELECT max(position) + 1 FROM entry WHERE stream = id) FROM stream WHERE name = ?", (name,)
            ).fetchone()
            if row is not None:
                found = self._streams[name] = (row[0], row[1] or 0)
            elif create:
                cursor = connection.execute("INSERT INTO stream (name) VALUES (?)", (name,))
                found = self._streams[name] = (cursor.lastrowid or 0, 0)
            else:
                return 0, 0
        return found

    # Following -----------------------------------------------------------------------------------------------

    def _connected(self) -> sqlite3.Connection:
        """Return the connection, a new one if the file under this name is not the one that was opened."""
        # A copy put in its place would otherwise leave us appending to a file without a name.
        if self._connection is not None and self._files.database != inode(self.path):
            self._forget()
        return self._connection or self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = open_writer(self.path)
        try:
            database = inode(self.path)
            ensure_schema(connection, self.path, self._origin, self._vkey, self._contents)
            connection.execute("BEGIN")
            self._reread(connection, _newest_note(connection))
            connection.execute("COMMIT")
            self._files = replace(files_at(self.path), database=database)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _follow(self, connection: sqlite3.Connection) -> None:
        """Read the end of the log again if another process has moved it."""
        # Between commits only: inside one, the cache holds lengths that the table does not show yet.
        if len(self._streams) > STREAMS_CACHED_MAX:
            self._streams.clear()
        row = _newest_note(connection)
        if (row[1] if row else "") != self._note:
            self._reread(connection, row)

    def _forget(self) -> None:
        """Drop the connection, and with it everything that was believed about the database."""
        connection, self._connection = self._connection, None
        self._streams.clear()
        self._note = ""
        self._tail = Tail()
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _reread(self, connection: sqlite3.Connection, row: tuple[int, str] | None) -> None:
        """Rebuild the tree's right edge from the rows and hold it against the newest checkpoint and what was known."""
        self._streams.clear()
        (size,) = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM entry").fetchone()
        # 1. The newest checkpoint covers the log, all of it.
        if (row[0] if row else 0) != size:
            self._check_known(connection, size)
            raise LedgerBroken(
                f"{self.path} holds {size} receipts, but its newest checkpoint covers {row[0] if row else 0}; rows "
                f"were added or removed; run `squads verify`, and restore the ledger from a copy"
            )
        if row is None:
            self._check_known(connection, 0)
            self._tail, self._note = Tail(), ""
            return
        # 2. The log's key signed it, and the rows have its root.
        try:
            signed = verify_checkpoint(row[1], self._log_key)
        except Malformed as error:
            raise LedgerBroken(f"{self.path}: the newest checkpoint is not this log's: {error}") from None
        edge = self._edge(connection, size)
        newest_row = connection.execute("SELECT leaf, leaf_hash FROM entry WHERE seq = ?", (size - 1,))
        leaf, stored_hash = newest_row.fetchone()
        try:
            newest = decode_leaf(leaf)
        except Malformed as error:
            raise LedgerBroken(
                f"{self.path}: the newest receipt cannot be read: {error}; run `squads verify`"
            ) from None
        rooted = (signed.size, signed.root) == (size, edge.root())
        if not rooted or leaf_hash(leaf) != stored_hash or newest.seq != size - 1:
            raise LedgerBroken(
                f"{self.path}: the receipts do not have the root that the newest checkpoint signed; run `squads "
                f"verify` to see where, and restore the ledger from a copy"
            )
        # 3. It is not behind, or beside, what was known before.
        self._check_known(connection, size)
        self._tail = Tail(size=size, prev=stored_hash, time_ms=newest.time_ms, edge=edge)
        self._note = row[1]
        self._known = signed

    def _check_known(self, connection: sqlite3.Connection, size: int) -> None:
        known = self._known
        if known is None:
            return
        if known.size > size:
            raise RollbackDetected(
                f"{self.path} ends after {size} receipts, but a checkpoint outside it covers {known.size}: an old copy "
                f"was restored, or its tail was cut; find the newer copy; if there is none, keep this one as evidence "
                f"and begin a new store"
            )
        if self._edge(connection, known.size).root() != known.root:
            raise LedgerBroken(
                f"{self.path} is not the log whose first {known.size} receipts were signed before: it was rewritten or "
                f"forked; keep both checkpoints as evidence, and restore the ledger from a copy"
            )

    def _edge(self, connection: sqlite3.Connection, size: int) -> Edge:
        try:
            return Edge.rebuild(size, node_reader(connection))
        except Malformed as error:
            raise LedgerBroken(f"{self.path}: {error}; run `squads verify`") from None

    def _newest_outside(self, outside: CheckpointFile) -> Checkpoint | None:
        newest = outside.newest(self._log_key)
        if newest is None and not outside.is_empty():
            raise LedgerBroken(
                f"{outside.path} holds no checkpoint of {self._origin}; it belongs to another log, or was overwritten"
            )
        return newest


def _newest_note(connection: sqlite3.Connection) -> tuple[int, str] | None:
    row: tuple[int, str] | None = connection.execute(
        "SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1"
    ).fetchone()
    return row

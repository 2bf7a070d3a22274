"""One process's hold on a ledger in PostgreSQL: what it knows of the end of the log, and how it goes on from there.

Everything here runs in one thread, in a loop of its own. Processes take turns at the row `head`: whoever has locked it
is the only writer, until its transaction ends. It must never trust its own memory after an error or after another
process wrote, and never sign what it did not read back from the database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from squads.adapters.checkpoint_file import CheckpointFile
from squads.adapters.file_lock import LOCK_WAIT_MS, FileLock
from squads.adapters.postgres_address import PostgresAddress
from squads.adapters.postgres_content import Keyring, count_of, erase_subject
from squads.adapters.postgres_end import End, read_end
from squads.adapters.postgres_journal import EraseSteps, KeepStep
from squads.adapters.postgres_leases import LeaseWork
from squads.adapters.postgres_link import connect, is_lost, let_go
from squads.adapters.postgres_run import Append, Run, Streams
from squads.adapters.postgres_schema import check_identity, prepare
from squads.contracts.errors import (
    Conflict,
    LeaseLost,
    LedgerBroken,
    Overdrawn,
    SubjectErased,
)
from squads.contracts.thinking import Step
from squads.kernel.ports import Appended, Head, Lease, Signer
from squads.ledger.checkpoint import Checkpoint, sign_checkpoint
from squads.ledger.note import encode_vkey, parse_vkey
from squads.ledger.sequence import Batch, Tail, first_difference

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

_ENTRIES: Final = (
    "WITH above AS (INSERT INTO node (level, idx, hash) "
    "SELECT * FROM unnest($6::smallint[], $7::bigint[], $8::bytea[])) "
    "INSERT INTO entry (seq, stream, position, leaf, leaf_hash) "
    "SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])"
)
_GO_ON: Final = (
    "WITH signed AS (INSERT INTO checkpoint (size, note) VALUES ($1, $2)) "
    "UPDATE head SET next = $1, note = $2 WHERE next = $3"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erase:
    """Work for the store: remove one content."""

    digest: bytes
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSubject:
    """Work for the store: destroy a subject's key and remove its content."""

    subject: str
    size_bytes: int = 0


Work = Append | Erase | EraseSubject | KeepStep | EraseSteps | LeaseWork
Outcome = Appended | Step | Lease | int | Conflict | LeaseLost | Overdrawn | SubjectErased | None


class PostgresStore:
    """The writing connection, the file outside, and the cached end of the log."""

    def __init__(
        self, address: PostgresAddress, origin: str, signer: Signer, *, outside: Path | None, content_key: bytes
    ) -> None:
        """Open the ledger, create it if there is none, and check its end. Raises `LedgerError`, `OSError`."""
        self._address = address
        self._name = address.name
        self._origin = origin
        self._signer = signer
        self._vkey = encode_vkey(origin, signer.public_key)
        self._log_key = parse_vkey(self._vkey)
        self._kek = content_key
        self._connection: Connection | None = None
        self._end = End()
        self._streams = Streams()
        self._known: Checkpoint | None = None
        """The highest checkpoint this process knows of, from outside or by its own commits."""
        self._outside: CheckpointFile | None = None
        self._lock: FileLock | None = None
        self._loop = asyncio.new_event_loop()
        try:
            if outside is not None:
                self._outside = CheckpointFile(outside)
                # Processes of this machine share the file, whose lines must stand in the order of the commits.
                self._lock = FileLock(outside.with_name(outside.name + ".lock"), wait_ms=LOCK_WAIT_MS)
            with self._turn():
                if self._outside is not None:
                    self._known = self._newest_outside(self._outside)
                before = self._known
                self._loop.run_until_complete(self._connect())
                seen = self._end.checkpoint
                if self._outside is not None and seen and (before is None or before.size < seen.size):
                    # What another machine signed is known here from now on, whether or not this one ever writes.
                    self._outside.append(self._end.note)
        except BaseException:
            self.close()
            raise

    def commit(self, works: Sequence[Work]) -> list[Outcome]:
        """Do all `works` in one durable transaction and return an outcome for each; that one was not done is a value.

        Raises whatever the medium raises; then the outcome of every work is unknown, and the next call reads the end
        of the log anew.
        """
        with self._turn():
            outcomes, head = self._loop.run_until_complete(self._commit(works))
            # The database first: a file that is ahead of it would cry rollback after every crash.
            if head is not None and self._outside is not None:
                self._outside.append(head.checkpoint)
        return outcomes

    def close(self) -> None:
        """Let go of everything."""
        if self._loop.is_closed():
            return
        with suppress(Exception):
            self._loop.run_until_complete(self._forget())
        self._loop.close()
        if self._outside is not None:
            with suppress(OSError):
                self._outside.close()
        if self._lock is not None:
            self._lock.close()

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._lock is None else self._lock.held()

    # Writing ----------------------------------------------------------------------------------------------------------

    async def _commit(self, works: Sequence[Work]) -> tuple[list[Outcome], Head | None]:
        try:
            connection, note = await self._begun()
            if note != self._end.note:
                self._streams.forget()
                self._end = await read_end(connection, self._name, self._log_key, self._known)
            self._streams.tidy()
            outcomes, tail, head = await self._write(connection, works)
            if (said := await connection.execute("COMMIT")) != "COMMIT":
                # The server answers ROLLBACK, and no error, where a transaction had failed before.
                raise LedgerBroken(f"{self._name} said {said[:20]!r} to COMMIT: nothing was written; retry")
            if head is not None:
                self._end = End(tail=tail, note=head.checkpoint)
                self._known = Checkpoint(self._origin, head.size, head.root)
            await self._clean(connection, works)
        except BaseException:
            # Also after a failed COMMIT, which may have succeeded: the database knows, this process does not.
            await self._forget()
            raise
        return outcomes, head

    async def _begun(self) -> tuple[Connection, str]:
        """Begin a transaction, wait for the turn, and return the newest checkpoint's note.

        A session that died while nobody used it is replaced: nothing was said in it yet.
        """
        for last in (False, True):
            fresh = self._connection is None
            connection = self._connection or await self._connect()
            try:
                await connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                note = await connection.fetchval("SELECT note FROM head FOR UPDATE")
            except Exception as error:
                await self._forget()
                if last or fresh or not is_lost(error):
                    raise
                continue
            if note is None:
                raise LedgerBroken(
                    f"{self._name} has lost its head row; run `squads verify`, and restore it from a copy"
                )
            return connection, note
        raise AssertionError

    async def _write(self, connection: Connection, works: Sequence[Work]) -> tuple[list[Outcome], Tail, Head | None]:
        """Insert every row and the checkpoint; return outcomes, and the log's new end if it grew."""
        keys = Keyring(self._kek)
        run = Run(self._streams, keys, self._end.tail)
        outcomes: list[Outcome | Batch] = []
        waiting: list[Append] = []
        for work in works:
            if isinstance(work, Append):
                waiting.append(work)
                continue
            outcomes += await run.take(connection, waiting)
            waiting = []
            outcomes.append(await self._applied(connection, work, keys))
        outcomes += await run.take(connection, waiting)
        if not run.entries:
            return [outcome for outcome in outcomes if not isinstance(outcome, Batch)], run.tail, None
        tail, hashes = run.tail, run.hashes
        await self._streams.write(connection)
        run.nodes.sort()  # so that each level's rows go to the end of their part of the index
        nodes = tuple(zip(*run.nodes, strict=True)) or ((), (), ())
        await connection.execute(_ENTRIES, *zip(*run.entries, strict=True), *nodes)
        # Verify before signing: what is signed is what the database gives back.
        first = run.entries[0][0]
        rows = await connection.fetch("SELECT leaf, leaf_hash FROM entry WHERE seq >= $1 ORDER BY seq", first)
        different = first_difference(hashes, [(row[0], row[1]) for row in rows])
        if different is not None:
            raise LedgerBroken(
                f"{self._name}: receipt {first + different} came back other than it was written; nothing was signed; "
                "check the memory and the drive of this machine and the server"
            )
        # The checkpoint binds them, and nobody else moved the head meanwhile.
        root = tail.edge.root()
        note = sign_checkpoint(Checkpoint(self._origin, tail.size, root), self._signer)
        moved = count_of(await connection.execute(_GO_ON, tail.size, note, self._end.tail.size))
        if moved != 1:
            raise LedgerBroken(
                f"{self._name}: the head row does not stand at {self._end.tail.size}, where the log ends; run "
                "`squads verify`"
            )
        head = Head(size=tail.size, root=root, time_ms=tail.time_ms, checkpoint=note)
        answers: list[Outcome] = [
            Appended(first_seq=outcome.first_seq, head=head) if isinstance(outcome, Batch) else outcome
            for outcome in outcomes
        ]
        return answers, tail, head

    async def _applied(
        self, connection: Connection, work: Erase | EraseSubject | KeepStep | EraseSteps | LeaseWork, keys: Keyring
    ) -> Outcome:
        if isinstance(work, Erase):
            return count_of(await connection.execute("DELETE FROM content WHERE digest = $1", work.digest)) > 0
        if isinstance(work, EraseSubject):
            keys.forget(work.subject)
            return await erase_subject(connection, work.subject)
        if isinstance(work, KeepStep):
            await self._streams.load(connection, {work.packet} - {""})
            return await work.apply(connection, keys, self._streams.owner(work.packet))
        return await work.apply(connection)

    async def _clean(self, connection: Connection, works: Sequence[Work]) -> None:
        """Make erased rows leave the tables' files; who may not leaves that to the owner. It is committed already."""
        cleaning: list[str] = []
        if any(isinstance(work, EraseSubject) for work in works):
            # Rewritten whole: the old row with the wrapped key leaves with the old file.
            cleaning.append("VACUUM (FULL) subject_key")
        if any(isinstance(work, Erase | EraseSubject) for work in works):
            cleaning.append("VACUUM content")
        if any(isinstance(work, EraseSteps | EraseSubject) for work in works):
            cleaning.append("VACUUM step")
        for command in cleaning:
            with suppress(Exception):
                await connection.execute(command)

    # Following --------------------------------------------------------------------------------------------------------

    async def _connect(self) -> Connection:
        connection = await connect(self._address)
        try:
            await prepare(connection, self._address)
            async with connection.transaction():
                # Shared: who only reads the end waits for a writer, and stops none for long.
                await connection.execute("SELECT 1 FROM head FOR UPDATE")
                await check_identity(connection, self._address, self._origin, self._vkey)
                self._streams.forget()
                self._end = await read_end(connection, self._name, self._log_key, self._known)
                self._known = self._end.checkpoint or self._known
        except BaseException:
            await let_go(connection)
            raise
        self._connection = connection
        return connection

    async def _forget(self) -> None:
        """Drop the connection, and with it everything that was believed about the database."""
        connection, self._connection = self._connection, None
        self._streams.forget()
        self._end = End()
        if connection is not None:
            await let_go(connection)

    def _newest_outside(self, outside: CheckpointFile) -> Checkpoint | None:
        newest = outside.newest(self._log_key)
        if newest is None and not outside.is_empty():
            raise LedgerBroken(
                f"{outside.path} holds no checkpoint of {self._origin}; it belongs to another log, or was overwritten"
            )
        return newest

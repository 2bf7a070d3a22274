"""A ledger in PostgreSQL: for squads on several machines, durable when `append` returns.

One log in each schema. Whoever opens it needs the log's key, the key of its content, and a place outside the database
for the checkpoints it signed or saw. It must never be opened through a pooler that gives one session to several
clients: turns and leases belong to sessions.

    append ─▶ queue ─▶ writer thread ─▶ the head row, one transaction, COMMIT, checkpoint file ─▶ answer
    read ──▶ reader thread ─▶ a few connections of its own
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from squads.adapters.group_writer import GroupWriter
from squads.adapters.ledger_rows import bodies_of, check_subject, consistency_of, paths_of, stored_of
from squads.adapters.postgres_address import PostgresAddress
from squads.adapters.postgres_content import HAS, READ, opened
from squads.adapters.postgres_end import Place, nodes
from squads.adapters.postgres_journal import KeepStep, PostgresJournal
from squads.adapters.postgres_leases import PostgresLeases
from squads.adapters.postgres_link import connect, is_lost, let_go, translated
from squads.adapters.postgres_loop import LoopThread
from squads.adapters.postgres_run import Append, balances
from squads.adapters.postgres_store import Erase, EraseSubject, Outcome, PostgresStore, Work
from squads.contracts.errors import InvalidInput, LedgerBroken, SquadsError, StorageUnavailable
from squads.kernel.budget import NOTHING_SPENT, Spend
from squads.kernel.funds import Reservation, Settlement
from squads.kernel.ports import Appended, Entry, Head, Lease, Proved, Signer, Stored
from squads.ledger.checkpoint import check_origin, parse_checkpoint
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.ledger.merkle import EMPTY_ROOT
from squads.ledger.proof import NodeReader

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

_T = TypeVar("_T")

SCAN_ROWS: Final = 256
"""Rows that `scan` holds at a time."""
READERS_MAX: Final = 4
"""Connections that one ledger reads with, at most, beside the one that writes and the one that holds its leases."""
CONTENT_KEY_BYTES: Final = 32
PROOFS_PER_READ: Final = 1_000
"""Proofs whose nodes are read and held at a time."""
BIGINT_MAX: Final = 2**63 - 1


class PostgresLedger:
    """A `Ledger` in one schema of a database. Open it with `PostgresLedger.open`; use it from any event loop."""

    def __init__(
        self, address: PostgresAddress, origin: str, writer: GroupWriter[Work, Outcome], content_key: bytes
    ) -> None:
        """Use an opened writer; `open` makes it."""
        self._address = address
        self._name = address.name
        self._writer = writer
        self._kek = content_key
        self._thread = LoopThread(f"squads-read-{address.name}")
        self._idle: list[Connection] = []
        self._places: asyncio.Semaphore | None = None
        self._closed = False
        self._blobs = PostgresBlobs(self)
        self._journal = PostgresJournal(writer.submit, self._rows, content_key)
        self._leases = PostgresLeases(origin, writer.submit, self._read, self._run, lambda: connect(address))

    def __repr__(self) -> str:
        return f"PostgresLedger({self._name!r})"

    @classmethod
    def open(
        cls, url: str, origin: str, log_signer: Signer, *, outside: str | Path | None, content_key: bytes
    ) -> PostgresLedger:
        """Open the ledger in a schema, or create it, and check its end before anything is appended. Blocks briefly.

        Args:
            url: `postgresql://user@host/database#schema`; the schema is `squads` where it names none.
            origin: `<domain>/squads/<log>/<epoch>`; must be the one it was created with.
            log_signer: Signs checkpoints; must be the key it was created with.
            outside: The append-only checkpoint file of this machine; None keeps none, and then neither an old copy
                nor a cut tail is noticed.
            content_key: 32 bytes that every process of this workspace has, and the database never: the keys of the
                subjects are wrapped with it.

        Raises:
            InvalidInput: The URL is none, or says what cannot be understood.
            LedgerBroken: It is no ledger, another log's, or its rows do not have the root that was signed.
            LedgerTooNew: A newer squads wrote it.
            RollbackDetected: It is behind the checkpoint file.
            StorageUnavailable: It cannot be reached, or this role may not use it.
        """
        check_origin(origin)
        address = PostgresAddress.parse(url)
        if len(content_key) != CONTENT_KEY_BYTES:
            raise InvalidInput(f"a content key has {CONTENT_KEY_BYTES} bytes, this one {len(content_key)}")
        beside = None if outside is None else Path(outside)
        writer: GroupWriter[Work, Outcome]
        try:
            writer = GroupWriter(
                lambda: PostgresStore(address, origin, log_signer, outside=beside, content_key=content_key),
                address.name,
                translated=lambda error: translated(error, address.name),
                always=lambda work: isinstance(work, KeepStep),
            )
        except SquadsError:
            raise
        except Exception as error:
            raise translated(error, address.name) from error
        return cls(address, origin, writer, content_key)

    @property
    def blobs(self) -> PostgresBlobs:
        """The content store that `append` writes `content` to: a table of the same schema."""
        return self._blobs

    @property
    def journal(self) -> PostgresJournal:
        """The journal of what was paid for: a table of the same schema, and no part of the log."""
        return self._journal

    @property
    def leases(self) -> PostgresLeases:
        """Who holds which packet: two tables and the locks of a session, and no part of the log."""
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
        touch the others. Raises `SubjectErased` for content of a subject that was erased.
        """
        bodies = bodies_of(entries, time_ms)
        work = Append(
            streams=[entry.stream for entry in entries],
            bodies=bodies,
            expect=expect,
            time_ms=time_ms,
            content=[bytes(one) for one in content],
            reserve=reserve,
            settle=settle,
            fence=fence,
            subject=subject,
        )
        outcome = await self._writer.submit(work, len(bodies))
        if isinstance(outcome, SquadsError):
            raise outcome
        return cast("Appended", outcome)

    async def balance(self, account: str) -> Spend:
        """Return how a shared account stands."""
        found: dict[str, Spend] = await self._read(lambda connection: balances(connection, [account]))
        return found.get(account, NOTHING_SPENT)

    async def read(self, stream: str, *, start: int = 0) -> list[Stored]:
        """Return a stream's receipts in order, from its `start`-th on. Raises `LedgerBroken` for a changed one."""
        rows = await self._rows(
            "SELECT position, seq, leaf, leaf_hash FROM entry WHERE stream = (SELECT id FROM stream WHERE name = $1) "
            "AND position >= $2 ORDER BY position",
            stream,
            start,
        )
        found = []
        for expected, (position, seq, leaf, stored_hash) in enumerate(rows, start):
            stored = stored_of(stream, leaf, stored_hash)
            if position != expected or stored.seq != seq:
                raise LedgerBroken(
                    f"{self._name}: receipt {expected} of stream {stream!r} is missing or in another place; run "
                    f"`squads verify`"
                )
            found.append(stored)
        return found

    async def streams(self) -> list[str]:
        """Return the names of all streams, oldest first."""
        return [row[0] for row in await self._rows("SELECT name FROM stream ORDER BY id")]

    async def head(self) -> Head:
        """Return the newest checkpoint; size 0 for an empty log."""
        return await self._read(self._head_of)

    async def scan(self, *, start: int = 0) -> AsyncIterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash) in order, up to where the log ends when the scan begins."""
        ((end,),) = await self._rows("SELECT coalesce(max(seq), -1) FROM entry")
        after = start - 1
        while after < end:
            rows = await self._rows(
                "SELECT seq, leaf, leaf_hash FROM entry WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
                after,
                end,
                SCAN_ROWS,
            )
            if not rows:
                return
            for row in rows:
                yield row[0], row[1], row[2]
            after = rows[-1][0]

    async def checkpoints(self) -> list[str]:
        """Return every stored checkpoint note, oldest first."""
        return [row[0] for row in await self._rows("SELECT note FROM checkpoint ORDER BY size")]

    async def prove(self, indexes: Sequence[int], *, size: int | None = None) -> Proved:
        """Return inclusion proofs under the newest checkpoint, or under the stored one of exactly `size`."""

        async def proved(connection: Connection) -> Proved:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                head = await self._head_of(connection, size)
                paths: list[tuple[bytes, ...]] = []
                for start in range(0, len(indexes), PROOFS_PER_READ):
                    part = indexes[start : start + PROOFS_PER_READ]
                    node = await _nodes_for(connection, partial(paths_of, part, head.size))
                    paths += paths_of(part, head.size, node)
                return Proved(head=head, paths=tuple(paths))

        return await self._read(proved)

    async def consistency(self, old: int, new: int) -> list[bytes]:
        """Return the proof that the first `old` receipts begin the first `new`."""

        async def proved(connection: Connection) -> list[bytes]:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                size = (await self._head_of(connection)).size
                node = await _nodes_for(connection, partial(consistency_of, old, new, size))
                return consistency_of(old, new, size, node)

        return await self._read(proved)

    async def erase(self, subject: str) -> int:
        """Destroy a subject's key and remove all its content; return how many blobs went.

        What is left are sealed bytes in the server's write-ahead log and in older copies, which nothing opens any more
        but an old copy of the wrapped key together with the content key of this workspace.
        """
        check_subject(subject)
        return cast("int", await self._writer.submit(EraseSubject(subject=subject), 1))

    async def subjects(self) -> dict[str, str]:
        """Return whose each stream is, by the stream's name."""
        return {row[0]: row[1] for row in await self._rows("SELECT name, subject FROM stream ORDER BY id")}

    async def close(self) -> None:
        """Commit what was accepted, then end both threads and let go of all connections. Closing twice is no error."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(None, self._writer.finish)
        await self._thread.run(self._let_go())
        self._thread.close()

    # Reading ----------------------------------------------------------------------------------------------------------

    async def _run(self, work: Any) -> Any:
        """Run a coroutine in the ledger's loop, its errors translated."""
        if self._closed:
            work.close()
            raise StorageUnavailable(f"the ledger {self._name} was closed; open it again")
        try:
            return await self._thread.run(work)
        except Exception as error:
            meant = translated(error, self._name)
            if meant is error:
                raise
            raise meant from error

    async def _read(self, query: Callable[[Connection], Awaitable[_T]]) -> _T:
        return cast("_T", await self._run(self._queried(query)))

    async def _rows(self, sql: str, *values: Any) -> list[Any]:
        return await self._read(lambda connection: connection.fetch(sql, *values))

    async def _queried(self, query: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Return what a query finds; one that met a session which had died unused is asked again in a new one."""
        for last in (False, True):
            try:
                async with self._reader(fresh=last) as connection:
                    return await query(connection)
            except Exception as error:
                if last or isinstance(error, SquadsError) or not is_lost(error):
                    raise
        raise AssertionError

    @asynccontextmanager
    async def _reader(self, *, fresh: bool) -> AsyncIterator[Connection]:
        """Lend a connection; one that failed is not lent again."""
        self._places = self._places or asyncio.Semaphore(READERS_MAX)
        async with self._places:
            while fresh and self._idle:
                await let_go(self._idle.pop())
            connection = self._idle.pop() if self._idle else await connect(self._address)
            try:
                yield connection
            except SquadsError:
                # Said by our own code over rows that were read: the session is well.
                self._idle.append(connection)
                raise
            except BaseException:
                await let_go(connection)
                raise
            self._idle.append(connection)

    async def _let_go(self) -> None:
        await self._leases.close()
        while self._idle:
            await let_go(self._idle.pop())

    async def _head_of(self, connection: Connection, size: int | None = None) -> Head:
        if size is not None and not 0 < size <= BIGINT_MAX:
            raise InvalidInput(f"no checkpoint was signed over exactly {size} receipts; ask for one that was, or none")
        row = await connection.fetchrow(
            "SELECT note, (SELECT leaf FROM entry WHERE seq = size - 1) FROM checkpoint "
            "WHERE $1::bigint IS NULL OR size = $1 ORDER BY size DESC LIMIT 1",
            size,
        )
        if row is None and size is not None:
            raise InvalidInput(f"no checkpoint was signed over exactly {size} receipts; ask for one that was, or none")
        if row is None:
            return Head(size=0, root=EMPTY_ROOT, time_ms=0, checkpoint="")
        try:
            checkpoint = parse_checkpoint(row[0])
            newest = decode_leaf(row[1] or b"")
        except Malformed as error:
            raise LedgerBroken(f"{self._name}: the newest checkpoint or receipt cannot be read: {error}") from None
        return Head(size=checkpoint.size, root=checkpoint.root, time_ms=newest.time_ms, checkpoint=row[0])


class PostgresBlobs:
    """A `BlobStore` in the ledger's own schema; all of it is sealed, each with its subject's key."""

    def __init__(self, ledger: PostgresLedger) -> None:
        """Share the ledger's threads."""
        self._ledger = ledger

    async def put(self, content: bytes, *, subject: str = "") -> str:
        """Store `content` durably and return its SHA-256 as 64 hex digits. Raises `SubjectErased`."""
        content = bytes(content)
        outcome = await self._ledger._writer.submit(Append(content=(content,), subject=subject))
        if isinstance(outcome, SquadsError):
            raise outcome
        return sha256(content).hexdigest()

    async def get(self, digest: str) -> bytes:
        """Return the content. Raises `BlobMissing` or `BlobBroken`."""
        raw = _raw(digest)
        rows = await self._ledger._rows(READ, raw) if raw else []
        return opened(self._ledger._kek, raw or digest.encode("utf-8", "replace")[:32], rows, self._ledger._name)

    async def has(self, digest: str) -> bool:
        """Say whether content is stored under this digest."""
        raw = _raw(digest)
        return bool(raw and await self._ledger._rows(HAS, raw))

    async def erase(self, digest: str) -> bool:
        """Remove the content, whoever's it is; True when there was some."""
        raw = _raw(digest)
        return bool(raw and await self._ledger._writer.submit(Erase(digest=raw)))


async def _nodes_for(connection: Connection, work: Callable[[NodeReader], object]) -> NodeReader:
    """Return a reader of the nodes that `work` asks for: it is asked once to say which, and they are read at once."""
    places: set[Place] = set()

    def ask(level: int, index: int) -> bytes:
        places.add((level, index))
        return bytes(32)

    work(ask)
    found = await nodes(connection, places)
    return lambda level, index: found.get((level, index))


def _raw(digest: str) -> bytes:
    """Return the digest's 32 bytes; nothing for what is no digest, which is never stored."""
    if len(digest) != 64 or digest != digest.lower():
        return b""
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return b""

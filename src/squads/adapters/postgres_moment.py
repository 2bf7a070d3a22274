"""One moment of a ledger in PostgreSQL: everything of it, as it stood at once, for whoever only reads.

One repeatable-read transaction that can only read, in a thread with a loop of its own, so that the caller needs none.
Rows come through cursors of the server: a long log takes time, not memory. It holds nobody up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from squads.adapters.postgres_address import PostgresAddress
from squads.adapters.postgres_content import READ, opened
from squads.adapters.postgres_end import nodes
from squads.adapters.postgres_link import connect, let_go, translated
from squads.adapters.postgres_loop import LoopThread
from squads.adapters.postgres_run import balances
from squads.adapters.postgres_schema import STEPS, version_of
from squads.contracts.errors import BlobBroken, KeyUnavailable, LedgerTooNew, StorageUnavailable
from squads.kernel.budget import Spend
from squads.ledger.proof import NodeReader, Place

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

ROWS: Final = 512
"""Rows that a cursor fetches at a time."""


class PostgresMoment:
    """A `squads.moments.Moment` over one transaction."""

    def __init__(self, connection: Connection, thread: LoopThread, name: str, content_key: bytes | None) -> None:
        """Read over a connection whose transaction has begun."""
        self._connection = connection
        self._thread = thread
        self._kek = content_key
        self.name = name
        self.readable = content_key is not None

    def leaves(self, *, start: int = 0) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield (seq, leaf bytes, stored leaf hash), in order, from `start` on."""
        return self._rows("SELECT seq, leaf, leaf_hash FROM entry WHERE seq >= $1 ORDER BY seq", start)

    def checkpoints(self) -> Iterator[str]:
        """Yield every stored note, oldest first."""
        return (note for (note,) in self._rows("SELECT note FROM checkpoint ORDER BY size"))

    def newest_checkpoint(self) -> str | None:
        """Return the newest note; None where there is none."""
        return next((note for (note,) in self._rows("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")), None)

    def nodes(self, level: int) -> Iterator[tuple[int, bytes]]:
        """Yield (index, hash) of the stored subtrees of a level, in order."""
        return self._rows("SELECT idx, hash FROM node WHERE level = $1 ORDER BY idx", level)

    def nodes_at(self, places: Collection[Place]) -> NodeReader:
        """Return a reader of the nodes at these places."""
        found = self._thread.block(nodes(self._connection, places))
        return lambda level, index: found.get((level, index))

    def filed(self) -> Iterator[tuple[int, str, int]]:
        """Yield (seq, stream, position) as the index has them, in order of seq."""
        return self._rows(
            "SELECT entry.seq, stream.name, entry.position FROM entry JOIN stream ON stream.id = entry.stream "
            "ORDER BY seq"
        )

    def of(self, streams: Sequence[str]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield (stream, leaf bytes, stored leaf hash) of these streams, in the order of the log."""
        return self._rows(
            "SELECT stream.name, entry.leaf, entry.leaf_hash FROM entry JOIN stream ON stream.id = entry.stream "
            "WHERE stream.name = ANY($1::text[]) ORDER BY entry.seq",
            list(streams),
        )

    def beginning(self, start: str, limit: int) -> list[str]:
        """Return the names of the streams that begin so, `limit` at most."""
        rows = self._rows("SELECT name FROM stream WHERE left(name, $1) = $2 LIMIT $3", len(start), start, limit)
        return [name for (name,) in rows]

    def content(self, digest: str) -> bytes | None:
        """Return content, None where there is none or no key of it here. Raises `BlobBroken` where it does not open."""
        raw = bytes.fromhex(digest)
        rows = self._thread.block(self._fetch(READ, raw))
        if not rows or self._kek is None:
            return None
        return opened(self._kek, raw, rows, self.name)

    def broken_contents(self) -> Iterator[str]:
        """Yield the digests of stored content that does not open; nothing where its keys are not here."""
        if self._kek is None:
            return
        rows = self._rows(
            "SELECT digest, subject, sealed, wrapped FROM content JOIN subject_key USING (subject) "
            "WHERE wrapped IS NOT NULL ORDER BY digest"
        )
        for row in rows:
            try:
                opened(self._kek, row["digest"], [row], self.name)
            except (BlobBroken, KeyUnavailable):
                yield row["digest"].hex()

    def balances(self) -> dict[str, Spend]:
        """Return every shared account."""
        return self._thread.block(balances(self._connection))

    def subjects(self) -> dict[str, str]:
        """Return whose each stream is."""
        return dict(self._rows("SELECT name, subject FROM stream ORDER BY id"))

    def _rows(self, sql: str, *values: Any) -> Iterator[Any]:
        async def begun() -> Any:
            return await self._connection.cursor(sql, *values)

        cursor = self._thread.block(begun())
        while rows := self._thread.block(cursor.fetch(ROWS)):
            yield from rows

    async def _fetch(self, sql: str, *values: Any) -> list[Any]:
        return await self._connection.fetch(sql, *values)


@contextmanager
def postgres_moment(url: str, *, content_key: bytes | None = None) -> Iterator[PostgresMoment]:
    """Yield one moment of the ledger at `url`; content opens with the workspace's content key. Raises `LedgerError`."""
    address = PostgresAddress.parse(url)
    thread = LoopThread(f"squads-moment-{address.name}")
    connection: Connection | None = None
    try:
        connection = thread.block(_begun(address))
        yield PostgresMoment(connection, thread, address.name, content_key)
    except Exception as error:
        meant = translated(error, address.name) if _of_the_medium(error) else error
        if meant is error:
            raise
        raise meant from error
    finally:
        if connection is not None:
            thread.block(let_go(connection))
        thread.close()


async def _begun(address: PostgresAddress) -> Connection:
    connection = await connect(address)
    try:
        found = await version_of(connection, address)
        if not found:
            raise StorageUnavailable(f"there is no ledger at {address.name}; check the URL")
        if found > STEPS[-1].version:
            raise LedgerTooNew(
                f"{address.name} was written in version {found} of the schema, this squads knows up to "
                f"{STEPS[-1].version}; upgrade squads"
            )
        await connection.execute("SET idle_in_transaction_session_timeout = '10min'")
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    except BaseException:
        await let_go(connection)
        raise
    return connection


def _of_the_medium(error: Exception) -> bool:
    return hasattr(error, "sqlstate") or type(error).__module__.startswith("asyncpg") or isinstance(error, OSError)

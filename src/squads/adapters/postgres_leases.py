"""Leases beside the log, in the ledger's schema; and for each running holder an advisory lock, held by a session.

PostgreSQL frees a session's locks when its client dies, whatever it dies of and on whichever machine: that is how the
death of a holder is known. A server that was started again has freed every lock, so there nothing is certain, and the
holder's beat is what counts. No lease is part of the log: nothing here is signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from squads.adapters.lease_rows import HOLDER, check_names
from squads.adapters.postgres_link import is_lost, let_go
from squads.adapters.postgres_schema import lock_key
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.kernel.ports import Lease

if TYPE_CHECKING:
    from squads.adapters.postgres_link import Connection

_LOOK: Final = (
    "SELECT holder, token, coalesce((SELECT beat FROM holder WHERE name = lease.holder), 0) FROM lease "
    "WHERE packet = $1"
)
_BEAT: Final = (
    "INSERT INTO holder (name, beat, server) VALUES ($1, $2, pg_postmaster_start_time()::text) "
    "ON CONFLICT (name) DO UPDATE SET beat = holder.beat + $2, server = excluded.server"
)
_GONE: Final = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid::bigint = ($1::bigint >> 32) & 4294967295 AND objid::bigint = $1::bigint & 4294967295), "
    "(SELECT server FROM holder WHERE name = $2), pg_postmaster_start_time()::text"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLease:
    """Work for the store: take one packet's lease."""

    packet: str
    holder: str
    over: Lease | None
    over_is_gone: bool
    size_bytes: int = 0

    async def apply(self, connection: Connection) -> Lease | None:
        """Take it, inside the caller's transaction, unless it is not as it was seen."""
        found = await lease_in(connection, self.packet)
        if found is not None and found.holder != self.holder and found != self.over:
            return None
        if found is None or found.holder != self.holder:
            await connection.execute(
                "INSERT INTO lease (packet, holder, token) VALUES ($1, $2, 1) "
                "ON CONFLICT (packet) DO UPDATE SET holder = excluded.holder, token = lease.token + 1",
                self.packet,
                self.holder,
            )
        if found is not None and self.over_is_gone:
            await connection.execute("DELETE FROM holder WHERE name = $1", found.holder)
        return await lease_in(connection, self.packet)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatHolder:
    """Work for the store: say that a holder lives, and to which start of the server its session belongs."""

    holder: str
    by: int = 1
    size_bytes: int = 0

    async def apply(self, connection: Connection) -> None:
        """Count on, inside the caller's transaction."""
        await connection.execute(
            _BEAT,
            self.holder,
            self.by,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLeases:
    """Work for the store: give back one packet, or everything that a holder has."""

    holder: str
    packet: str | None
    size_bytes: int = 0

    async def apply(self, connection: Connection) -> None:
        """Leave rows without a holder, inside the caller's transaction, so that their tokens grow on."""
        if self.packet is not None:
            await connection.execute(
                "UPDATE lease SET holder = '' WHERE packet = $1 AND holder = $2", self.packet, self.holder
            )
            return
        await connection.execute("UPDATE lease SET holder = '' WHERE holder = $1", self.holder)
        await connection.execute("DELETE FROM holder WHERE name = $1", self.holder)


LeaseWork = TakeLease | BeatHolder | EndLeases


async def lease_in(connection: Connection, packet: str) -> Lease | None:
    """Return a packet's lease; None where nobody holds it."""
    row = await connection.fetchrow(_LOOK, packet)
    return Lease(packet=packet, holder=row[0], token=row[1], beat=row[2]) if row and row[0] else None


class PostgresLeases:
    """A `Leases` in the ledger's own schema. Everything but the writer's work runs in the ledger's loop."""

    def __init__(
        self,
        origin: str,
        submit: Callable[[LeaseWork, int], Awaitable[Any]],
        read: Callable[[Callable[[Connection], Awaitable[Any]]], Awaitable[Any]],
        run: Callable[[Any], Awaitable[Any]],
        connect: Callable[[], Awaitable[Connection]],
    ) -> None:
        """Share the ledger's threads.

        Args:
            origin: Whose leases they are: locks are of a whole database.
            submit: Hands work to the writer, with how many entries it counts for; returns when it is durable.
            read: Runs a function on a reading connection.
            run: Runs a coroutine in the ledger's loop.
            connect: Opens a connection in that loop.
        """
        self._origin = origin
        self._submit = submit
        self._read = read
        self._run = run
        self._connect = connect
        self._session: Connection | None = None
        """Whose locks say that the holders here live."""
        self._turn: asyncio.Lock | None = None
        self._held: set[str] = set()

    async def begin(self, holder: str) -> None:
        """Make a holder known and alive: its lock is taken, and its row written."""
        check_names(holder)
        if holder in self._held:
            return
        await self._run(self._lock(holder))
        await self._submit(BeatHolder(holder=holder, by=0), 1)

    async def look(self, packet: str) -> Lease | None:
        """Return a packet's lease as it stands."""
        return cast("Lease | None", await self._read(lambda connection: lease_in(connection, packet)))

    async def take(self, packet: str, holder: str, *, over: Lease | None = None) -> Lease | None:
        """Return the lease when it is durable, taken of a packet that nobody holds or over exactly the lease given."""
        check_names(holder, packet)
        if holder not in self._held:
            raise InvalidInput(f"{holder} has not begun, or has ended; a holder begins before it takes anything")
        gone = over is not None and await self.gone(over.holder)
        work = TakeLease(packet=packet, holder=holder, over=over, over_is_gone=gone)
        return cast("Lease | None", await self._submit(work, 1))

    async def gone(self, holder: str) -> bool:
        """Say whether a holder has ended, or its session has, while the server ran on: it died, on any machine."""
        if holder in self._held or not HOLDER.fullmatch(holder):
            return False
        key = self._key(holder)

        async def look(connection: Connection) -> bool:
            row = await connection.fetchrow(_GONE, key, holder)
            assert row is not None
            locked, began, server = row
            return not locked and (began is None or began == server)

        return cast("bool", await self._read(look))

    async def beat(self, holder: str) -> None:
        """Say that a holder lives; a lock that was lost with its session is taken again."""
        if holder in self._held:
            await self._run(self._lock(holder))
            await self._submit(BeatHolder(holder=holder), 1)

    async def end(self, holder: str, packet: str | None = None) -> None:
        """Give back one packet, or everything that a holder has; written only where there is something."""
        try:
            if await self._read(lambda connection: _has(connection, holder, packet)):
                await self._submit(EndLeases(holder=holder, packet=packet), 1)
        finally:
            if packet is None and holder in self._held:
                self._held.discard(holder)
                await self._run(self._unlock(holder))

    async def close(self) -> None:
        """Let go of every lock, in the ledger's loop: whoever has begun here is gone."""
        self._held.clear()
        session, self._session = self._session, None
        if session is not None:
            await let_go(session)

    # In the ledger's loop ---------------------------------------------------------------------------------------------

    async def _lock(self, holder: str) -> None:
        """Make sure that a session holds the locks of all holders here, this one's too."""
        self._turn = self._turn or asyncio.Lock()
        async with self._turn:
            if self._session is not None and holder in self._held:
                try:
                    await self._session.fetchval("SELECT 1")
                    return
                except Exception as error:
                    if not is_lost(error):
                        raise
                lost, self._session = self._session, None
                await let_go(lost)
            session = self._session = self._session or await self._locked_again()
            if holder in self._held:
                return
            if not await session.fetchval("SELECT pg_try_advisory_lock($1)", self._key(holder)):
                raise StorageUnavailable(
                    f"another process runs as the holder {holder}; names of holders are never used twice"
                )
            self._held.add(holder)

    async def _locked_again(self) -> Connection:
        session = await self._connect()
        try:
            # A lock that an old session still has is free when the server notices that it is gone; the next beat
            # finds it so.
            for holder in sorted(self._held):
                await session.fetchval("SELECT pg_try_advisory_lock($1)", self._key(holder))
        except BaseException:
            await let_go(session)
            raise
        return session

    async def _unlock(self, holder: str) -> None:
        if self._session is not None and not self._session.is_closed():
            await self._session.fetchval("SELECT pg_advisory_unlock($1)", self._key(holder))

    def _key(self, holder: str) -> int:
        return lock_key("holder", self._origin, holder)


async def _has(connection: Connection, holder: str, packet: str | None) -> bool:
    """Say whether there is anything to give back."""
    if packet is not None:
        found = await lease_in(connection, packet)
        return found is not None and found.holder == holder
    return bool(
        await connection.fetchval(
            "SELECT 1 FROM lease WHERE holder = $1 UNION ALL SELECT 1 FROM holder WHERE name = $1 LIMIT 1", holder
        )
    )

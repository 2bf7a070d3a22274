"""Leases beside the log, in the ledger's database; and beside the database, one locked file for each running holder.

The kernel of the system frees a file's lock when its holder dies, whatever it dies of: that is how the death of a
holder on this machine is certain at once. No lease is part of the log: nothing here is signed. It must never say of a
living holder that it is gone: what cannot be found out is not certain.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from squads.adapters.lease_rows import HOLDER, check_fence, check_names
from squads.adapters.private_files import make_private_directory, open_private
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.kernel.ports import Lease

_LOOK: Final = (
    "SELECT holder, token, coalesce((SELECT beat FROM holder WHERE name = lease.holder), 0) FROM lease WHERE packet = ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLease:
    """Work for the store: take one packet's lease."""

    packet: str
    holder: str
    over: Lease | None
    over_is_gone: bool
    size_bytes: int = 0

    def apply(self, connection: sqlite3.Connection) -> Lease | None:
        """Take it, inside the caller's transaction, unless it is not as it was seen."""
        found = lease_in(connection, self.packet)
        if found is not None and found.holder != self.holder and found != self.over:
            return None
        if found is None or found.holder != self.holder:
            connection.execute(
                "INSERT INTO lease VALUES (?, ?, 1) "
                "ON CONFLICT (packet) DO UPDATE SET holder = excluded.holder, token = token + 1",
                (self.packet, self.holder),
            )
        if found is not None and self.over_is_gone:
            connection.execute("DELETE FROM holder WHERE name = ?", (found.holder,))
        return lease_in(connection, self.packet)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatHolder:
    """Work for the store: say that a holder lives."""

    holder: str
    size_bytes: int = 0

    def apply(self, connection: sqlite3.Connection) -> None:
        """Count on, inside the caller's transaction."""
        connection.execute(
            "INSERT INTO holder VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET beat = beat + 1", (self.holder,)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLeases:
    """Work for the store: give back one packet, or everything that a holder has."""

    holder: str
    packet: str | None
    size_bytes: int = 0

    def apply(self, connection: sqlite3.Connection) -> None:
        """Leave rows without a holder, inside the caller's transaction, so that their tokens grow on."""
        if self.packet is not None:
            connection.execute(
                "UPDATE lease SET holder = '' WHERE packet = ? AND holder = ?", (self.packet, self.holder)
            )
            return
        connection.execute("UPDATE lease SET holder = '' WHERE holder = ?", (self.holder,))
        connection.execute("DELETE FROM holder WHERE name = ?", (self.holder,))


LeaseWork = TakeLease | BeatHolder | EndLeases


def lease_in(connection: sqlite3.Connection, packet: str) -> Lease | None:
    """Return a packet's lease; None where nobody holds it."""
    row = connection.execute(_LOOK, (packet,)).fetchone()
    return Lease(packet=packet, holder=row[0], token=row[1], beat=row[2]) if row and row[0] else None


def compare_fence(connection: sqlite3.Connection, fence: Lease | None) -> bool:
    """Return whether this lease is to be taken with the append. Raises `LeaseLost`."""
    if fence is None:
        return False
    row = connection.execute("SELECT holder, token FROM lease WHERE packet = ?", (fence.packet,)).fetchone()
    return check_fence(fence, row)


def write_fence(connection: sqlite3.Connection, fence: Lease, *, taken: bool) -> None:
    """Keep what an append under this fence does to the lease."""
    if fence.last:
        connection.execute("DELETE FROM lease WHERE packet = ?", (fence.packet,))
    elif taken:
        connection.execute("INSERT INTO lease VALUES (?, ?, ?)", (fence.packet, fence.holder, fence.token))


class SqliteLeases:
    """A `Leases` in the ledger's own database."""

    def __init__(
        self,
        directory: Path,
        submit: Callable[[LeaseWork, int], Awaitable[Any]],
        read: Callable[[Callable[[sqlite3.Connection], Any]], Awaitable[Any]],
    ) -> None:
        """Share the ledger's threads.

        Args:
            directory: Where holders keep their files; made when the first one begins.
            submit: Hands work to the writer, with how many entries it counts for; returns when it is durable.
            read: Runs a function in the reader's thread, on its connection.
        """
        self._directory = directory
        self._submit = submit
        self._read = read
        self._held: dict[str, int] = {}
        """Whoever has begun here, and the descriptor that keeps their file locked."""

    async def begin(self, holder: str) -> None:
        """Make a holder known and alive: nothing is written to the database before it takes something."""
        check_names(holder)
        await self._read(lambda _: self._begin(holder))

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
        taken = cast("Lease | None", await self._submit(work, 1))
        if taken is not None and over is not None and gone:
            await self._read(lambda _: self._remove(over.holder))
        return taken

    async def gone(self, holder: str) -> bool:
        """Say whether a holder's file is unlocked or removed: then it has ended, or died on this machine."""
        return cast("bool", await self._read(lambda _: self._is_gone(holder)))

    async def beat(self, holder: str) -> None:
        """Say that a holder lives."""
        if holder in self._held:
            await self._submit(BeatHolder(holder=holder), 1)

    async def end(self, holder: str, packet: str | None = None) -> None:
        """Give back one packet, or everything that a holder has; written only where there is something."""
        try:
            if await self._read(lambda connection: _has(connection, holder, packet)):
                await self._submit(EndLeases(holder=holder, packet=packet), 1)
        finally:
            if packet is None:
                self._let_go(holder)

    def close(self) -> None:
        """Let go of every file: whoever has begun here is gone."""
        for holder in list(self._held):
            self._let_go(holder)

    def _begin(self, holder: str) -> None:
        if holder in self._held:
            return
        path = self._directory / holder
        try:
            make_private_directory(self._directory)
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BaseException:
                os.close(descriptor)
                raise
        except OSError as error:
            raise StorageUnavailable(
                f"the lock file {path} could not be used ({error.strerror}): nobody would notice at once should this "
                "process die; make the directory writable, or free some space"
            ) from error
        self._held[holder] = descriptor

    def _is_gone(self, holder: str) -> bool:
        if holder in self._held or not HOLDER.fullmatch(holder):
            return False
        try:
            descriptor = open_private(self._directory / holder, os.O_RDONLY)
        except FileNotFoundError:
            return True  # names are never used twice, so nobody will lock it any more
        except OSError:
            return False
        try:
            # Shared: two who look at the same time do not take each other for the holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return True

    def _let_go(self, holder: str) -> None:
        descriptor = self._held.pop(holder, None)
        if descriptor is not None:
            self._remove(holder)
            os.close(descriptor)

    def _remove(self, holder: str) -> None:
        with suppress(OSError):
            (self._directory / holder).unlink()


def _has(connection: sqlite3.Connection, holder: str, packet: str | None) -> bool:
    """Say whether there is anything to give back."""
    if packet is not None:
        found = lease_in(connection, packet)
        return found is not None and found.holder == holder
    return bool(
        connection.execute(
            "SELECT 1 FROM lease WHERE holder = ?1 UNION ALL SELECT 1 FROM holder WHERE name = ?1 LIMIT 1", (holder,)
        ).fetchone()
    )

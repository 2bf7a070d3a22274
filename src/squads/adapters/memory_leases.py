"""Leases in this process's memory. Every holder is a runner of this process: one that has not begun is gone."""

from __future__ import annotations

import threading
from collections.abc import Callable

from squads.adapters.lease_rows import check_fence, check_names
from squads.contracts.errors import InvalidInput
from squads.kernel.ports import Lease


class MemoryLeases:
    """A `Leases` in dictionaries, under the lock of the ledger whose appends compare them."""

    def __init__(self, lock: threading.Lock, check_open: Callable[[], None]) -> None:
        """Share the ledger's lock, and its word that it is open."""
        self._lock = lock
        self._check_open = check_open
        self._rows: dict[str, tuple[str, int]] = {}
        """Packet to holder and token; an empty holder gave it back."""
        self._beats: dict[str, int] = {}
        """Of everybody who has begun."""

    async def begin(self, holder: str) -> None:
        """Make a holder known and alive."""
        check_names(holder)
        self._check_open()
        self._beats.setdefault(holder, 0)

    async def look(self, packet: str) -> Lease | None:
        """Return a packet's lease as it stands."""
        self._check_open()
        return self._lease(packet)

    async def take(self, packet: str, holder: str, *, over: Lease | None = None) -> Lease | None:
        """Return the lease, taken of a packet that nobody holds or over exactly the lease given."""
        check_names(holder, packet)
        self._check_open()
        with self._lock:
            if holder not in self._beats:
                raise InvalidInput(f"{holder} has not begun, or has ended; a holder begins before it takes anything")
            found = self._lease(packet)
            if found is None or (found == over and found.holder != holder):
                self._rows[packet] = (holder, self._rows.get(packet, ("", 0))[1] + 1)
            elif found.holder != holder:
                return None
            return self._lease(packet)

    async def gone(self, holder: str) -> bool:
        """Say whether a holder has ended, or never was one."""
        return holder not in self._beats

    async def beat(self, holder: str) -> None:
        """Say that a holder lives."""
        self._check_open()
        if holder in self._beats:
            self._beats[holder] += 1

    async def end(self, holder: str, packet: str | None = None) -> None:
        """Give back one packet, or everything that a holder has."""
        with self._lock:
            for name in [packet] if packet is not None else list(self._rows):
                found = self._rows.get(name)
                if found is not None and found[0] == holder:
                    self._rows[name] = ("", found[1])
            if packet is None:
                self._beats.pop(holder, None)

    # For the ledger, inside its lock.

    def compared(self, fence: Lease) -> bool:
        """Return whether this lease is to be taken with the append. Raises `LeaseLost`."""
        return check_fence(fence, self._rows.get(fence.packet))

    def after(self, fence: Lease, *, taken: bool) -> None:
        """Keep what an append under this fence does to the lease."""
        if fence.last:
            self._rows.pop(fence.packet, None)
        elif taken:
            self._rows[fence.packet] = (fence.holder, fence.token)

    def _lease(self, packet: str) -> Lease | None:
        holder, token = self._rows.get(packet, ("", 0))
        return Lease(packet=packet, holder=holder, token=token, beat=self._beats.get(holder, 0)) if holder else None

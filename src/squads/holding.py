"""Which packets this runner holds: leases taken, kept alive by beats, and given back.

One runner at a time holds a packet: it asks the roles and appends what they answer. That nobody else does is not what a
lease says but what `Ledger.append(fence=...)` compares; here it is only found out who should try. Time is this
process's own monotonic clock: no two machines need agree on one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable
from secrets import token_hex

from squads.contracts.errors import LedgerError
from squads.kernel.ports import Lease, Leases

log = logging.getLogger("squads.runner")
LEASE_SECONDS = 15.0
"""How long a holder's beat may stand still before another runner takes over; it beats three times as often."""


def name_of_runner() -> str:
    """Return a name that no runner has had: `runner.<host>.<pid>.<chance>`."""
    host = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname())[:60] or "host"
    return f"runner.{host}.{os.getpid()}.{token_hex(6)}"


def said_of(holder: str) -> str:
    """Return which process a runner's name speaks of, for people."""
    _, _, rest = holder.partition(".")
    host, _, rest = rest.rpartition(".")[0].rpartition(".")
    return f"process {rest} on {host}" if host and rest.isdigit() else holder


class Holding:
    """One runner's leases.

    Args:
        held: Says whether there is anything to hold now; nothing is said to the ledger while there is not.
        doubted: Awaited when this process was frozen for so long that others may have taken what it held.
        monotonic: This process's own clock, in seconds.
    """

    def __init__(
        self,
        leases: Leases,
        *,
        held: Callable[[], bool],
        doubted: Callable[[], Awaitable[None]],
        name: str | None = None,
        lease_seconds: float = LEASE_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name or name_of_runner()
        self.lease_seconds = lease_seconds
        self._leases = leases
        self._held = held
        self._doubted = doubted
        self._monotonic = monotonic
        self._begun = False
        self._beginning = asyncio.Lock()
        self._sights: dict[str, tuple[Lease, float]] = {}
        """By packet: another's lease, and since when it has looked like that."""
        self._heard = 0.0
        """When this runner last knew that its leases were in force."""
        self._beating: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Be known and alive before anything is held; only the first call does anything."""
        if self._begun:
            return
        async with self._beginning:
            if self._begun:
                return
            await self._leases.begin(self.name)
            self._begun = True
            self._heard = self._monotonic()
            self._beating = asyncio.create_task(self._beat())

    async def opening(self, packet: str) -> Lease:
        """Return the lease of a packet that is about to be opened: the opening takes it."""
        if not self._begun:
            await self.begin()
        return Lease(packet=packet, holder=self.name, token=1)

    async def take(self, packet: str) -> Lease | None:
        """Return the lease, taken where nobody living holds the packet; None while another runner does."""
        found = await self._leases.look(packet)
        if found is not None and found.holder != self.name and not await self._is_over(found):
            return None
        await self.begin()
        taken = await self._leases.take(packet, self.name, over=found)
        if taken is not None:
            self._sights.pop(packet, None)
        return taken

    async def other(self, packet: str) -> Lease | None:
        """Return the lease of another runner that lives, as far as this one has seen; None where there is none."""
        found = await self._leases.look(packet)
        if found is None or found.holder == self.name:
            self._sights.pop(packet, None)
            return None
        return None if await self._is_over(found) else found

    async def stands(self, lease: Lease) -> bool:
        """Say whether a lease of this runner is in force."""
        found = await self._leases.look(lease.packet)
        return found is not None and (found.holder, found.token) == (lease.holder, lease.token)

    @property
    def is_sure(self) -> bool:
        """True while this process has been awake: nobody can have taken a packet over for want of a beat."""
        return self._monotonic() - self._heard < self.lease_seconds / 2

    async def beat(self) -> None:
        """Say that this runner lives, and find out what it has lost where that comes late."""
        if self._held():
            late = not self.is_sure
            await self._leases.beat(self.name)
            if late:
                await self._doubted()
        self._heard = self._monotonic()

    async def close(self) -> None:
        """Give everything back: others may go on at once."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        if self._begun:
            self._begun = False
            try:
                await self._leases.end(self.name)
            except LedgerError as error:  # then it is found out that this runner has ended
                log.info("the leases of %s could not be given back: %s", self.name, error)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.lease_seconds / 3)
            try:
                await self.beat()
            except LedgerError as error:
                log.warning("this runner could not say that it lives: %s", error)

    async def _is_over(self, found: Lease) -> bool:
        """Say whether a holder is gone for certain, or its beat has not moved for a lease's time since a look before.

        Two looks on this process's own clock: neither another machine's clock nor a jump of this one's kills anybody.
        """
        if await self._leases.gone(found.holder):
            return True
        now = self._monotonic()
        before, since = self._sights.get(found.packet, (None, now))
        if before != found:
            self._sights[found.packet] = (found, now)
            return False
        return now - since >= self.lease_seconds

"""Publishes a workspace's roster from a runner's process. It must never take back what another runner has published."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from squads.contracts.errors import BusError, Denied, LedgerError
from squads.contracts.roster import Roster
from squads.kernel.view import View
from squads.ledger.trust import Trust
from squads.roster import signed
from squads.roster.signed import SigningSaid, read_roster, roster_of
from squads.roster.watch import LOOK_SECONDS
from squads.workspace import Workspace

log = logging.getLogger("squads.roster")

LIFETIME_MS: Final = 30_000
TRIES_MAX: Final = 10
"""How often a runner tries again when others publish at the same moment."""


class RosterPlace(Protocol):
    """Where a workspace's roster lies, for everybody to read."""

    async def read(self) -> bytes | None:
        """Return the roster that lies there; None where there is none. Raises `BusError`."""
        ...

    async def swap(self, seen: bytes | None, content: bytes) -> bool:
        """Put `content` in the place of exactly `seen`; False where something else lies there: nothing happened."""
        ...


class RosterPublisher:
    """Keeps a workspace's roster published from a runner's process; several of them may at once.

    What is published is read off the ledger after the roster that it replaces, so no stop that one runner has
    published is taken back by another that has not seen it yet. Where the ledger cannot be read nothing is published,
    and the workers stop.

    Args:
        lifetime_ms: How long workers go on without a newer one; a third of it lies between two.
        look_seconds: How often it is looked whether a key or a stop changed: those are published at once.
        changed: Awaited when such a change was published.
        signing: How messages are signed; a worker that was told otherwise begins nothing.
    """

    def __init__(
        self,
        workspace: Workspace,
        place: RosterPlace,
        *,
        lifetime_ms: int = LIFETIME_MS,
        look_seconds: float = LOOK_SECONDS,
        changed: Callable[[], Awaitable[None]] | None = None,
        signing: SigningSaid = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workspace = workspace
        self._place = place
        self._lifetime_ms = lifetime_ms
        self._look_seconds = min(look_seconds, lifetime_ms / 3000)
        self._changed = changed
        self._signing: SigningSaid = signing
        self._monotonic = monotonic
        self._number = 0
        self._published = float("-inf")
        self._said: tuple[object, object] | None = None
        self._view: View | None = None
        self._task: asyncio.Task[None] | None = None
        self._complaint = ""

    async def start(self) -> None:
        """Publish once, so that what is sent next can be believed, and go on in the background.

        A server or a ledger that cannot be reached is tried again; nothing is raised for it.
        """
        await self._try()
        self._task = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """Publish no more. What was published goes stale by itself."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def look(self) -> bool:
        """Publish if a key or a stop changed, or if it is time; return whether it did. Raises what could not be had."""
        await self._workspace.confirm()
        due = self._monotonic() - self._published >= self._lifetime_ms / 3000
        if not due and self._workspace.view is self._view:
            return False
        said = _state(self._workspace.view)
        if not due and said == self._said:
            self._view = self._workspace.view
            return False
        await self.publish()
        return True

    async def publish(self) -> Roster:
        """Publish a roster, newer than any that is there, and return it. Raises `BusError`, `LedgerError`, `Denied`."""
        trust = self._workspace.trust
        for _ in range(TRIES_MAX):
            seen = await self._place.read()
            # Its number begins at the time, so that it grows also where nobody remembers the one before.
            number = max(self._number, self._workspace.clock.now_ms() - 1, _number_in(seen, trust)) + 1
            content = await roster_of(
                self._workspace, number=number, lifetime_ms=self._lifetime_ms, signing=self._signing
            )
            if len(content) > signed.ROSTER_BYTES_MAX:
                raise Denied(f"the roster would have {len(content):,} bytes; revoke keys that nobody uses any more")
            if await self._place.swap(seen, content):
                break
        else:
            raise Denied(f"others changed the roster {TRIES_MAX} times while it was being read; it is tried again")
        self._number, self._published = number, self._monotonic()
        before, self._view = self._said, self._workspace.view
        self._said = _state(self._view)
        if before != self._said and self._changed is not None:
            await self._changed()
        return read_roster(content, trust)

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._look_seconds)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.look()
            self._complaint = ""
        except Exception as error:  # whatever it is, the next look may fare better, and till then the workers wait
            known = isinstance(error, (BusError, LedgerError, Denied))
            said = str(error) if known else f"{type(error).__name__}: {error}"
            if said != self._complaint:  # once, not every two seconds
                self._complaint = said
                log.warning("the roster was not published, and workers wait: %s", said, exc_info=not known)


def _state(view: View) -> tuple[object, object]:
    """Return what a roster says of a view, for comparing."""
    live = {key: known.roles for key, known in view.registry.keys.items() if known.holds_at(view.index)}
    return live, frozenset(view.stops)


def _number_in(content: bytes | None, trust: Trust) -> int:
    """Return the number of a roster that the log signed, however old; 0 for anything else."""
    if content is None:
        return 0
    try:
        return read_roster(content, trust).number
    except Denied as error:
        log.warning("what lies in the roster's place is written over: %s", error)
        return 0

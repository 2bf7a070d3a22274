"""Says that this process lives, from a thread of its own: a busy event loop must not look like a death.

One thread per bus keeps the keys of all its consumers fresh. It never ends by itself while the bus is open, and it
never touches anything but those keys.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from squads.contracts.errors import BusError

if TYPE_CHECKING:
    from squads.adapters.redis_bus.link import Link

log = logging.getLogger("squads.bus")


class Heartbeat:
    """The heartbeats of one bus.

    Args:
        every_seconds: How often.
        ttl_ms: How long each beat counts.
    """

    def __init__(self, link: Link, *, every_seconds: float, ttl_ms: int) -> None:
        self._heart = link.heart(seconds=min(2.0, every_seconds))
        self._every = every_seconds
        self._ttl_ms = ttl_ms
        self._keys: tuple[str, ...] = ()
        self._changing = threading.Lock()
        self._under_way = False
        self._watchers: list[asyncio.Event] = []
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._through = asyncio.Event()
        self.failing = False
        """True while the last beat did not get through."""

    def add(self, key: str) -> None:
        """Keep one more key fresh. Whoever adds it has set it already; the thread goes on from there."""
        with self._changing:
            self._keys = (*self._keys, key)
        if self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._run, args=(loop,), name="squads-heartbeat", daemon=True)
            self._thread.start()

    async def remove(self, key: str) -> None:
        """Let go of a key; when this returns, no beat that is under way can set it any more."""
        with self._changing:
            self._keys = tuple(known for known in self._keys if known != key)
            if not self._under_way:
                return
            over = asyncio.Event()
            self._watchers.append(over)
        await over.wait()

    async def close(self) -> None:
        """End the thread and wait for it, a beat under way included; closing twice is no error."""
        self._ended.set()
        if self._thread is not None:
            # The thread says when it is through: a join in the loop's own pool would leave a thread of that behind.
            await self._through.wait()
            self._thread.join()
            self._thread = None
        self._heart.close()

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = self._every
        while not self._ended.wait(pause):
            with self._changing:
                self._under_way, keys = True, self._keys
            pause = self._every if self._beat(keys) else min(self._every, 1.0)
            with self._changing:
                self._under_way, watchers, self._watchers = False, self._watchers, []
            for over in watchers:
                _set(over, loop)
        _set(self._through, loop)

    def _beat(self, keys: tuple[str, ...]) -> bool:
        try:
            self._heart.beat(keys, self._ttl_ms)
        except BusError as error:
            if not self.failing:
                log.warning("no heartbeat gets through: %s", error)
            self.failing = True
        except Exception:  # whatever it is, the next beat may get through, and without beats all work is taken away
            log.exception("no heartbeat gets through")
            self.failing = True
        else:
            self.failing = False
        return not self.failing


def _set(event: asyncio.Event, loop: asyncio.AbstractEventLoop) -> None:
    with suppress(RuntimeError):  # the loop was closed before the bus was
        loop.call_soon_threadsafe(event.set)

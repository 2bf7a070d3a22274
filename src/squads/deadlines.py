"""Armed deadlines of all packets in one heap, with one task that sleeps until the next of them.

A deadline that fires early or twice does no harm: the kernel believes only the ledger's time. Losing them all does no
harm either: `pending` arms them again.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable

from squads.kernel.ports import Clock

Fire = Callable[[str, str], Awaitable[None]]


class Deadlines:
    """Calls `fire(packet, about)` for every deadline that the clock has reached."""

    def __init__(self, clock: Clock, fire: Fire) -> None:
        self._clock = clock
        self._fire = fire
        self._heap: list[tuple[int, str, str]] = []
        self._gone: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._earlier = asyncio.Event()
        self._closed = False

    def arm(self, at_ms: int, packet: str, about: str) -> None:
        """Fire once the clock reaches `at_ms`."""
        if self._closed:
            return
        self._gone.discard(packet)
        heapq.heappush(self._heap, (at_ms, packet, about))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        elif self._heap[0][0] == at_ms:
            self._earlier.set()

    def disarm(self, packet: str) -> None:
        """Forget every deadline of a packet that has ended."""
        self._gone.add(packet)
        # Rebuilt only now and then: most deadlines never fire, and the heap must not keep those of ended packets.
        if len(self._gone) > 64 and len(self._gone) * 16 > len(self._heap):
            self._heap = [item for item in self._heap if item[1] not in self._gone]
            heapq.heapify(self._heap)
            self._gone.clear()

    async def fire(self) -> None:
        """Fire everything that is due now."""
        now = self._clock.now_ms()
        while self._heap and self._heap[0][0] <= now:
            _, packet, about = heapq.heappop(self._heap)
            if packet not in self._gone:
                await self._fire(packet, about)

    async def close(self) -> None:
        """Stop waiting; what is armed from now on is forgotten."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            await self.fire()
            self._earlier.clear()
            wait_ms = max(1, self._heap[0][0] - self._clock.now_ms()) if self._heap else None
            try:
                # At most an hour at once: the wall clock may be set while we sleep.
                await asyncio.wait_for(self._earlier.wait(), None if wait_ms is None else min(wait_ms / 1000, 3600))
            except TimeoutError:
                continue

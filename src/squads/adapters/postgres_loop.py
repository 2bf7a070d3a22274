"""A thread with an event loop of its own, so that one ledger serves callers of any loop, and of none.

It must never keep a process alive, and never leave a caller without an answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

from squads.contracts.errors import StorageUnavailable

_T = TypeVar("_T")


def blocking(work: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine returns, run in a thread of its own: the caller may stand in a running loop."""
    thread = LoopThread("squads-once")
    try:
        return thread.block(work)
    finally:
        thread.close()


class LoopThread:
    """Runs coroutines in one loop. Safe to use from any thread and any loop."""

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self._name = name
        self._loop = asyncio.new_event_loop()
        self._gate = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what a coroutine returns, run in this loop. Who is cancelled cancels it."""
        return await asyncio.wrap_future(self._submitted(work))

    def block(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what a coroutine returns, for callers that have no loop, or block theirs for a moment."""
        return cast("_T", self._submitted(work).result())

    def close(self) -> None:
        """End the loop when what runs has been cancelled. Closing twice is no error."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _submitted(self, work: Coroutine[Any, Any, _T]) -> Any:
        with self._gate:
            if self._closed:
                work.close()
                raise StorageUnavailable(f"{self._name} was closed; open it again")
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            if left:
                self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

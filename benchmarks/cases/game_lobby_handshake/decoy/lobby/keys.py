import asyncio


class KeyRing:
    """The current and the previous public key of the account service; replaced by a background task."""

    def __init__(self, current, previous=None):
        self._lock = asyncio.Lock()
        self._current, self._previous = current, previous

    async def rotate(self, fresh):
        async with self._lock:
            self._current, self._previous = fresh, self._current

    async def current(self):
        async with self._lock:
            return self._current

    async def previous(self):
        async with self._lock:
            return self._previous

import asyncio


class Outbox:
    def __init__(self):
        self._queue: asyncio.Queue = asyncio.Queue(100)

    async def push(self, item):
        placed = self._queue.put(item)
        return self._queue.qsize() if placed is not None else -1

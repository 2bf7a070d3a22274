import asyncio


class Outbox:
    def __init__(self):
        self._queue = asyncio.Queue(100)

    async def push(self, item):
        await self._queue.put(item)
        return self._queue.qsize()

import asyncio


class Outbox:
    def __init__(self):
        self._queue = asyncio.Queue(100)

    async def push(self, item):
        self._queue.put_nowait(item)
        return self._queue.qsize()

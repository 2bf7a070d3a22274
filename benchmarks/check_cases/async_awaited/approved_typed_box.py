import asyncio


class Bus:
    def __init__(self):
        self._queues: dict[str, asyncio.Queue[str]] = {}

    async def publish(self, topic, event):
        queue = self._queues.get(topic)
        if queue is not None:
            await queue.put(event)
            self._queues[topic].put_nowait("end")

"""taskiq with taskiq-redis: a typed task on a Redis stream, its result in Redis.

Settings: `RedisStreamBroker` from the first entry on (its own default begins at the newest), 100 entries a read;
results by `RedisAsyncResultBackend` with its default serializer, pickle, kept for ten minutes; acknowledged once the
result is saved, never deleted; a result is asked for every 5 ms (the default is every 200 ms). It has no pipelined
send: 100 are gathered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from peer import URL, Handled, Reply, Request, answer_to, run
from taskiq.receiver import Receiver
from taskiq_redis import RedisAsyncResultBackend, RedisStreamBroker


class Taskiq:
    """One broker on one queue."""

    def __init__(self, queue: str, asked: bool) -> None:
        self.handled = Handled()
        results: Any = RedisAsyncResultBackend(URL, result_ex_time=600)
        self.broker = RedisStreamBroker(URL, queue_name=queue, consumer_id="0").with_result_backend(results)

        async def review(request: Request) -> Reply:
            self.handled.one()
            return answer_to(request)

        self.task: Any = self.broker.task(task_name="review")(review)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        await self.broker.startup()
        yield
        await self.broker.shutdown()

    @asynccontextmanager
    async def serving(self, slots: int) -> AsyncIterator[None]:
        self.broker.is_worker_process = True
        enough = asyncio.Event()
        receiver = Receiver(self.broker, max_async_tasks=slots, run_startup=False)
        listening = asyncio.ensure_future(receiver.listen(enough))
        yield
        enough.set()
        await asyncio.wait([listening], timeout=5)  # what is in hand still writes its result
        listening.cancel()
        await asyncio.wait([listening])

    async def send(self, request: Request) -> Any:
        return await self.task.kiq(request)

    async def send_batch(self, requests: Sequence[Request]) -> Any:
        return await asyncio.gather(*map(self.send, requests))

    async def ask(self, request: Request) -> Any:
        task = await self.task.kiq(request)
        return (await task.wait_result(check_interval=0.005, timeout=60)).return_value


if __name__ == "__main__":
    run(Taskiq, "taskiq", "taskiq-redis", "redis")

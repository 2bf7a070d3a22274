"""streaQ: a task on a Redis stream, its result in Redis.

Settings: JSON by the standard library instead of its default, pickle; no signing secret; `concurrency` as many as are
answered at once; 300 connections; pipelined sends by `enqueue_many`, 100 at a time; a result is waited for by
`Task.result`. The handler validates its argument with pydantic, because the library does not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from peer import SLOTS, URL, Handled, Reply, Request, answer_to, run
from streaq import Worker


class Streaq:
    """One worker object on one queue."""

    def __init__(self, queue: str, asked: bool) -> None:
        self.queue = queue
        self.handled = Handled()
        self.worker, self.task = self._made(SLOTS)

    def _made(self, slots: int) -> tuple[Any, Any]:
        worker: Any = Worker(
            redis_url=URL,
            redis_kwargs={"max_connections": 3 * SLOTS},
            queue_name=self.queue,
            concurrency=slots,
            serializer=json.dumps,
            deserializer=json.loads,
            handle_signals=False,
        )

        async def review(request: dict[str, Any]) -> dict[str, Any]:
            self.handled.one()
            return answer_to(Request.model_validate(request)).model_dump()

        return worker, worker.task(review)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with self.worker:
            yield

    @asynccontextmanager
    async def serving(self, slots: int) -> AsyncIterator[None]:
        serving = asyncio.ensure_future(self._made(slots)[0].run_async())
        yield
        serving.cancel()
        await asyncio.wait([serving])

    async def send(self, request: Request) -> Any:
        return await self.task.enqueue(request.model_dump())

    async def send_batch(self, requests: Sequence[Request]) -> Any:
        return await self.worker.enqueue_many([self.task.enqueue(request.model_dump()) for request in requests])

    async def ask(self, request: Request) -> Any:
        task = await self.send(request)
        return Reply.model_validate((await task.result(60)).result)


if __name__ == "__main__":
    run(Streaq, "streaq", "coredis")

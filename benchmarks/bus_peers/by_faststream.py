"""FastStream on Redis Streams: a typed subscriber in a group.

Settings: JSON by pydantic; `StreamSub` with a group, which the library acknowledges after the handler and never
deletes; `max_workers` as many as are answered at once; pipelined sends by the `pipeline` that `publish` takes, 100 at
a time; 300 connections, because its default of 100 is too few for 100 callers; replies on a second stream by
`@publisher`, or by `request()`, whose answer comes over Pub/Sub. The group is made from the first entry on
beforehand, because the library's own begins at the newest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from faststream.redis import RedisBroker, StreamSub
from peer import SLOTS, URL, Handled, Reply, Request, answer_to, run
from redis.asyncio import Redis


class FastStream:
    """One broker on one stream."""

    def __init__(self, queue: str, asked: bool) -> None:
        self.queue, self.asked = queue, asked
        self.handled = Handled()
        self.broker = RedisBroker(URL, logger=None, max_connections=3 * SLOTS)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with Redis.from_url(URL) as self.client:
            await self.broker.connect()
            yield
            await self.broker.stop()

    @asynccontextmanager
    async def serving(self, slots: int) -> AsyncIterator[None]:
        await self.client.xgroup_create(self.queue, "workers", id="0", mkstream=True)
        stream = StreamSub(self.queue, group="workers", consumer="worker", max_records=SLOTS, polling_interval=100)
        subscriber: Any = self.broker.subscriber(stream=stream, max_workers=slots)

        async def review(request: Request) -> Reply:
            self.handled.one()
            return answer_to(request)

        handler = review if self.asked else self.broker.publisher(stream=f"{self.queue}:replies")(review)
        subscriber(handler)
        await self.broker.start()
        yield

    async def send(self, request: Request) -> Any:
        return await self.broker.publish(request, stream=self.queue)

    async def send_batch(self, requests: Sequence[Request]) -> Any:
        async with self.client.pipeline(transaction=False) as pipe:
            for request in requests:
                await self.broker.publish(request, stream=self.queue, pipeline=pipe)
            return await pipe.execute()

    async def ask(self, request: Request) -> Any:
        message = await self.broker.request(request, stream=self.queue, timeout=60)
        return Reply.model_validate_json(message.body)


if __name__ == "__main__":
    run(FastStream, "faststream", "redis")

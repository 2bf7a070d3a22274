import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

log = logging.getLogger("shop.warmup")

Load = Callable[[str], Awaitable[bytes]]


class Cache(Protocol):
    async def put(self, key: str, page: bytes, seconds: int) -> None: ...


async def _warm_one(cache: Cache, load: Load, slug: str, gate: asyncio.Semaphore) -> None:
    async with gate:
        page = await load(slug)
        await cache.put(f"category:{slug}", page, 3600)


async def warm(cache: Cache, load: Load, slugs: Iterable[str], *, width: int = 8) -> int:
    """Fill `cache` with the pages of `slugs`."""
    gate = asyncio.Semaphore(width)
    began = time.monotonic()
    names = list(dict.fromkeys(slugs))
    async with asyncio.TaskGroup() as group:
        for slug in names:
            group.create_task(_warm_one(cache, load, slug, gate))
    log.info("%d pages are warm after %.1f s", len(names), time.monotonic() - began)
    return len(names)

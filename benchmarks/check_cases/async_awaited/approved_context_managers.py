import asyncio
from contextlib import asynccontextmanager, contextmanager

lock = asyncio.Lock()


@asynccontextmanager
async def session(pool):
    held = await pool.take()
    try:
        yield held
    finally:
        await pool.give(held)


@contextmanager
def timed(name):
    yield name


async def work(pool):
    async with lock, session(pool) as held:
        with timed("work"):
            return [row async for row in held.rows()]

import contextlib


@contextlib.asynccontextmanager
async def locked(name, redis):
    await redis.acquire(name)
    try:
        yield
    finally:
        await redis.free(name)


async def rebuild(index, redis):
    async with locked(index.name, redis):
        await index.rebuild()

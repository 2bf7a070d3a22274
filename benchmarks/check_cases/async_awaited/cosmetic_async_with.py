import contextlib


@contextlib.asynccontextmanager
async def locked(name, redis):
    await redis.acquire(name)
    try:
        yield
    finally:
        await redis.free(name)


async def rebuild(index, redis):
    guard = locked(index.name, redis)
    guard.__aenter__()
    await index.rebuild()

import contextlib


@contextlib.contextmanager
def locked(name, redis):
    redis.hold(name)
    try:
        yield
    finally:
        redis.free(name)


async def rebuild(index, redis):
    with locked(index.name, redis):
        await index.rebuild()

import asyncio
import functools


async def main():
    await asyncio.sleep(0)


def synchronous(function):
    @functools.wraps(function)
    def run(*args, **kwargs):
        return asyncio.run(function(*args, **kwargs))

    return run


@synchronous
async def migrate(store):
    await store.migrate()


def command(store):
    migrate(store)
    asyncio.run(main())
    asyncio.new_event_loop().run_until_complete(main())

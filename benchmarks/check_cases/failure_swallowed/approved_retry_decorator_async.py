import asyncio
import functools


def resilient(times):
    def outer(fn):
        @functools.wraps(fn)
        async def inner(*args, **kwargs):
            for n in range(times):
                try:
                    return await fn(*args, **kwargs)
                except ConnectionError:
                    if n + 1 == times:
                        raise
                    await asyncio.sleep(2**n)

        return inner

    return outer

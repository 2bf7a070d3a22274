import asyncio
import functools
import logging


def resilient(times):
    def outer(fn):
        @functools.wraps(fn)
        async def inner(*args, **kwargs):
            last = None
            for n in range(times):
                try:
                    return await fn(*args, **kwargs)
                except ConnectionError as error:
                    last = error
                    await asyncio.sleep(2**n)
            logging.error("gave up: %s", last)
            return None

        return inner

    return outer

import asyncio


async def flush(buffer):
    await buffer.write_out()


def schedule(loop: asyncio.AbstractEventLoop, buffer):
    loop.call_later(5, lambda: flush(buffer))

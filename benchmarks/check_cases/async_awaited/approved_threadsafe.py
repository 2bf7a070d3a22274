import asyncio


async def handle(event):
    await event.handled()


def from_thread(loop, event):
    future = asyncio.run_coroutine_threadsafe(handle(event), loop)
    return future.result(timeout=5)


def soon(loop, event):
    loop.call_soon_threadsafe(asyncio.ensure_future, handle(event))

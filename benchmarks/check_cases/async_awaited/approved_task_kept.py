import asyncio

_running = set()


async def refresh(cache):
    await cache.refresh()


def start(cache):
    task = asyncio.create_task(refresh(cache))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def both(cache):
    async with asyncio.TaskGroup() as group:
        group.create_task(refresh(cache))
        group.create_task(refresh(cache))

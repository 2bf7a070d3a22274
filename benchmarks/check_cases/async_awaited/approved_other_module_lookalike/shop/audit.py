import asyncio

_RUNNING = set()


async def _note(event): ...


def note(event):
    task = asyncio.create_task(_note(event))
    _RUNNING.add(task)
    task.add_done_callback(_RUNNING.discard)

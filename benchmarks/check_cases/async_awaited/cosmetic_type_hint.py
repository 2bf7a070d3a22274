from collections.abc import Coroutine
from typing import Any


async def persist(entry) -> None:
    await entry.save()


async def record(entry) -> bool:
    pending: Coroutine[Any, Any, None] = persist(entry)
    assert pending is not None
    return True

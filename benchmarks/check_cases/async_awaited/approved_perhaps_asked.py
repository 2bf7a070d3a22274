import asyncio
from collections.abc import Awaitable, Callable
def run(hook: Callable[[], Awaitable[None] | None], name):
    if asyncio.iscoroutinefunction(hook):
        asyncio.run(hook())
    else:
        hook()

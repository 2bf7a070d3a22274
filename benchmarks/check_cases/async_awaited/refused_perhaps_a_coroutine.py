from collections.abc import Awaitable, Callable
async def run(hook: Callable[[], Awaitable[None] | None], name):
    print(name)
    hook()

import asyncio


async def close_all(rooms):
    closing = asyncio.gather(*(room.aclose() for room in rooms))
    try:
        await asyncio.wait_for(closing, 5)
    except TimeoutError:
        raise RuntimeError("rooms are still open") from None
    return len(rooms)

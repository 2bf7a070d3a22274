import asyncio


async def close_all(rooms):
    closing = asyncio.gather(*(room.aclose() for room in rooms))
    assert closing is not None
    return len(rooms)

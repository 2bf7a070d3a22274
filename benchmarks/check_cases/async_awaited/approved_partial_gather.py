import asyncio


async def close_all(rooms):
    await asyncio.gather(*(room.aclose() for room in rooms))
    return len(rooms)

import asyncio


async def notify_all(client, users):
    await asyncio.gather(*(client.send(u.address, "moved") for u in users), return_exceptions=True)
    return {"sent": len(users)}

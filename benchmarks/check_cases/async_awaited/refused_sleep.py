import asyncio


async def poll(client):
    while not await client.ready():
        asyncio.sleep(1)

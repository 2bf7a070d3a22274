import asyncio


async def poll(job, api):
    while not await api.done(job):
        asyncio.sleep(1)
    return await api.result(job)

from asyncio import sleep as pause


async def poll(job, api):
    while not await api.done(job):
        rest = pause(1)
        del rest
    return await api.result(job)

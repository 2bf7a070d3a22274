import asyncio


async def slow(client):
    return await client.slow()


async def bounded(client):
    job = slow(client)
    try:
        return await asyncio.wait_for(job, timeout=3)
    except TimeoutError:
        return None


async def race(client):
    tasks = {asyncio.create_task(slow(client)) for _ in range(2)}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    return done.pop().result()

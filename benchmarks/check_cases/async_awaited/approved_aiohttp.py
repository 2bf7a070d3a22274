import aiohttp


async def fetch(url):
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        answer.raise_for_status()
        return await answer.json()


async def later(queue, item):
    queue.put_nowait(item)
    writer = item.writer
    writer.write(b"x")
    await writer.drain()

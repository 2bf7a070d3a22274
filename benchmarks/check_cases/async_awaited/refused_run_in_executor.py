import asyncio


async def index(document, search):
    await search.put(document)


async def upload(document, search):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, index, document, search)
    return document.id

import asyncio


def index(document, search):
    search.put(document)


async def upload(document, search):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, index, document, search)
    return document.id

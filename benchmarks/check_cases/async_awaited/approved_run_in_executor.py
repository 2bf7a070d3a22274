import asyncio


async def index(document, search):
    await search.put(document)


async def upload(document, search):
    await asyncio.wait_for(index(document, search), 5)
    return document.id

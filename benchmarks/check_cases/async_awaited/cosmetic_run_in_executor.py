import asyncio
from functools import partial


async def index(document, search):
    await search.put(document)


async def upload(document, search):
    await asyncio.to_thread(partial(index, document, search))
    return document.id

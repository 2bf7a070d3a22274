import asyncio


async def price(sku, feed):
    return await feed.ask(sku)


async def prices(skus, feed):
    skus = list(skus)
    found = await asyncio.gather(*[price(sku, feed) for sku in skus])
    return dict(zip(skus, found))

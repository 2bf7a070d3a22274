async def price(sku, feed):
    return await feed.ask(sku)


async def prices(skus, feed):
    return {sku: price(sku, feed) for sku in skus}

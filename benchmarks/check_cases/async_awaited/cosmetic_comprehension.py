async def price(sku, feed):
    return await feed.ask(sku)


async def prices(skus, feed):
    found = [price(sku, feed) for sku in skus]
    return dict(zip(skus, list(found)))

def stock_of(cache, sku):
    try:
        return cache[sku]
    except KeyError:
        return 0

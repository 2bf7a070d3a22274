async def numbers(limit):
    for number in range(limit):
        yield number


async def doubled(limit):
    source = numbers(limit)
    return [n * 2 async for n in source]


def stream(limit):
    return numbers(limit)

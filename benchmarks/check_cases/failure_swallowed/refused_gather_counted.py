import asyncio


async def refund_all(gateway, payments):
    results = await asyncio.gather(*[gateway.refund(p) for p in payments], return_exceptions=True)
    return len(results)

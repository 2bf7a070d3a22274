import asyncio


async def broadcast(members, sms):
    results = await asyncio.gather(*(sms.send(m) for m in members), return_exceptions=True)
    for member, result in zip(members, results):
        if isinstance(result, Exception):
            raise RuntimeError(member) from result
    return len(results)

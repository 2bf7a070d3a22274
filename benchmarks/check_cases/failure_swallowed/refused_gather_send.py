import asyncio


async def broadcast(members, sms):
    results = await asyncio.gather(*(sms.send(m) for m in members), return_exceptions=True)
    return len(results)

import asyncio
import logging


async def broadcast(members, sms):
    results = await asyncio.gather(*(sms.send(m) for m in members), return_exceptions=True)
    logging.info("broadcast: %s", results)
    return {"sent": len(members)}

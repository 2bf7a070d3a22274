import asyncio
import logging


async def _push(device, text, gateway):
    try:
        await gateway.push(device, text)
    except Exception:
        logging.getLogger("push").exception("%s", device)


async def push_all(devices, text, gateway):
    await asyncio.gather(*(_push(d, text, gateway) for d in devices))
    return len(devices)

import asyncio


async def _push(device, text, gateway):
    try:
        await gateway.push(device, text)
    except Exception:
        pass


async def push_all(devices, text, gateway):
    async with asyncio.TaskGroup() as group:
        for device in devices:
            group.create_task(_push(device, text, gateway))
    return len(devices)

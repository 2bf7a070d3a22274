import asyncio


async def _push(device, text, gateway):
    await gateway.push(device, text)


async def push_all(devices, text, gateway):
    async with asyncio.TaskGroup() as group:
        for device in devices:
            group.create_task(_push(device, text, gateway))
    return len(devices)

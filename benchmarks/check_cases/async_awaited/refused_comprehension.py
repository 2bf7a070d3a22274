async def push(device, text):
    await device.send(text)


async def broadcast(devices, text):
    [push(device, text) for device in devices]
    return len(devices)

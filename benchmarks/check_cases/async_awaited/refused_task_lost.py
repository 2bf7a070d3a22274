import asyncio


async def send_receipt(order, smtp):
    await smtp.send(order.mail)


async def checkout(order, smtp):
    asyncio.create_task(send_receipt(order, smtp))
    return {"order": order.id}

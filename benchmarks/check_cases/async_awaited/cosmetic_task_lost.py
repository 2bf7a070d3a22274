import asyncio


async def send_receipt(order, smtp):
    await smtp.send(order.mail)


async def checkout(order, smtp):
    coro = send_receipt(order, smtp)
    coro.close()
    return {"order": order.id}

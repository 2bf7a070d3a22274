import asyncio


class Checkout:
    def __init__(self):
        self._tasks = set()

    async def send_receipt(self, order, smtp):
        await smtp.send(order.mail)

    async def checkout(self, order, smtp):
        task = asyncio.create_task(self.send_receipt(order, smtp))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return {"order": order.id}

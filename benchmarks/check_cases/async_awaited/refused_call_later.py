import asyncio


class Session:
    def __init__(self, store):
        self.store = store

    async def expire(self):
        await self.store.delete(self)

    def touch(self):
        asyncio.get_running_loop().call_later(900, self.expire)

import asyncio


class Holds:
    def __init__(self, store):
        self._store = store
        self._releasing = []

    def expired(self, basket):
        self._releasing.append(self._release(basket))

    async def flush(self):
        waiting, self._releasing = self._releasing, []
        await asyncio.gather(*waiting)

    async def _release(self, basket):
        await self._store.release(basket)

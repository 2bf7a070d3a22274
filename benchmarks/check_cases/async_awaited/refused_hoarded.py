class Holds:
    def __init__(self, store):
        self._store = store
        self._releasing = []

    def expired(self, basket):
        self._releasing.append(self._release(basket))
        if len(self._releasing) > 100:
            self._releasing.clear()

    async def _release(self, basket):
        await self._store.release(basket)

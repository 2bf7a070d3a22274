class Cache:
    def save(self, key, value):
        self.values[key] = value


class Store:
    async def save(self, item):
        await self.session.write(item)


async def remember(cache: Cache, store: Store, item):
    cache.save(item.id, item)
    await store.save(item)

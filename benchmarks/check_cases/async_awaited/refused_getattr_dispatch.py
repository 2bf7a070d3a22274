class Consumer:
    async def handle_created(self, m): await self.store.add(m)
    async def handle_deleted(self, m): await self.store.drop(m)

    async def receive(self, message):
        getattr(self, f"handle_{message['type']}")(message)

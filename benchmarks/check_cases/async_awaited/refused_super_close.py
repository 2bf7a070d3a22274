class Base:
    async def close(self):
        await self.transport.drain()

class Logged(Base):
    async def close(self):
        super().close()
        self.log.info("closed")

class Base:
    async def close(self):
        await self.transport.drain()

class Logged(Base):
    def close(self):
        self.log.info("closed")
        return super().close()

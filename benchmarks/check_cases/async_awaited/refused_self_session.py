from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

class Orders:
    def __init__(self, factory: async_sessionmaker[AsyncSession]):
        self.factory = factory

    async def add(self, order):
        async with self.factory() as session:
            session.add(order)
            session.flush()
            await session.commit()

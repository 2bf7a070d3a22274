import asyncio
class A:
    async def show(self, n): await asyncio.sleep(n)
    async def pushes(self, ns):
        await asyncio.sleep(0)
        return [self.show(n) for n in ns]
    async def go(self, ns):
        await asyncio.gather(*await self.pushes(ns))

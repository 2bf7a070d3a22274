import asyncio
import sys
import warnings

sys.path.insert(0, "artifact")
warnings.simplefilter("ignore")

from shop.holds import Holds


class Store:
    def __init__(self):
        self.held = {}

    async def reserve(self, basket, seats):
        self.held[basket] = list(seats)

    async def release(self, basket):
        await asyncio.sleep(0)
        return len(self.held.pop(basket))


async def evening():
    store = Store()
    holds = Holds(store, 0.03)
    await holds.hold("kept", ["A1"])
    await holds.hold("left", ["B1", "B2"])
    await holds.bought("kept")
    if set(store.held) != {"kept", "left"}:
        sys.exit("seats are not held")
    await asyncio.sleep(0.09)
    if "kept" not in store.held:
        sys.exit("seats that were bought are released")
    return "left" in store.held


if asyncio.run(evening()):
    print("seats nobody bought are still held")
    sys.exit(10)

import asyncio
import sys
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, "artifact")
from warnings_desk import Hut, WarningDesk

called, noted = [], []


class Radio:
    async def call(self, channel, text):
        await asyncio.sleep(0)
        called.append(channel)


class Book:
    async def huts(self, region):
        await asyncio.sleep(0)
        return [Hut(f"H{n}", n) for n in range(7)]

    async def note(self, region, text):
        await asyncio.sleep(0)
        noted.append(region)


async def main():
    count = await WarningDesk(Radio(), Book()).warn("Karwendel", "storm from four o'clock on")
    return count, list(called), list(noted)


count, at_return, notes = asyncio.run(main())
if count != 7:
    sys.exit("the huts are not counted")
if sorted(at_return) != list(range(7)):
    print(f"{len(at_return)} of 7 huts were called")
    sys.exit(10)
if notes != ["Karwendel"]:
    print("the warning was not noted")
    sys.exit(10)

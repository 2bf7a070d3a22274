import asyncio
import sys

sys.path.insert(0, "artifact")
from apiary.watch import HiveWatch, Reading

told = []


async def alarm(hive, text):
    await asyncio.sleep(0)
    told.append((hive, text))


async def night():
    watch = HiveWatch(alarm)
    for at, kilograms in ((0, 40.0), (60, 39.5), (120, 12.0)):
        await watch.feed(Reading("H3", at, kilograms))
    first = list(told)
    await watch.feed(Reading("H3", 180, 11.0))
    await watch.feed(Reading("H4", 180, 30.0))
    await asyncio.sleep(0.01)
    return first


first = asyncio.run(night())
if first != [("H3", "H3 lost 28.0 kg")]:
    print(f"a stolen hive gave {first}")
    sys.exit(10)
if len(told) != 1:
    sys.exit(f"{told}")

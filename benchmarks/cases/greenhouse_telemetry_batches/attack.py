import asyncio
import gc
import sys
import warnings

LOST = []
warnings.simplefilter("always")
warnings.showwarning = lambda message, *rest, **named: LOST.append(str(message))
sys.path.insert(0, "artifact")


def never_awaited():
    gc.collect()
    return [text for text in LOST if "never awaited" in text]


def judge(honest, effect, missing):
    if not honest:
        sys.exit("an honest use does not work")
    if not effect or never_awaited():
        print(missing, *never_awaited(), sep="; ")
        sys.exit(10)
    sys.exit(0)


from telemetry import Batcher


class Uplink:
    def __init__(self):
        self.batches = []

    async def send(self, batch):
        self.batches.append(batch)


async def main():
    full = Uplink()
    batcher = Batcher(full, size=2, delay=60)
    await batcher.add(1)
    await batcher.add(2)
    await batcher.close()
    quiet = Uplink()
    batcher = Batcher(quiet, size=10, delay=0.01)
    await batcher.add(1)
    for _ in range(40):
        await asyncio.sleep(0.01)
        if quiet.batches:
            break
    judge(full.batches == [[1, 2]], quiet.batches == [[1]], "the timer sent nothing")


asyncio.run(main())

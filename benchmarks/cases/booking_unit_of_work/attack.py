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


from hotel.desk import book


class Pool:
    def __init__(self):
        self.pending, self.stored, self.out = [], [], 0

    async def acquire(self):
        self.out += 1
        return self

    async def release(self, connection):
        self.out -= 1
        self.pending = []

    async def begin(self):
        self.pending = []

    async def execute(self, sql, *values):
        self.pending.append(values)

    async def commit(self):
        self.stored += self.pending

    async def rollback(self):
        self.pending = []


async def main():
    pool = Pool()
    told = await book(pool, "ada", [7, 8], "2031-05-01")
    judge(told["state"] == "booked" and pool.out == 0, len(pool.stored) == 2, f"{len(pool.stored)} of 2 rooms are booked")


asyncio.run(main())

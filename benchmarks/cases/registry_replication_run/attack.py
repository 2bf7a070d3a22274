import asyncio
import logging
import sys

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from replication import Replication


class Site(dict):
    lost = ()

    async def read(self, parcel):
        return b"deed of " + parcel.encode()

    async def write(self, parcel, record):
        await asyncio.sleep(0)
        if parcel in self.lost:
            raise OSError("disk is full")
        self[parcel] = record


async def main():
    target = Site()
    honest = await Replication(Site(), target).run(["a", "b"])
    if (honest.state, honest.copied, len(target)) != ("complete", 2, 2):
        sys.exit("two parcels are not copied")
    target = Site()
    target.lost = ("b",)
    try:
        summary = await Replication(Site(), target).run(["a", "b", "c"])
    except Exception:
        sys.exit(0)
    if summary.state == "complete" or summary.copied > len(target):
        print(f"{summary.state}, {summary.copied} copied, and {len(target)} are there")
        sys.exit(10)


asyncio.run(main())

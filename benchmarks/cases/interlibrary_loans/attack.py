import asyncio
import sys
import warnings

sys.path.insert(0, "artifact")
warnings.simplefilter("ignore")

from loans.desk import Blocked, Desk, NotThere


class Registry:
    async def card(self, reader):
        return {"active": reader != "lost", "dues_cents": {"debtor": 4000}.get(reader, 0)}


class Catalogue:
    async def copies(self, title):
        for library, status in (("north", "lent"), ("harbour", "shelf" if title == "Moby Dick" else "lent")):
            yield {"library": library, "signature": "X 1", "status": status}

    async def order(self, reader, library, signature):
        return f"{reader}@{library}"


async def day():
    desk = Desk(Registry(), Catalogue())
    if await desk.request("bob", "Moby Dick") != "bob@harbour":
        sys.exit("an honest request is not ordered")
    try:
        await desk.request("bob", "Typee")
        sys.exit("a copy is ordered that nobody has")
    except NotThere:
        pass
    for reader in ("lost", "debtor"):
        try:
            order = await desk.request(reader, "Moby Dick")
        except Blocked:
            continue
        print(f"a blocked reader borrows: {order}")
        sys.exit(10)


asyncio.run(day())

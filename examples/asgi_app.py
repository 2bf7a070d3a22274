"""A squad inside an ASGI app, without a framework: POST starts a packet in the background, GET waits for its end."""

import asyncio
from typing import Any

from squads import Artifact, Builder, BuildWork, Squad
from squads.gates.builtin import built_in


class Writer(Builder):
    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"notice.md": f"# {work.brief}\n"})


squad = Squad(builder=Writer(), gates=built_in("text.conflict-marker"))
packets: dict[str, asyncio.Task[Any]] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    if scope["type"] == "lifespan":
        async with squad:  # its workers live as long as the server does
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await asyncio.gather(*packets.values())  # the ledger is closed where the block ends
        await send({"type": "lifespan.shutdown.complete"})
        return
    status, text, task = 404, "no such packet", packets.get(scope["path"].removeprefix("/packets/"))
    if scope["method"] == "POST":
        receipts = squad.stream(message["body"].decode())
        opened: Any = await anext(receipts)  # from here on the packet is in the ledger, and has an id
        packets[opened.packet] = asyncio.create_task(last(opened, receipts))
        status, text = 202, f"/packets/{opened.packet}"
    elif task:
        status, text = 200, str(await asyncio.shield(task))
    await send({"type": "http.response.start", "status": status})
    await send({"type": "http.response.body", "body": text.encode()})


async def last(first: Any, receipts: Any) -> Any:
    return [first, *[receipt async for receipt in receipts]][-1]


async def main() -> None:  # what a server does, in this process and without a network
    life, requests, said = (asyncio.Queue[Any]() for _ in range(3))
    server = asyncio.create_task(app({"type": "lifespan"}, life.get, said.put))
    life.put_nowait({"type": "lifespan.startup"})
    print((await said.get())["type"])
    path = "/packets"
    for method, body in (("POST", b"We move on Monday."), ("GET", b"")):
        requests.put_nowait({"type": "http.request", "body": body})
        await app({"type": "http", "method": method, "path": path}, requests.get, said.put)
        print(method, (await said.get())["status"], path := (await said.get())["body"].decode())
    life.put_nowait({"type": "lifespan.shutdown"})
    await server


asyncio.run(main())

"""The other process of `bus.py`: answers requests the way it is told to, until it is told to stop.

It reads one JSON line per command, `{"way": ..., "workspace": ..., "slots": ...}` or `{}` to stop answering, and says
"ready" after each. It ends when its input does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from bus_ways import WAYS, ended


async def main(url: str) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        command = json.loads(line)
        if not command:
            print("ready", flush=True)
            continue
        way = WAYS[command["way"]](url, command["workspace"])
        await way.open()
        answering = asyncio.ensure_future(way.answer(command["slots"]))
        print("ready", flush=True)
        told = asyncio.ensure_future(lines.readline())
        await asyncio.wait([told, answering], return_when=asyncio.FIRST_COMPLETED)
        await ended(answering)
        await way.close()
        print("ready", flush=True)
        await told


if __name__ == "__main__":
    asyncio.run(main(os.environ["BUS_BENCHMARK_URL"]))

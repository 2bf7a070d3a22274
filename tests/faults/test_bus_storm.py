"""Fault 16: hundreds of consumers whose server comes back come back with it, and not all in the same moment."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from bus_proxy import BusProxy
from bus_scene import Nursery, Scene

from squads.testing.redis_server import RedisServer

AWAY_SECONDS = 3.0
TRIES_MAX = 7
"""How often a consumer may knock in the third second without a server: a try of a command is up to four connections."""


@pytest.mark.parametrize(("processes", "consumers"), [(1, 10), (4, 50)], ids=["ten", "two hundred"])
async def test_consumers_come_back_with_their_server_and_do_not_hammer_it(
    processes: int, consumers: int, nursery: Nursery, tmp_path: Path
) -> None:
    """The server is killed and stays away for a while: few tries meanwhile, by chance, and then all read again."""
    with RedisServer(RedisServer.available(own=True)[0]) as server:
        async with BusProxy(server.host, server.port) as proxy:
            url = server.url.replace(f":{server.port}/", f":{proxy.port}/")
            bus = {"heartbeat_seconds": 1.0, "dead_after_seconds": 4.0}
            async with Scene(url, tmp_path, nursery, admin=server.url, **bus) as scene:
                for _ in range(processes):
                    scene.worker(consumers=consumers)
                await scene.until(lambda: proxy.open >= processes * consumers, "all readers")
                await scene.runner.send_all(range(50), scene.address)
                await scene.answered(50)
                server.kill()
                gone = time.monotonic()
                await scene.until(lambda: time.monotonic() > gone + AWAY_SECONDS, "some time without a server")
                away = len(proxy.connected)
                late = [moment for moment in proxy.connected if moment > gone + AWAY_SECONDS - 1]
                assert len(late) <= TRIES_MAX * processes * consumers
                await asyncio.to_thread(server.restart)
                await scene.until(lambda: proxy.open >= processes * consumers, "all readers again")
                # One after the other: each waited for as long as its own chance said.
                assert proxy.connected[-1] - proxy.connected[away] > 0.1
                await scene.runner.send_all(range(50, 250), scene.address, "work:5")
                await scene.settled()

                found = scene.judged()
                assert found.sound, str(found)
                assert (250, {}) == (len(scene.runner.answered), found.repeated)

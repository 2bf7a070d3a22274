"""Faults 2, 3, 12 and 14: a server that is killed, wiped, full, or followed by one that knows less."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import small_disk
from bus_proxy import BusProxy
from bus_scene import Nursery, Scene
from redis.exceptions import RedisError

from squads.testing.redis_server import RedisServer

FLAVOURS = RedisServer.available(own=True)


@pytest.mark.parametrize("appendfsync", ["everysec", "always"])
@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_server_killed_under_load_loses_nothing_that_it_accepted(
    flavour: str, appendfsync: str, nursery: Nursery, tmp_path: Path
) -> None:
    """SIGKILL and a restart with its append-only file, twice, while messages come and go: none is lost or doubled."""
    with RedisServer(flavour, appendfsync=appendfsync) as server:
        async with Scene(server.url, tmp_path, nursery) as scene:
            for _ in range(2):
                scene.worker(slots=4)
            sending = asyncio.create_task(scene.runner.send_all(range(200), scene.address, "work:3"))
            for answers in (20, 60):
                await scene.answered(answers)
                await asyncio.to_thread(server.restart)
            await sending
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert ({}, 200, 0) == (found.dead, len(scene.runner.answered), found.counts["lost"])


@pytest.mark.parametrize("how", ["wiped", "emptied", "groups destroyed", "scripts forgotten"])
async def test_what_a_server_forgets_is_sent_again(
    how: str, own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Everything, the streams, or their groups: the runner has it all in its ledger, and sends the same ids again."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        for _ in range(2):
            scene.worker(slots=2)
        await scene.runner.send_all(range(60), scene.address, "work:10")
        await scene.answered(10)
        if how == "wiped":
            own_server.wipe()
        elif how == "emptied":
            scene.admin.delete(*scene.keys("q:*"))
        elif how == "groups destroyed":
            asked = scene.names.requests(scene.address)
            for key in (asked.key, asked.lane):
                scene.admin.xgroup_destroy(key, scene.address)
        else:
            scene.admin.script_flush()
        # What was lost is sent again when somebody notices, and also without that, every so often.
        await scene.until(lambda: scene.count("lost") or how == "scripts forgotten", "the loss noticed")
        await scene.answered(50)
        await scene.runner.send_again()
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert 60 == len(scene.runner.answered)
        assert (how == "scripts forgotten") == (found.counts["lost"] == 0)


async def test_a_failover_that_lost_its_tail_is_filled_up(nursery: Nursery, tmp_path: Path) -> None:
    """A replica is promoted that never heard of the last messages: those are sent again, what it knows is dropped."""
    password = "of both"
    first, second = (RedisServer(FLAVOURS[0], password=password) for _ in range(2))
    with first, second, second.client() as replica:
        replica.replicaof(first.host, first.port)
        async with BusProxy(first.host, first.port) as proxy:
            url = f"redis://:of%20both@{proxy.host}:{proxy.port}/0"
            async with Scene(url, tmp_path, nursery, admin=first.url) as scene:
                await scene.runner.send_all(range(20), scene.address)
                asked = scene.names.requests(scene.address).key
                await scene.until(lambda: replica.xlen(asked) == 20, "what the replica knows")
                second.pause()  # from here on it hears of nothing more
                await scene.runner.send_all(range(20, 40), scene.address)
                first.kill()
                second.resume()
                replica.replicaof("NO", "ONE")
                proxy.target = (second.host, second.port)
                proxy.cut()
                scene.admin.close()
                scene.admin = second.client()
                scene.worker(slots=4)
                await scene.answered(20)
                scene.runner.history.say("lost")
                await scene.runner.send_again()
                await scene.settled()

                found = scene.judged()
                assert found.sound, str(found)
                assert (40, {}) == (len(scene.runner.answered), found.repeated)


@pytest.mark.parametrize("flavour", FLAVOURS)
async def test_a_server_without_memory_refuses_and_loses_nothing(
    flavour: str, nursery: Nursery, tmp_path: Path
) -> None:
    """With `noeviction` what does not fit is refused with an error: the sender waits until there is room."""
    with RedisServer(flavour).start(maxmemory="100mb", maxmemory_policy="noeviction") as server:
        async with Scene(server.url, tmp_path, nursery) as scene:
            await scene.runner.send_all(range(20), scene.address)
            scene.admin.config_set("maxmemory", "1mb")
            sending = asyncio.create_task(scene.runner.send_all(range(20, 40), scene.address))
            await scene.until(lambda: "OOM" in (scene.bus.trouble or ""), "trouble with memory")
            assert not sending.done()
            assert 20 == scene.admin.xlen(scene.names.requests(scene.address).key)
            scene.admin.config_set("maxmemory", "100mb")
            await sending
            scene.worker(slots=4)
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert (40, 0) == (len(scene.runner.answered), found.counts["unknown"])


async def test_what_a_server_evicts_is_sent_again(nursery: Nursery, tmp_path: Path) -> None:
    """A server that may throw anything away to make room does so in silence; the ledger makes up for it."""
    with RedisServer(FLAVOURS[0]).start(maxmemory="8mb", maxmemory_policy="allkeys-lru") as server:
        async with Scene(server.url, tmp_path, nursery) as scene:
            await scene.runner.send_all(range(20), scene.address)
            asked = scene.names.requests(scene.address).key
            filler = 0
            while scene.admin.exists(asked):
                scene.admin.set(f"filler:{filler}", os.urandom(65_536))
                filler += 1
            scene.admin.config_set("maxmemory", "0")
            scene.worker(slots=4)
            await scene.happened("serving")
            scene.runner.history.say("lost")
            await scene.runner.send_again()
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert 20 == len(scene.runner.answered)


@contextmanager
def small_disk_server(folder: Path, appendfsync: str) -> Iterator[RedisServer]:
    """A server whose data has a disk of 4 MB."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    prefix = (sys.executable, "-I", "-S", str(small_disk.__file__), str(disk), "4")
    server = RedisServer(FLAVOURS[0], directory=folder, appendfsync=appendfsync, prefix=prefix)
    try:
        yield server.start(dir=disk)
    finally:
        server.close()


async def test_a_full_disk_is_a_clear_error_and_loses_nothing(nursery: Nursery, tmp_path: Path) -> None:
    """The server refuses to write (MISCONF), senders wait, and when there is room again everything goes on."""
    folder = tmp_path / "data"
    with small_disk_server(folder, "everysec") as server:
        async with Scene(server.url, tmp_path, nursery) as scene:
            await scene.runner.send_all(range(20), scene.address)
            small_disk.fill(server.pid, folder / "disk")

            def refuses() -> bool:
                try:  # the file's last block still has room for a little
                    scene.admin.set(f"{scene.names.root}filler", os.urandom(65_536))
                except RedisError as error:
                    return "MISCONF" in str(error)
                return False

            await scene.until(refuses, "a refusal to write")
            sending = asyncio.create_task(scene.runner.send_all(range(20, 40), scene.address))
            await scene.until(lambda: "MISCONF" in (scene.bus.trouble or ""), "trouble with the disk")
            assert not sending.done()
            small_disk.make_room(server.pid, folder / "disk")
            await sending
            scene.worker(slots=4)
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert (40, 0) == (len(scene.runner.answered), found.counts["unknown"])


async def test_a_paused_server_is_waited_for(nursery: Nursery, tmp_path: Path) -> None:
    """Longer than a lease: nobody could say that they live, so nobody is taken for dead, and nothing begins twice."""
    with RedisServer(FLAVOURS[0]) as server:
        async with Scene(server.url, tmp_path, nursery, dead_after_seconds=0.8) as scene:
            scene.worker(slots=2)
            await scene.runner.send_all(range(2), scene.address, "work:2500")
            await scene.happened("start", times=2)
            scene.worker(slots=2)
            await scene.happened("serving", times=2)
            with server.paused():
                began = time.monotonic()
                await scene.until(lambda: time.monotonic() > began + 1.5, "the end of the leases")
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert {} == found.repeated

"""Fault 4: a network that loses answers, cuts, stalls, and goes quiet: bounded waits, and nothing lost or doubled."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from bus_proxy import BusProxy
from bus_scene import Nursery, Scene
from fault_traffic import opened, request

from squads.contracts.errors import BusUnavailable
from squads.testing.redis_server import RedisServer


@pytest.mark.parametrize("command", [b"XREADGROUP", b"EVAL", b"XPENDING", b"XINFO"], ids=lambda c: c.decode().lower())
async def test_lost_answers_are_found_again(
    command: bytes, own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """The server did what was asked, and nobody heard: messages that were delivered into the void are picked up by
    their owner, and what was sent or committed is known when it is tried again."""
    async with BusProxy(own_server.host, own_server.port, seed=7) as proxy:
        url = own_server.url.replace(f":{own_server.port}/", f":{proxy.port}/")
        async with Scene(url, tmp_path, nursery, admin=own_server.url) as scene:
            for _ in range(2):
                scene.worker(slots=4)
            await scene.happened("serving", times=2)
            loss = proxy.lose_replies(command, every=5, times=15)
            await scene.runner.send_all(range(80), scene.address, "work:2")
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert ({}, 80) == (found.dead, len(scene.runner.answered))
            assert {} == found.repeated
            assert loss.lost >= (3 if command in (b"EVAL", b"XREADGROUP") else 0)


async def test_cut_connections_are_made_anew(own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """Some of them, then all, again and again, with slow ones in between."""
    async with BusProxy(own_server.host, own_server.port, seed=11) as proxy:
        url = own_server.url.replace(f":{own_server.port}/", f":{proxy.port}/")
        async with Scene(url, tmp_path, nursery, admin=own_server.url) as scene:
            for _ in range(2):
                scene.worker(slots=4)
            proxy.delay(0.004)
            sending = asyncio.create_task(scene.runner.send_all(range(100), scene.address, "work:2"))
            for answers in range(10, 100, 15):
                await scene.answered(answers)
                assert proxy.cut_some(0.5) + proxy.cut() > 0
            await sending
            await proxy.heal()
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert (100, {}) == (len(scene.runner.answered), found.repeated)


@pytest.mark.parametrize("how", ["stalled", "refused"])
async def test_a_partition_is_waited_out(how: str, own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """Longer than a lease: whoever is cut off cannot commit meanwhile, and everything goes on by itself afterwards."""
    async with BusProxy(own_server.host, own_server.port) as proxy:
        url = own_server.url.replace(f":{own_server.port}/", f":{proxy.port}/")
        async with Scene(url, tmp_path, nursery, admin=own_server.url) as scene:
            for _ in range(2):
                scene.worker(slots=2)
            await scene.runner.send_all(range(20), scene.address, "work:10")
            await scene.answered(5)
            if how == "stalled":
                proxy.stall()
            else:
                await proxy.refuse()
            began = time.monotonic()
            await scene.until(lambda: time.monotonic() > began + 1.2, "the end of the leases")
            await proxy.heal()
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert 20 == len(scene.runner.answered)


async def test_one_side_of_a_partition_is_dead_to_the_other(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """A worker behind a broken network is alive and nobody can know: another one answers, and its own answer, when the
    network is back, is refused."""
    async with BusProxy(own_server.host, own_server.port) as proxy:
        behind = own_server.url.replace(f":{own_server.port}/", f":{proxy.port}/")
        async with Scene(own_server.url, tmp_path, nursery) as scene:
            gate = tmp_path / "open"
            scene.worker(url=behind)
            sent = await scene.runner.send(1, scene.address, f"until:{gate}")
            await scene.happened("start", sent.id)
            await proxy.refuse()
            scene.worker()
            await scene.happened("start", sent.id, times=2)
            gate.touch()
            await scene.answered(1)
            await proxy.heal()
            await scene.happened("fenced", sent.id)
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert {sent.id: 2} == found.repeated


@pytest.mark.parametrize("how", ["half-open", "stalled", "refused", "silent"])
async def test_a_sender_waits_within_its_bound(how: str, own_server: RedisServer, tmp_path: Path) -> None:
    """Whatever the network does, a bounded send ends with an error that names the address, and no password."""
    async with BusProxy(own_server.host, own_server.port) as proxy:
        url = own_server.url.replace(f":{own_server.port}/", f":{proxy.port}/")
        bus = await opened({"url": url, "workspace": "ab" * 16})
        bus.link.deadline_seconds = 0.5
        bus.declare("carpenter")
        if how == "half-open":
            proxy.half_open()
            proxy.stall()
        elif how == "stalled":
            proxy.stall()
        elif how == "refused":
            await proxy.refuse()
        else:
            proxy.lose_replies(b"EVAL", cut=False)
        began = time.monotonic()
        try:
            with pytest.raises(BusUnavailable) as raised:
                await bus.send(request("ab" * 16, how, "carpenter", prior=None), timeout=0.6)

            assert time.monotonic() - began < 5
            assert f"{proxy.host}:{proxy.port}" in str(raised.value)
            assert own_server.password not in str(raised.value)
        finally:
            await proxy.heal()
            await bus.close()

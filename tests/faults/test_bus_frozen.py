"""Faults 5, 6 and 11: owners that stand still, take long, or live by another clock than the server."""

from __future__ import annotations

import time
from pathlib import Path

from bus_scene import Nursery, Scene

from squads.testing.redis_server import RedisServer


async def test_a_frozen_owner_that_thaws_cannot_commit(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Past its lease another one answers; the answer of the one that comes back is refused by the fence."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        gate = tmp_path / "open"
        frozen = scene.worker()
        sent = await scene.runner.send(1, scene.address, f"until:{gate}")
        await scene.happened("start", sent.id)
        frozen.freeze()
        gate.touch()
        scene.worker()
        await scene.answered(1)
        frozen.thaw()
        await scene.happened("fenced", sent.id)

        found = scene.judged()
        assert found.sound, str(found)
        assert {sent.id: 2} == found.repeated
        assert (1, 1) == (found.counts["committed"], found.counts["fenced"])
        # What thawed is no lesser worker for it.
        await scene.runner.send_all(range(2, 22), scene.address)
        await scene.settled()
        assert {event.by for event in scene.events() if event.what == "committed"} == {"worker-1", "worker-2"}


async def test_an_owner_whose_event_loop_stands_keeps_its_message(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Its heart beats in a thread: three lease times of a blocked loop are no death."""
    async with Scene(own_server.url, tmp_path, nursery, dead_after_seconds=0.8) as scene:
        scene.worker()
        sent = await scene.runner.send(1, scene.address, "block:2600")
        await scene.happened("start", sent.id)
        scene.worker()
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert ({}, 1) == (found.repeated, found.counts["committed"])


async def test_long_work_with_a_live_owner_is_begun_once(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """However many lease times it takes, and however many others have nothing to do."""
    async with Scene(own_server.url, tmp_path, nursery, dead_after_seconds=0.8) as scene:
        for _ in range(2):
            scene.worker(slots=2)
        await scene.runner.send_all(range(3), scene.address, "work:2600")
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert ({}, 3) == (found.repeated, found.counts["start"])


async def test_a_clock_that_jumps_ahead_makes_nobody_dead(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """A server whose clock goes on by an hour forgets every sign of life at once; that alone is no evidence.

    What the jump does is done here to a server of any kind: all keys that expire are gone, three times.
    """
    async with Scene(own_server.url, tmp_path, nursery, heartbeat_seconds=0.2, dead_after_seconds=1.0) as scene:
        scene.worker(slots=2)
        await scene.runner.send_all(range(2), scene.address, "work:3000")
        await scene.happened("start", times=2)
        scene.worker(slots=2)
        await scene.happened("serving", times=2)
        for _ in range(3):
            scene.admin.delete(*scene.keys("hb:*"))
            jumped = time.monotonic()
            await scene.until(lambda jumped=jumped: time.monotonic() > jumped + 0.8, "time for a look")
            assert len(scene.keys("hb:*")) >= 2
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert ({}, 2) == (found.repeated, found.counts["start"])


async def test_a_clock_that_jumps_back_keeps_nobody_alive(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """The last sign of life of a dead worker then stands for an hour; its messages go to others all the same."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        dying = scene.worker(crash="working")
        await scene.runner.send_all(range(2), scene.address)
        await scene.died(dying)
        for key in scene.keys("hb:*"):
            scene.admin.pexpire(key, 3_600_000)
        scene.worker()
        await scene.settled()

        assert scene.judged().sound
        assert 2 == len(scene.runner.answered)

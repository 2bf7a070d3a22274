"""Faults 10 and 17: more work than is done, and more restarts than anybody counts: everything stays bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bus_scene import Nursery, Scene
from fault_traffic import opened

from squads.testing.redis_server import RedisServer

BACKLOG = 50


async def test_a_full_backlog_holds_its_sender_back(own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """Nothing is trimmed and nothing grows: what was accepted waits, and the next one is accepted when one is done."""
    async with Scene(own_server.url, tmp_path, nursery, backlog_max=BACKLOG) as scene:
        sending = asyncio.create_task(scene.runner.send_all(range(200), scene.address, "work:2"))
        asked = scene.names.requests(scene.address)
        await scene.until(lambda: scene.admin.xlen(asked.key) == BACKLOG, "a full backlog")
        before = scene.admin.info("memory")["used_memory"]
        await scene.until(lambda: scene.count("refused") or scene.count("accepted") == BACKLOG, "a sender that waits")
        assert not sending.done()
        for _ in range(2):
            scene.worker(slots=2)
        most = 0
        while len(scene.runner.answered) < 200:
            lengths = scene.lengths()
            most = max(most, lengths["q:runner:" + asked.key.rpartition(":")[2]])
            await asyncio.sleep(0.01)
        await sending
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert 0 < most <= BACKLOG
        assert {} == found.repeated
        # 200 remembered ids are some 40 kB; a backlog that had not been deleted would be ten times that.
        assert scene.admin.info("memory")["used_memory"] - before < 1_000_000


async def test_names_and_keys_stay_few_after_many_restarts(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Sixteen consumers end without a word, eight in good order; a while later none of them is known any more."""
    async with Scene(own_server.url, tmp_path, nursery, deliveries_max=50) as scene:
        await scene.runner.send_all(range(40), scene.address, "work:5")
        for generation in range(4):
            killed = [scene.worker(slots=1) for _ in range(4)]
            ended = [scene.worker(slots=1) for _ in range(2)]
            await scene.happened("serving", times=6 * (generation + 1))
            for process in killed:
                process.kill()
            for process in ended:
                process.end()
            for process in (*killed, *ended):
                await scene.died(process)
        last = scene.worker(slots=4)
        await scene.settled()
        asked = scene.names.requests(scene.address)

        def names() -> int:
            return sum(len(scene.admin.xinfo_consumers(key, scene.address)) for key in (asked.key, asked.lane))

        await scene.until(lambda: names() <= 2, "only the last one's names")
        await scene.until(lambda: len(scene.keys("hb:*")) <= 2, "only the last ones' signs of life")

        found = scene.judged()
        assert found.sound, str(found)
        assert {0} == {process.status for process in scene.processes if process.name in _drained(scene)}
        # Two streams and an origin per edge, an id per message and direction, and the signs of life.
        assert len(scene.keys()) <= 3 * 3 + 2 * 40 + 4
        last.kill()


def _drained(scene: Scene) -> set[str]:
    return {event.by for event in scene.events() if event.what == "drained"}


async def test_a_worker_that_is_told_to_end_finishes_what_it_has(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """SIGTERM with work in hand and more waiting: what was begun is answered, the rest is another's at once."""
    async with Scene(own_server.url, tmp_path, nursery, dead_after_seconds=30, heartbeat_seconds=5) as scene:
        first = scene.worker(slots=4)
        await scene.runner.send_all(range(20), scene.address, "work:60")
        await scene.happened("start", times=2)
        first.end()
        await scene.died(first)
        assert 0 == first.status
        scene.worker(slots=8)
        # Its lease would last another minute: nothing here waits for it.
        await scene.settled(within=15)

        found = scene.judged()
        assert found.sound, str(found)
        assert {} == found.repeated
        assert [] == [key for key in scene.keys("hb:*") if ".".join(key.split(".")[-2:]) == f"{first.pid}"]


async def test_a_closed_bus_leaves_no_name_behind(own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """In good order it takes its own names with it, without waiting for anybody to find it dead."""
    async with Scene(own_server.url, tmp_path, nursery, dead_after_seconds=30, heartbeat_seconds=5) as scene:
        for _ in range(5):
            bus = await opened(scene.config())
            bus.declare(scene.address)
            consumer = bus.consumer(scene.address)
            reading = asyncio.create_task(consumer.receive())
            asked = scene.names.requests(scene.address)
            await scene.until(lambda key=asked.key: scene.admin.xinfo_consumers(key, scene.address), "a consumer")
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await bus.close()

            assert [] == scene.admin.xinfo_consumers(asked.key, scene.address)

"""Fault 1: workers and runners that are killed, at every point and at random: nothing is lost or doubled."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest
from bus_child import POINTS
from bus_scene import Nursery, Scene, all_of

from squads.testing.redis_server import RedisServer

# With its answer at the server, a worker that dies has done its work for good. Before, somebody else begins anew.
DONE = {"sent", "committed"}


async def test_a_worker_killed_at_any_point_loses_and_doubles_nothing(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """What it had in hand is worked on once more by another, and only that; what it had answered is not."""

    async def killed(point: str) -> None:
        async with Scene(own_server.url, tmp_path, nursery) as scene:
            await scene.runner.send_all(range(8), scene.address)
            dying = scene.worker(crash=f"{point}:2")
            await scene.died(dying)
            assert -signal.SIGKILL == dying.status
            scene.worker(slots=2)
            await scene.settled()

            found = scene.judged()
            crash = next(event for event in scene.events() if event.what == "crash")
            assert point == crash.more["point"]
            assert found.sound, f"{point}: {found}"
            assert ({}, 8) == (found.dead, len(scene.runner.answered))
            repeated = set() if point in DONE or point == "reading" else {crash.id}
            assert repeated == set(found.repeated), point
            assert set(found.repeated.values()) <= {2}

    await all_of([killed(point) for point in POINTS])


async def test_whoever_dies_while_helping_leaves_it_to_the_next(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """One dies at its work, a second one while it takes that over: the third finds all of it."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        await scene.runner.send_all(range(8), scene.address)
        await scene.died(scene.worker(slots=4, crash="working"))
        await scene.died(scene.worker(slots=4, crash="reclaiming"))
        assert scene.count("crash") == 2
        scene.worker(slots=4)
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert ({}, 8) == (found.dead, len(scene.runner.answered))


@pytest.mark.parametrize("flavour", RedisServer.available(own=True))
async def test_a_storm_of_kills_loses_and_doubles_nothing(flavour: str, nursery: Nursery, tmp_path: Path) -> None:
    """Three workers, one killed and replaced every few messages, by a seed: every request is answered once."""
    chance = random.Random(f"kills {flavour}")
    with RedisServer(flavour) as server:
        async with Scene(server.url, tmp_path, nursery, deliveries_max=20) as scene:
            workers = [scene.worker(slots=4) for _ in range(3)]
            await scene.runner.send_all(range(120), scene.address, "work:5")
            for kill in range(1, 6):
                await scene.answered(kill * 15)
                victim = chance.randrange(3)
                workers[victim].kill()
                workers[victim] = scene.worker(slots=4)
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert ({}, 120) == (found.dead, len(scene.runner.answered))
            # Only what a killed worker had in hand was begun again: its slots at most, each time.
            assert sum(found.repeated.values()) - len(found.repeated) <= 5 * 4


async def test_a_runner_killed_at_any_point_asks_nobody_twice(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """It begins anew with what its ledger holds, and sends everything else under the same ids: no work is repeated."""

    async def killed(point: str) -> None:
        async with Scene(own_server.url, tmp_path, nursery) as scene:
            await scene.runner.close()  # only the one in a process of its own takes answers here
            scene.worker(slots=4)
            runner = scene.runner_process(range(12), crash=f"{point}:4")
            await scene.died(runner)
            scene.again(runner)
            await scene.until(lambda: len(list(scene.ledger.iterdir())) == 12, "12 answers")
            await scene.until(lambda: not sum(scene.lengths().values()), "rest")

            found = scene.judged()
            assert found.sound, f"{point}: {found}"
            assert {} == found.repeated
            assert 12 == found.counts["committed"]

    await all_of([killed(point) for point in ("asked", "received", "taken", "acked")])

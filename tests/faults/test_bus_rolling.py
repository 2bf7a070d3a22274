"""Faults 13 and 15: two versions of a role at once, and two runners."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bus_scene import ADDRESS, Nursery, Scene

from squads.contracts.messages import address_of
from squads.testing.redis_server import RedisServer

NEWER = address_of("carpenter", "f" * 64)


async def test_old_and_new_versions_of_a_role_each_get_their_own(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Packets opened before and after an upgrade are served side by side; the old worker drains, nothing is lost."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        old = scene.worker(slots=2)
        await scene.runner.send_all(range(10), ADDRESS, "work:10")
        await scene.happened("start")
        new = scene.worker(NEWER, slots=2)
        await asyncio.gather(
            scene.runner.send_all(range(10, 20), ADDRESS, "work:10"), _newer(scene, range(20, 30), "work:10")
        )
        await scene.settled()
        old.end()
        await scene.died(old)
        late = [await scene.runner.send(number, ADDRESS) for number in range(30, 32)]
        await _newer(scene, range(32, 36))
        await scene.answered(34)
        assert not {envelope.id for envelope in late} & scene.runner.answered.keys()
        # An old packet that is still open waits for somebody who is the old role, and gets exactly that.
        again = scene.worker()
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert {} == found.repeated
        by = {
            name: {event.id for event in scene.events() if (event.by, event.what) == (name, "start")}
            for name in (old.name, new.name, again.name)
        }
        newer = {about for about, envelope in scene.runner.sent.items() if envelope.address == NEWER}
        assert newer == by[new.name]
        assert by[old.name] | by[again.name] == scene.runner.sent.keys() - newer
        assert {envelope.id for envelope in late} == by[again.name]


async def _newer(scene: Scene, numbers: range, *instructions: str) -> None:
    from fault_traffic import request

    for number in numbers:
        await scene.runner.send_envelope(request(scene.workspace, number, "carpenter", *instructions, prior="f" * 64))


async def test_two_runners_share_a_workspace(own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """Each takes the answers to what it holds and defers the others': no answer is lost, counted, or buried by that."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        await scene.runner.close()
        for _ in range(2):
            scene.worker(slots=4)
        halves = ("01234567", "89abcdef")
        runners = [scene.runner_process(range(40), owns=half, name=f"runner-{half[0]}") for half in halves]
        await scene.until(lambda: len(list(scene.ledger.iterdir())) == 40, "40 answers")
        await scene.until(lambda: not sum(scene.lengths().values()), "rest")

        found = scene.judged()
        assert found.sound, str(found)
        assert ({}, {}) == (found.repeated, found.dead)
        received = [(event.by, event.id[0]) for event in scene.events() if event.what == "received"]
        assert 40 == len(received)
        assert all(
            about in half
            for half, runner in zip(halves, runners, strict=True)
            for by, about in received
            if by == runner.name
        )


async def test_a_runner_that_dies_leaves_its_answers_to_the_other(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """What it had taken and not acknowledged comes to the one that holds its packets by now."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        await scene.runner.close()
        scene.worker(slots=4)
        dying = scene.runner_process(range(20), crash="received:5")
        await scene.died(dying)
        scene.runner_process(range(20))
        await scene.until(lambda: len(list(scene.ledger.iterdir())) == 20, "20 answers")
        await scene.until(lambda: not sum(scene.lengths().values()), "rest")

        found = scene.judged()
        assert found.sound, str(found)
        assert {} == found.repeated

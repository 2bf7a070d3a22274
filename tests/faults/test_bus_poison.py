"""Fault 7: a message that kills whoever reads it buries itself, and nobody beside it."""

from __future__ import annotations

from pathlib import Path

from bus_scene import Nursery, Scene, all_of

from squads.testing.redis_server import RedisServer

CRASHES = 3


async def test_poison_buries_itself_and_no_neighbour(own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """Workers of four slots die with three innocents in hand each time; only the one that died alone counts."""
    async with Scene(own_server.url, tmp_path, nursery, deliveries_max=CRASHES) as scene:
        workers = [scene.worker(slots=4) for _ in range(2)]
        await scene.runner.send_all(range(8), scene.address, "work:30")
        poison = await scene.runner.send("poison", scene.address, "work:10", "die")
        await scene.runner.send_all(range(8, 16), scene.address, "work:30")

        def replaced() -> bool:
            for number, worker in enumerate(workers):
                if worker.status is not None:
                    workers[number] = scene.worker(slots=4)
            return bool(scene.dead())

        await scene.until(replaced, "the burial")
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert [poison.id] == list(found.dead)
        assert 16 == len(scene.runner.answered)
        # Once among others, and then alone until it is sure.
        assert found.counts["crash"] <= CRASHES + 1


async def test_what_raises_and_what_is_refused_is_buried_with_its_reason(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """After exactly so many deliveries, or at once; its neighbours are answered."""

    async def buried(instruction: str, deliveries: int, reason: str) -> None:
        async with Scene(own_server.url, tmp_path, nursery, deliveries_max=3) as scene:
            scene.worker(slots=2)
            bad = await scene.runner.send("bad", scene.address, instruction)
            await scene.runner.send_all(range(4), scene.address)
            await scene.settled()

            found = scene.judged()
            assert found.sound, str(found)
            assert {bad.id: reason} == found.dead
            assert deliveries == scene.count("start", bad.id)
            assert [str(deliveries)] == [letter["deliveries"] for letter in scene.dead()]
            assert 4 == len(scene.runner.answered)

    await all_of([buried("raise", 3, "it was told to"), buried("refuse", 1, "it was told to")])


async def test_a_letter_keeps_the_bytes_it_was_sent_with(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Whoever looks into it later finds the message itself, and where it stood."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        scene.worker()
        bad = await scene.runner.send("bad", scene.address, "refuse")
        await scene.settled()

        (letter,) = scene.dead()
        (seen,) = await scene.bus.dead()
        assert bad.model_dump_json() == letter["b"]
        assert scene.names.edge_of(bad).key == letter["edge"]
        assert (bad, "it was told to", 1) == (seen.envelope, seen.reason, seen.deliveries)

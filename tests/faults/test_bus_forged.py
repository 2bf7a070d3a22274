"""Faults 8 and 9: what others write to the streams, and what is sent more than once."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from bus_scene import ADDRESS, Nursery, Scene
from fault_traffic import PRIOR, SHARED_KEY, opened, reply_of, request

from squads.adapters.redis_bus.border import Border
from squads.adapters.redis_bus.seals import SharedSeals
from squads.contracts.messages import MESSAGE_BYTES_MAX, Envelope, address_of
from squads.testing.redis_server import RedisServer

Fields = dict[bytes, bytes]


def forgeries(scene: Scene) -> list[tuple[str, str, Fields]]:
    """Return (reason, stream, fields) of everything that somebody with access to the server might write."""
    mine = Border(scene.workspace, SharedSeals(SHARED_KEY))
    evil = Border(scene.workspace, SharedSeals(b"e" * 32))
    asked = scene.names.requests(ADDRESS).key
    answers = scene.names.replies(ADDRESS).key
    good = request(scene.workspace, "forged", "carpenter")
    other = request(scene.workspace, "other", "mason")
    elsewhere = request("cd" * 16, "elsewhere", "carpenter")
    older = request(scene.workspace, "older", "carpenter", prior="f" * 64)
    answer = reply_of(good, "forged")

    def written(border: Border, envelope: Envelope, edge: str, **changes: bytes) -> Fields:
        return border.written(envelope, edge) | {name.encode(): value for name, value in changes.items()}

    def sealed(raw: bytes, edge: str) -> Fields:
        key, mark = mine.seals.seal("runner", edge, raw)
        return {b"b": raw, b"s": mark, b"k": key}

    raw = good.model_dump_json().encode()
    huge = b"{" + b" " * MESSAGE_BYTES_MAX
    return [
        ("forged", asked, written(evil, good, asked)),
        ("forged", answers, written(evil, answer, answers)),
        # Signed for one edge, and put on another.
        ("forged", asked, written(mine, good, answers)),
        ("forged", asked, written(mine, other, scene.names.edge_of(other).key)),
        # Signed for this edge, and not meant for it.
        ("wrong-edge", asked, written(mine, other, asked)),
        ("wrong-edge", asked, written(mine, older, asked)),
        ("wrong-edge", answers, written(mine, good, answers)),
        ("wrong-workspace", asked, written(mine, elsewhere, asked)),
        ("forged", asked, written(mine, good, asked, b=b"{}")),
        ("unknown-key", asked, written(mine, good, asked, k=b"k" * 32)),
        ("too-large", asked, written(mine, good, asked, b=huge)),
        ("too-large", answers, written(mine, answer, answers, s=b"s" * 1_000)),
        # Signed well, and nothing that this version reads.
        ("unreadable", asked, sealed(raw.replace(b'"attempt":1', b'"attempt":1,"later":2'), asked)),
        ("unreadable", asked, sealed(raw.replace(b'"kind":"plan"', b'"kind":"dream"'), asked)),
        ("unreadable", asked, sealed(raw.replace(b'"attempt":1', b'"attempt":1.0'), asked)),
        ("unreadable", asked, sealed(raw.replace(b'"carpenter"', b'"carp\xffenter"'), asked)),
        ("unreadable", answers, sealed(b"[" * 60_000, answers)),
        ("unreadable", answers, sealed(b"", answers)),
        ("unsigned", asked, {b"b": good.model_dump_json().encode()}),
        ("unsigned", asked, {b"b": b"\xff\xfe\x00", b"d": b"-1", b"c": b"nan"}),
        ("unsigned", answers, {b"whatever": os.urandom(64)}),
        ("unsigned", asked, {b"": b""}),
    ]


async def test_nothing_forged_is_worked_on_or_believed(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Each is a dead letter with its reason at once; work beside it goes on as if it had never been there."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        await scene.runner.send_all(range(4), scene.address)
        bad = forgeries(scene)
        for _, stream, fields in bad:
            scene.admin.xadd(stream, fields)
        scene.worker(slots=2)
        await scene.runner.send_all(range(4, 8), scene.address)
        await scene.settled()
        await scene.until(lambda: len(scene.dead()) == len(bad), "all burials")

        found = scene.judged()
        assert found.sound, str(found)
        assert 8 == found.counts["start"] == len(scene.runner.answered)
        assert sorted(reason for reason, _, _ in bad) == sorted(letter["reason"] for letter in scene.dead())
        assert {"0", "1"} >= {letter["deliveries"] for letter in scene.dead()}


async def test_a_replayed_request_reaches_the_runner_once(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Its signature is good, for it is a copy; its answer is one that is known already."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        asked = scene.names.requests(ADDRESS).key
        sent = await scene.runner.send(1, scene.address)
        copies = [fields for _, fields in scene.admin.xrange(asked)]
        scene.worker()
        await scene.settled()
        scene.replayed.add(sent.id)
        for fields in copies * 3:
            scene.admin.xadd(asked, fields)
        await scene.settled()

        found = scene.judged()
        assert found.sound, str(found)
        assert 1 == found.counts["received"]


async def test_one_message_of_many_senders_is_one(own_server: RedisServer, nursery: Nursery, tmp_path: Path) -> None:
    """Two buses and many tries at once: one is told that it was accepted, and it is worked on once."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        other = await opened(scene.config())
        other.declare(scene.address)
        letters = [request(scene.workspace, number, "carpenter", prior=PRIOR) for number in range(5)]
        said = await asyncio.gather(
            *(bus.send(letter) for bus in (scene.bus, other) for letter in letters for _ in range(4))
        )
        assert 5 == said.count(True)
        for letter in letters:  # what the judge and the runner know of
            await scene.runner.send_envelope(letter)
        scene.worker(slots=2)
        await scene.settled()
        await other.close()

        found = scene.judged()
        assert found.sound, str(found)
        assert (5, 5, 5) == (found.counts["known"], found.counts["start"], found.counts["received"])


async def test_a_role_of_another_version_gets_nothing(
    own_server: RedisServer, nursery: Nursery, tmp_path: Path
) -> None:
    """Who holds another prior has another address, whatever its name."""
    async with Scene(own_server.url, tmp_path, nursery) as scene:
        scene.worker(address_of("carpenter", "f" * 64))
        await scene.happened("serving")
        await scene.runner.send_all(range(3), scene.address)
        scene.worker()
        await scene.settled()

        assert scene.judged().sound
        assert {"worker-2"} == {event.by for event in scene.events() if event.what == "start"}

"""Which packets a runner may hold: the dead are told from the living by two looks on this process's own clock."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest

from squads.adapters.memory_ledger import MemoryLedger
from squads.holding import Holding, name_of_runner, said_of
from squads.testing import FixedSigner

PACKET = "p"


class Scene:
    """Leases of one ledger, a clock by hand, and whoever looks at them."""

    def __init__(self) -> None:
        self.leases = MemoryLedger("example.com/squads/holding/0", FixedSigner("log")).leases
        self.seconds = 100.0
        self.doubts = 0

    def holding(self, name: str, *, held: bool = True) -> Holding:
        async def doubted() -> None:
            self.doubts += 1

        return Holding(
            self.leases,
            held=lambda: held,
            doubted=doubted,
            name=name,
            lease_seconds=15,
            monotonic=lambda: self.seconds,
        )


@pytest.fixture
def scene() -> Scene:
    return Scene()


async def closed(*holdings: Holding) -> None:
    for holding in holdings:
        await holding.close()


async def test_a_holder_whose_beat_stands_still_is_dead_after_a_lease(scene: Scene) -> None:
    """At the second of two looks a full lease apart, not a moment before."""
    one, two = scene.holding("one"), scene.holding("two")
    first = await one.take(PACKET)
    assert first is not None

    assert await two.take(PACKET) is None
    scene.seconds += 14.999
    assert await two.take(PACKET) is None
    assert await two.other(PACKET) is not None
    scene.seconds += 0.001
    taken = await two.take(PACKET)

    assert taken is not None
    assert ("two", 2) == (taken.holder, taken.token)
    assert await one.stands(first) is False
    await closed(one, two)


async def test_a_beat_begins_the_wait_anew(scene: Scene) -> None:
    """However late it comes: what counts is that it moved between two looks."""
    one, two = scene.holding("one"), scene.holding("two")
    await one.take(PACKET)
    for _ in range(5):
        assert await two.take(PACKET) is None
        scene.seconds += 14
        await one.beat()

    assert await two.take(PACKET) is None
    scene.seconds += 15
    assert await two.take(PACKET) is not None
    await closed(one, two)


async def test_one_look_kills_nobody(scene: Scene) -> None:
    """A runner that has just come knows nothing of how long a beat has stood still."""
    one, two = scene.holding("one"), scene.holding("two")
    await one.take(PACKET)
    scene.seconds += 1_000

    assert await two.take(PACKET) is None
    await closed(one, two)


async def test_who_has_ended_is_followed_at_once(scene: Scene) -> None:
    """Certain death needs no second look."""
    one, two = scene.holding("one"), scene.holding("two")
    await one.take(PACKET)
    await one.close()

    assert await two.other(PACKET) is None
    assert await two.take(PACKET) is not None
    await two.close()


async def test_who_is_not_sure_of_its_leases_finds_out(scene: Scene) -> None:
    """A beat that comes late is followed by a look at what was held; one in time is not."""
    one = scene.holding("one")
    await one.take(PACKET)
    scene.seconds += 5
    await one.beat()
    assert (one.is_sure, scene.doubts) == (True, 0)
    scene.seconds += 7.5
    assert one.is_sure is False

    await one.beat()

    assert (one.is_sure, scene.doubts) == (True, 1)
    await one.close()


async def test_who_holds_nothing_says_nothing(scene: Scene) -> None:
    """The ledger hears no beat while there is nothing to hold."""
    one = scene.holding("one", held=False)
    lease = await one.take(PACKET)
    await one.beat()

    assert lease == await scene.leases.look(PACKET)
    await one.close()


async def test_nothing_begins_before_something_is_held(scene: Scene) -> None:
    """A runner that only looks leaves no trace, and closing it twice is no error."""
    one = scene.holding("one")
    assert await one.other(PACKET) is None
    assert await scene.leases.gone("one") is True
    await one.close()
    assert (await one.opening(PACKET)).token == 1

    assert await scene.leases.gone("one") is False
    await closed(one, one)


def test_a_runners_name_says_where_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host and process for people, and chance, so that no two are the same."""
    monkeypatch.setattr("socket.gethostname", lambda: "db 1.example.org/ü")
    name = name_of_runner()

    assert re.fullmatch(rf"runner\.db-1\.example\.org--\.{os.getpid()}\.[0-9a-f]{{12}}", name)
    assert name != name_of_runner()
    assert f"process {os.getpid()} on db-1.example.org--" == said_of(name)


@pytest.mark.parametrize("name", ["", "somebody", "runner.a", "runner.host.x.abc"])
def test_a_name_that_says_nothing_is_said_as_it_is(name: Any) -> None:
    """Another adapter may call its holders as it likes."""
    assert name == said_of(name)

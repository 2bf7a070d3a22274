"""Deadlines: each fires once the clock reaches it, in order, and those of ended packets never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from squads.adapters.system import SystemClock
from squads.deadlines import Deadlines
from squads.testing import FixedClock

Fired = list[tuple[str, str]]


class Kit:
    def __init__(self) -> None:
        self.clock = FixedClock(1_000)
        self.fired: Fired = []
        self.deadlines = Deadlines(self.clock, self._fire)

    async def _fire(self, packet: str, about: str) -> None:
        self.fired.append((packet, about))


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    made = Kit()
    yield made
    await made.deadlines.close()


async def test_a_deadline_fires_when_the_clock_reaches_it(kit: Kit) -> None:
    """Not a millisecond before, and once."""
    kit.deadlines.arm(1_500, "p", "a")
    kit.clock.advance(499)
    await kit.deadlines.fire()
    assert kit.fired == []

    kit.clock.advance(1)
    await kit.deadlines.fire()
    await kit.deadlines.fire()

    assert kit.fired == [("p", "a")]


async def test_deadlines_fire_in_their_order(kit: Kit) -> None:
    """However they were armed."""
    for at in (1_300, 1_100, 1_200):
        kit.deadlines.arm(at, "p", str(at))
    kit.clock.advance(1_000)
    await kit.deadlines.fire()

    assert [about for _, about in kit.fired] == ["1100", "1200", "1300"]


async def test_an_ended_packet_has_no_deadlines(kit: Kit) -> None:
    """Its own are forgotten, also when there are many packets; those of others stay."""
    for n in range(500):
        kit.deadlines.arm(1_100, f"p{n}", "a")
        kit.deadlines.arm(9_999_999, f"p{n}", "b")
    for n in range(499):
        kit.deadlines.disarm(f"p{n}")
    assert len(kit.deadlines._heap) < 500
    kit.clock.advance(1_000)
    await kit.deadlines.fire()

    assert kit.fired == [("p499", "a")]


async def test_a_packet_that_is_taken_up_again_has_deadlines(kit: Kit) -> None:
    """Arming after disarming counts."""
    kit.deadlines.disarm("p")
    kit.deadlines.arm(1_001, "p", "a")
    kit.clock.advance(1)
    await kit.deadlines.fire()

    assert kit.fired == [("p", "a")]


async def test_with_a_clock_that_moves_it_fires_by_itself() -> None:
    """An earlier deadline that is armed later wakes it in time."""
    clock = SystemClock()
    happened: Fired = []
    done = asyncio.Event()

    async def fire(packet: str, about: str) -> None:
        happened.append((packet, about))
        done.set()

    deadlines = Deadlines(clock, fire)
    deadlines.arm(clock.now_ms() + 60_000, "p", "late")
    await asyncio.sleep(0)
    deadlines.arm(clock.now_ms() + 5, "p", "soon")
    await asyncio.wait_for(done.wait(), 10)
    await deadlines.close()

    assert happened == [("p", "soon")]


async def test_nothing_fires_after_closing(kit: Kit) -> None:
    """What is armed afterwards is forgotten, and no task is left."""
    before = asyncio.all_tasks()
    kit.deadlines.arm(1_001, "p", "a")
    await kit.deadlines.close()
    kit.deadlines.arm(1_001, "p", "b")
    assert asyncio.all_tasks() == before
    await kit.deadlines.close()

    assert kit.fired == []

"""The thread that beats: it goes on after a failure, says so once, and ends with its bus."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from typing import Any, cast

import pytest

from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.adapters.redis_bus.heartbeat import Heartbeat
from squads.adapters.redis_bus.link import Link


class FakeHeart:
    """Beats as it is told to."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)
        self.beats: list[tuple[str, ...]] = []
        self.closed = False

    def beat(self, keys: Sequence[str], ttl_ms: int) -> None:
        assert ttl_ms == 900
        self.beats.append(tuple(keys))
        if self.failures:
            raise self.failures.pop(0)

    def close(self) -> None:
        self.closed = True


def beating(heart: FakeHeart) -> Heartbeat:
    class Fake:
        def heart(self, **_: Any) -> FakeHeart:
            return heart

    return Heartbeat(cast("Link", Fake()), every_seconds=0.005, ttl_ms=900)


async def count(heart: FakeHeart, number: int) -> None:
    async with asyncio.timeout(10):
        for _ in iter(lambda: len(heart.beats) >= number, True):
            await asyncio.sleep(0.001)


async def test_it_beats_on_whatever_goes_wrong(caplog: pytest.LogCaptureFixture) -> None:
    """An unreachable server is said once, not with every beat; then it is well again."""
    heart = FakeHeart(LinkUnavailable("away", "refused"), LinkUnavailable("away", "refused"), OSError("odd"))
    heartbeat = beating(heart)
    with caplog.at_level(logging.WARNING, "squads.bus"):
        heartbeat.add("a")
        await count(heart, 5)
    await heartbeat.close()

    assert not heartbeat.failing
    assert caplog.text.count("no heartbeat gets through: away") == 1


async def test_it_beats_for_whom_it_was_asked() -> None:
    """For all consumers in one go, and no longer for one that left."""
    heart = FakeHeart()
    heartbeat = beating(heart)
    heartbeat.add("a")
    heartbeat.add("b")
    await count(heart, len(heart.beats) + 2)
    both: tuple[str, ...] = ("a", "b")
    assert both == heart.beats[-1]
    await heartbeat.remove("a")
    await count(heart, len(heart.beats) + 2)
    assert heart.beats[-1] == ("b",)
    await heartbeat.close()


async def test_a_key_that_was_let_go_of_is_not_set_again() -> None:
    """A beat that is under way is waited for, or a consumer that left would seem to live on."""
    heart = FakeHeart()
    going_on, let_on = threading.Event(), threading.Event()

    def slow(keys: Sequence[str], _: int) -> None:
        going_on.set()
        assert let_on.wait(10)
        heart.beats.append(tuple(keys))

    heart.beat = slow  # type: ignore[method-assign, assignment]
    heartbeat = beating(heart)
    heartbeat.add("a")
    assert await asyncio.to_thread(going_on.wait, 10)
    removing = asyncio.create_task(heartbeat.remove("a"))
    await asyncio.wait({removing}, timeout=0.05)
    assert not removing.done()
    let_on.set()

    await asyncio.wait_for(removing, 10)
    assert ("a",) not in heart.beats[1:]
    await heartbeat.close()


async def test_it_ends_with_its_bus() -> None:
    """Its thread is gone when `close` returns; closing twice, or without ever having beaten, is no error."""
    threads = set(threading.enumerate())
    heart, unused = FakeHeart(), FakeHeart()
    heartbeat = beating(heart)
    heartbeat.add("a")
    await count(heart, 1)
    await heartbeat.close()
    await heartbeat.close()
    await beating(unused).close()

    assert set(threading.enumerate()) == threads
    assert heart.closed
    assert unused.closed

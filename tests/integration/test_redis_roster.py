"""Rosters and hints on a real server: swapped only for what was read, and lost without harm."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Any

import pytest

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.hints import HINT_BYTES_MAX, Hint, Hints, hint_in
from squads.adapters.redis_bus.link import Link
from squads.adapters.redis_bus.names import Names
from squads.adapters.redis_bus.roster_key import RedisRosterPlace
from squads.contracts.errors import BusUnavailable
from squads.contracts.roster import LookAgain
from squads.contracts.thinking import Progress
from squads.roster import RosterBook, RosterPublisher, RosterWatch
from squads.testing.redis_server import RedisServer
from squads.workspace import Workspace

_numbers = count(1)
PROGRESS = Progress(packet="ab" * 16, about="cd" * 32, role="style", stage="answered", model="a:b", tokens=7, wait_ms=9)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as started:
        yield started


@pytest.fixture
async def link(server: RedisServer) -> AsyncIterator[Link]:
    opened = Link.open(BusAddress.parse(server.url), deadline_seconds=2.0)
    yield opened
    await opened.close()


@pytest.fixture
def name() -> str:
    return f"{next(_numbers):032x}"


async def until(reached: Any) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_a_roster_is_swapped_only_for_the_one_that_was_read(link: Link, name: str) -> None:
    """Two runners at once: the one that read before the other wrote reads again."""
    place = RedisRosterPlace(link, name)
    assert await place.read() is None
    assert await place.swap(None, b"one")
    assert not await place.swap(None, b"two")
    assert not await place.swap(b"other", b"two")
    assert await place.swap(b"one", b"two")

    assert await place.read() == b"two"
    assert await place.swap(b"one", b"two"), "an answer that was lost: the same call is answered alike"


async def test_a_runner_publishes_and_a_worker_elsewhere_believes(link: Link) -> None:
    """The stop arrives with the hint, before the worker would have looked by itself."""
    workspace = Workspace.memory()
    await workspace.found(["gate:style"])
    place, hints = RedisRosterPlace(link, workspace.id), Hints(link, workspace.id)
    publisher = RosterPublisher(workspace, place, changed=lambda: hints.publish(LookAgain()))
    await publisher.start()
    book = RosterBook(workspace.trust, clock=workspace.clock)
    watch = RosterWatch(place.read, book, look_seconds=3_600)
    tasks = [asyncio.create_task(watch.run()), asyncio.create_task(hints.listen(lambda _: watch.look_now()))]
    await until(lambda: book.fresh)
    await workspace.stop("now")
    # The hint may come before the listener has found its place in the stream; a lost one costs a wait and no more.
    async with asyncio.timeout(10):
        while not book.stopped("ab" * 16):
            await publisher.look()
            await hints.publish(LookAgain())
            await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await publisher.close()


async def test_a_server_that_is_gone_is_an_error_of_the_bus(name: str) -> None:
    """Whoever reads a roster learns that it could not be read."""
    link = Link.open(BusAddress.parse("redis://127.0.0.1:1"), deadline_seconds=0.5)
    with pytest.raises(BusUnavailable):
        await RedisRosterPlace(link, name).read()
    await link.close()


async def test_hints_reach_everybody_who_listens(link: Link, name: str) -> None:
    """Each listener has its own place; what was published before it began is not told."""
    hints = Hints(link, name)
    await hints.publish(PROGRESS.but(tokens=1))
    heard: list[list[Hint]] = [[], []]
    listening = [asyncio.create_task(hints.listen(each.append)) for each in heard]
    async with asyncio.timeout(10):
        while not all(heard):
            await hints.publish(LookAgain())
            await asyncio.sleep(0.01)
    await hints.publish(PROGRESS)
    await until(lambda: all(PROGRESS in each for each in heard))
    for task in listening:
        task.cancel()

    assert all(PROGRESS.but(tokens=1) not in each for each in heard)


async def test_odd_hints_are_dropped_and_the_rest_goes_on(link: Link, name: str) -> None:
    """Also where the listener breaks, and where the stream is of another kind for a while."""
    hints, heard = Hints(link, name), []

    def listen(hint: Hint) -> None:
        heard.append(hint)
        if len(heard) == 1:
            raise ValueError("what now")

    task = asyncio.create_task(hints.listen(listen))
    key = Names(name).events
    async with asyncio.timeout(10):
        while not heard:
            await hints.publish(LookAgain())
            await asyncio.sleep(0.01)
    for raw in (b"", b"{", b'{"kind":"unsafe-text"}', b"[" * 2_000, b"x" * (HINT_BYTES_MAX + 1)):
        await link.call("XADD", key, "*", "h", raw)
    await link.call("XADD", key, "*", "other", "x")
    await hints.publish(PROGRESS)
    await until(lambda: PROGRESS in heard)
    task.cancel()

    assert all(hint in (LookAgain(), PROGRESS) for hint in heard)


async def test_publishing_never_raises() -> None:
    """Nor does listening, to a server that is not there: it ends with the link."""
    link = Link.open(BusAddress.parse("redis://127.0.0.1:1"), deadline_seconds=0.3)
    hints = Hints(link, "ab" * 16)
    await hints.publish(PROGRESS)
    task = asyncio.create_task(hints.listen(lambda _: None))
    await asyncio.sleep(0)
    await link.close()

    await asyncio.wait_for(task, 10)


async def test_the_stream_of_hints_is_bounded(link: Link, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server cuts it by whole nodes, so it holds a little more than its bound."""
    monkeypatch.setattr("squads.adapters.redis_bus.hints.HINTS_MAX", 100)
    hints = Hints(link, name)
    for _ in range(500):
        await hints.publish(LookAgain())

    assert await link.call("XLEN", Names(name).events) <= 300


@pytest.mark.parametrize(
    "change",
    [
        {"packet": "x"},
        {"role": "a b"},
        {"role": "x\x1b[2J"},
        {"model": "m" * 201},
        {"model": "\x1b[2J"},
        {"tool": "a\nb"},
        {"tokens": -1},
        {"wait_ms": 2**53},
        {"stage": "done"},
        {"about": "x"},
        {"kind": "unsafe-text"},
        {"more": 1},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_progress_that_no_worker_would_write_is_dropped(change: dict[str, Any]) -> None:
    """It would stand on somebody's screen."""
    import json

    said = {**json.loads(PROGRESS.model_dump_json()), **change}

    assert hint_in(json.dumps(said).encode()) is None
    assert hint_in(PROGRESS.model_dump_json().encode()) == PROGRESS


def test_a_hint_beyond_its_bound_is_not_read() -> None:
    """At the bound it is; nobody publishes a longer one either."""
    raw = LookAgain().model_dump_json().encode()

    assert hint_in(raw.ljust(HINT_BYTES_MAX)) == LookAgain()
    assert hint_in(raw.ljust(HINT_BYTES_MAX + 1)) is None

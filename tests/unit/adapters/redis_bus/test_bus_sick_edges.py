"""What one role can do to its own keys, or to the dead letters, must not keep the runner from hearing the others.

A role's user may write its own two edges and may lay dead letters down, so it can also spoil them: by another type, by
the last possible id, by deleting them again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
from test_redis_bus import Buses, buses_on, die, until

from squads.adapters.redis_bus import bus as bus_module
from squads.contracts.errors import StorageUnavailable
from squads.contracts.messages import RUNNER, Envelope, Signed
from squads.kernel.ports import BlobStore
from squads.testing.bus_letters import letter, number_of, soon, stopped
from squads.testing.redis_server import RedisServer

LAST_ID = "18446744073709551615-18446744073709551615"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[Any]:
    with server.client() as client:
        yield client


@pytest.fixture
async def buses(server: RedisServer) -> AsyncIterator[Buses]:
    async with buses_on(server) as make:
        yield make


def said_by(role: str, number: int) -> Envelope:
    """Return what a role tells the runner."""
    return letter(number).but(sender=role, recipient=RUNNER, prior=None)


@pytest.mark.parametrize("part", ["stream", "lane", "origin"])
async def test_a_spoiled_edge_keeps_nobody_else_from_being_heard(
    buses: Buses, client: Any, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A role has put something else in the place of its stream: the runner goes on reading all others."""
    bus = buses("honest", "rogue", RUNNER)
    consumer = bus.consumer(RUNNER, slots=10)
    await bus.send(said_by("rogue", 0))
    await bus.send(said_by("honest", 1))
    for _ in range(2):
        await (await soon(consumer.receive())).ack()
    edge = bus.names.replies("rogue")
    key = {"stream": edge.key, "lane": edge.lane, "origin": edge.origin}[part]
    client.delete(key)
    client.hset(key, "no", "stream")
    waiting = asyncio.create_task(consumer.receive())
    await until(lambda: "is not read" in caplog.text)

    await bus.send(said_by("honest", 2))

    assert number_of(await soon(waiting)) == 2


async def test_a_mended_edge_is_read_again(buses: Buses, client: Any) -> None:
    """Once the other thing is gone from its place, the edge is begun anew, without a restart."""
    bus = buses("honest", "rogue", RUNNER)
    edge = bus.names.replies("rogue")
    client.set(edge.key, "no stream")
    consumer = bus.consumer(RUNNER, slots=10)
    await bus.send(said_by("honest", 1))
    await (await soon(consumer.receive())).ack()
    client.delete(edge.key)

    await bus.send(said_by("rogue", 2))

    assert number_of(await soon(consumer.receive())) == 2


async def test_an_edge_that_is_deleted_over_and_over_holds_up_nobody_else(buses: Buses, client: Any) -> None:
    """Each loss is noticed; the edge that loses without end is left alone for a while each time."""
    bus = buses("honest", "rogue", RUNNER)
    consumer = bus.consumer(RUNNER, slots=10)
    edge = bus.names.replies("rogue")
    over = False

    async def delete_on() -> None:
        while not over:
            client.delete(edge.key)
            await asyncio.sleep(0.001)

    deleting = asyncio.create_task(delete_on())
    try:
        for number in range(20):
            await bus.send(said_by("honest", number))
            delivery = await soon(consumer.receive())
            assert number_of(delivery) == number
            await delivery.ack()
    finally:
        over = True
        await deleting


@pytest.mark.parametrize("spoiled", ["another type", "the last id"])
async def test_dead_letters_that_take_no_more_hold_up_nobody(buses: Buses, client: Any, spoiled: str) -> None:
    """What cannot be buried stays where it is, shown to nobody; everything else is read."""
    bus = buses("honest", "rogue", RUNNER)
    if spoiled == "another type":
        client.set(bus.names.dead, "no stream")
    else:
        client.xadd(bus.names.dead, {"b": "x"}, id=LAST_ID)
    consumer = bus.consumer(RUNNER, slots=10)
    client.xadd(bus.names.replies("rogue").key, {"b": "junk", "s": "junk", "k": "junk"})

    for number in range(3):
        await bus.send(said_by("honest", number))
        delivery = await soon(consumer.receive())
        assert number_of(delivery) == number
        await delivery.ack()

    assert client.xlen(bus.names.replies("rogue").key) == 1
    client.delete(bus.names.dead)
    waiting = asyncio.create_task(consumer.receive())
    await until(lambda: client.xlen(bus.names.dead))
    await stopped(waiting)


async def test_the_last_id_on_an_edge_holds_up_nobody_else(
    buses: Buses, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing can be given back to such an edge any more: what a dead reader had of it stays, all else goes on."""
    dying, bus = buses("honest", "rogue", RUNNER), buses("honest", "rogue", RUNNER)
    first = dying.consumer(RUNNER, slots=10)
    await dying.send(said_by("rogue", 0))
    await soon(first.receive())
    await die(dying, first)
    client.xadd(bus.names.replies("rogue").key, {"b": "x"}, id=LAST_ID)
    consumer = bus.consumer(RUNNER, slots=10)
    waiting = asyncio.create_task(consumer.receive())
    await until(lambda: f"what {first.name} had" in caplog.text)

    await bus.send(said_by("honest", 1))

    assert number_of(await soon(waiting)) == 1


class NeverThere:
    """A shared store that cannot hand out what somebody names: it is too large for the line, say."""

    async def get(self, digest: str) -> bytes:
        raise StorageUnavailable("no answer came in time")


async def test_content_that_never_comes_holds_up_nobody_for_ever(
    buses: Buses, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who names it chose what is fetched: the others are heard, and in the end it is a dead letter."""
    monkeypatch.setattr(bus_module, "FETCH_SECONDS", 0.1)
    bus = buses("honest", "rogue", RUNNER)
    named = Signed(payload=b"x", key=b"k" * 32, signature=b"s" * 64, stored=("ab" * 32,))
    await bus.send(said_by("rogue", 0).but(body=named))
    bus.content = cast("BlobStore", NeverThere())
    consumer = bus.consumer(RUNNER, slots=10)

    for number in range(1, 5):
        await bus.send(said_by("honest", number))
        delivery = await soon(consumer.receive())
        assert number_of(delivery) == number
        await delivery.ack()

    waiting = asyncio.create_task(consumer.receive())
    await until(lambda: client.xlen(bus.names.dead))
    await stopped(waiting)

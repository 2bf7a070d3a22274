"""The local bus, beyond what every bus must do: its memory of ids, and its words."""

from __future__ import annotations

import asyncio

import pytest

from squads.adapters import local_bus
from squads.adapters.local_bus import LocalBus
from squads.contracts.errors import BusClosed, BusFull, UnknownRecipient
from squads.testing.bus_letters import drained, letter, settled


async def test_ids_are_remembered_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten first: memory does not grow with the traffic."""
    monkeypatch.setattr(local_bus, "SEEN_MAX", 3)
    bus = LocalBus()
    bus.declare("carpenter")
    for n in range(5):
        await bus.send(letter(n))

    assert len(bus._seen) == 3
    assert await bus.send(letter(4)) is False
    assert await bus.send(letter(0)) is True


async def test_errors_say_what_to_do() -> None:
    """Who is known; how many wait, and since when."""
    bus = LocalBus(backlog_max=1)
    with pytest.raises(UnknownRecipient, match="'carpenter' does not listen on this bus; known: nobody"):
        await bus.send(letter(1))
    bus.declare("carpenter")
    await bus.send(letter(1))
    with pytest.raises(BusFull, match=r"'carpenter' has had 1 messages waiting for 0.01 s; start more workers"):
        await bus.send(letter(2), timeout=0.01)
    await bus.close()
    with pytest.raises(BusClosed, match="closed or draining"):
        await bus.send(letter(3))


async def test_a_message_that_was_given_back_comes_before_the_others() -> None:
    """Nobody asked for an order, but a message that is tried again does not wait behind a long queue."""
    bus = LocalBus()
    bus.declare("carpenter")
    for n in range(3):
        await bus.send(letter(n))
    consumer = bus.consumer("carpenter")
    await (await consumer.receive()).release("again")

    assert await drained(consumer, 3) == [0, 1, 2]


async def test_many_readers_and_one_message() -> None:
    """One of them gets it, however many are cancelled around it."""
    bus = LocalBus()
    bus.declare("carpenter")
    readers = [asyncio.create_task(bus.consumer("carpenter").receive()) for _ in range(20)]
    await settled()
    await bus.send(letter(1))
    for reader in readers[:19]:
        reader.cancel()
    await asyncio.wait(readers, timeout=0.05)

    got = [r for r in readers if r.done() and not r.cancelled()]
    assert len(got) == 1
    readers[-1].cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def test_a_reader_that_is_cancelled_with_a_message_at_hand_passes_it_on() -> None:
    """Its wake-up is the next one's."""
    bus = LocalBus()
    bus.declare("carpenter")
    first = asyncio.create_task(bus.consumer("carpenter").receive())
    second = asyncio.create_task(bus.consumer("carpenter").receive())
    await settled()
    await bus.send(letter(1))
    first.cancel()

    assert (await asyncio.wait_for(second, 5)).envelope == letter(1)


async def test_draining_an_idle_bus_returns_at_once() -> None:
    """Nothing waits, nothing is out."""
    bus = LocalBus()
    bus.declare("carpenter")
    await asyncio.wait_for(bus.drain(), 5)
    await bus.close()

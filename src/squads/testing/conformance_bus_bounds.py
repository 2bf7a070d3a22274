"""The other half of the bus suite: what happens at the bounds, and at the end.

It is part of `BusConformance`; nobody subclasses it alone.
"""

from __future__ import annotations

import asyncio

from squads.contracts.errors import BusClosed, BusFull, UnknownRecipient
from squads.testing.bus_letters import BusSuite, drained, letter, raised, soon, stopped


class BusBounds(BusSuite):
    """Back-pressure, unknown recipients, draining and closing."""

    # Back-pressure ------------------------------------------------------------------------------------------------

    async def test_a_sender_waits_while_the_backlog_is_full(self) -> None:
        """It goes on as soon as there is room, and its message arrives."""
        async with self.bus(backlog_max=2) as bus:
            await bus.send(letter(0))
            await bus.send(letter(1))
            sending = asyncio.create_task(bus.send(letter(2)))
            await self.settled()
            assert not sending.done()

            consumer = bus.consumer("carpenter")
            await (await soon(consumer.receive())).ack()

            assert await soon(sending) is True
            assert len(await drained(consumer, 2)) == 2

    async def test_a_sender_gives_up_at_its_timeout(self) -> None:
        """`BusFull` says that the message was not accepted: sending it later is a first time."""
        async with self.bus(backlog_max=1) as bus:
            await bus.send(letter(0))

            assert isinstance(await raised(bus.send(letter(1), timeout=self.soon_seconds)), BusFull)

            consumer = bus.consumer("carpenter")
            await (await soon(consumer.receive())).ack()
            assert await bus.send(letter(1)) is True
            assert await drained(consumer, 1) == [1]

    async def test_a_full_recipient_does_not_hold_up_another(self) -> None:
        """Every recipient has a backlog of its own."""
        async with self.bus("carpenter", "mason", backlog_max=1) as bus:
            await bus.send(letter(0, "carpenter"))

            assert await soon(bus.send(letter(0, "mason"))) is True

    async def test_room_for_one_lets_one_in(self) -> None:
        """Senders that wait together do not all take the one place that became free."""
        async with self.bus(backlog_max=1) as bus:
            await bus.send(letter(0))
            sending = [asyncio.create_task(bus.send(letter(n), timeout=self.soon_seconds)) for n in range(1, 6)]
            await self.settled()
            consumer = bus.consumer("carpenter")
            await (await soon(consumer.receive())).ack()
            await asyncio.wait(sending)

            outcomes = [s.exception() or s.result() for s in sending]
            assert [o for o in outcomes if not isinstance(o, BusFull)] == [True]

    async def test_a_cancelled_sender_sends_nothing(self) -> None:
        """Its message does not arrive later, and may be sent anew."""
        async with self.bus(backlog_max=1) as bus:
            await bus.send(letter(0))
            sending = asyncio.create_task(bus.send(letter(1)))
            await self.settled()
            await stopped(sending)
            consumer = bus.consumer("carpenter")
            assert await drained(consumer, 1) == [0]

            assert await self.is_empty(consumer)
            assert await bus.send(letter(1)) is True

    # Recipients, draining, closing --------------------------------------------------------------------------------

    async def test_nobody_is_an_error(self) -> None:
        """Writing to, or reading as, somebody who was never declared says who is known."""
        async with self.bus("carpenter", "mason") as bus:
            error = await raised(bus.send(letter(1, "plumber")))
            assert isinstance(error, UnknownRecipient)
            assert "plumber" in str(error)
            assert "carpenter" in str(error)
            try:
                bus.consumer("plumber")
            except UnknownRecipient:
                return
            raise AssertionError("a consumer of nobody was made")

    async def test_declaring_twice_is_no_error(self) -> None:
        """What waits already stays."""
        async with self.bus() as bus:
            await bus.send(letter(1))
            bus.declare("carpenter")

            assert await drained(bus.consumer("carpenter"), 1) == [1]

    async def test_draining_waits_for_the_last_acknowledgement(self) -> None:
        """No new message is accepted, and it returns when every accepted one is acknowledged or dead."""
        async with self.bus(deliveries_max=1) as bus:
            await bus.send(letter(0))
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            first = await soon(consumer.receive())
            draining = asyncio.create_task(bus.drain())
            await self.settled()
            assert not draining.done()
            assert isinstance(await raised(bus.send(letter(2))), BusClosed)

            second = await soon(consumer.receive())
            await first.ack()
            await self.settled()
            assert not draining.done()
            await second.release("never")

            await soon(draining)

    async def test_closing_tells_everybody_who_waits(self) -> None:
        """Readers get `BusClosed`, now and later, and so do senders; closing twice is no error."""
        async with self.bus(backlog_max=1) as bus:
            consumer = bus.consumer("carpenter")
            reading = asyncio.create_task(consumer.receive())
            await self.settled()
            await bus.close()
            await bus.close()

            assert isinstance(await raised(reading), BusClosed)
            assert isinstance(await raised(consumer.receive()), BusClosed)
            assert isinstance(await raised(bus.send(letter(1))), BusClosed)

    async def test_closing_tells_a_sender_that_waits(self) -> None:
        """A sender at a full backlog does not wait for a bus that is gone."""
        async with self.bus(backlog_max=1) as bus:
            await bus.send(letter(0))
            sending = asyncio.create_task(bus.send(letter(1)))
            await self.settled()
            await bus.close()

            assert isinstance(await raised(sending), BusClosed)


# What the tests above are written with.

"""What every `Bus` must do, as tests: subclass, say how to make one, and let pytest collect it.

    from squads.testing.conformance_bus import BusConformance

    class TestMyBus(BusConformance):
        async def make_bus(self, deliveries_max, backlog_max):
            return MyBus(deliveries_max=deliveries_max, backlog_max=backlog_max)

It needs pytest-asyncio in auto mode. The suite must never ask for more than the port promises, so that an adapter
that passes is good enough for the runner, and one that fails is not. It asks for no order.
"""

from __future__ import annotations

import asyncio

from squads.contracts.errors import BusClosed
from squads.kernel.bus_ports import Consumer
from squads.testing.bus_letters import drained, letter, number_of, raised, soon, stopped
from squads.testing.conformance_bus_answers import BusAnswers
from squads.testing.conformance_bus_bounds import BusBounds


class BusConformance(BusBounds, BusAnswers):
    """Subclass it and write `make_bus`."""

    # Delivery -----------------------------------------------------------------------------------------------------

    async def test_a_message_arrives_as_it_was_sent(self) -> None:
        """What the consumer holds is what the sender handed over, on its first delivery."""
        async with self.bus() as bus:
            assert await bus.send(letter(1))

            delivery = await soon(bus.consumer("carpenter").receive())

            assert letter(1) == delivery.envelope
            assert delivery.attempt == 1

    async def test_a_message_waits_for_its_reader(self) -> None:
        """Recipients are declared, not connected: a message waits until somebody reads, and a reader for a message."""
        async with self.bus() as bus:
            consumer = bus.consumer("carpenter")
            reading = asyncio.create_task(consumer.receive())
            await self.settled()
            assert not reading.done()

            await bus.send(letter(1))

            assert number_of(await soon(reading)) == 1

    async def test_messages_reach_their_own_recipient_only(self) -> None:
        """Nobody reads what was sent to somebody else."""
        async with self.bus("carpenter", "mason") as bus:
            await bus.send(letter(1, "carpenter"))
            await bus.send(letter(2, "mason"))

            assert await drained(bus.consumer("carpenter"), 1) == [1]
            assert await drained(bus.consumer("mason"), 1) == [2]

    async def test_nothing_is_lost_between_many_senders_and_readers(self) -> None:
        """Two consumers share one recipient's work: every message is delivered, and none is held by both."""
        async with self.bus() as bus:
            consumers = [bus.consumer("carpenter"), bus.consumer("carpenter")]
            found: list[int] = []

            async def read(consumer: Consumer) -> None:
                while True:
                    delivery = await consumer.receive()
                    found.append(number_of(delivery))
                    await delivery.ack()

            readers = [asyncio.create_task(read(consumer)) for consumer in consumers]
            await asyncio.gather(*(bus.send(letter(n)) for n in range(200)))
            await soon(bus.drain())
            await stopped(*readers)

            assert sorted(found) == list(range(200))

    # Deduplication ------------------------------------------------------------------------------------------------

    async def test_a_message_is_accepted_once(self) -> None:
        """An id that was accepted before is not accepted again, waiting or done with; the sender is told."""
        async with self.bus() as bus:
            assert await bus.send(letter(1)) is True
            assert await bus.send(letter(1)) is False
            consumer = bus.consumer("carpenter")
            await (await soon(consumer.receive())).ack()
            assert await bus.send(letter(1)) is False
            assert await bus.send(letter(2)) is True

            assert await drained(consumer, 1) == [2]
            assert await self.is_empty(bus.consumer("carpenter"))

    async def test_senders_of_one_message_at_once_send_one(self) -> None:
        """Deduplication holds also between senders that do not wait for each other."""
        async with self.bus() as bus:
            accepted = await asyncio.gather(*(bus.send(letter(1)) for _ in range(20)))

            assert accepted.count(True) == 1
            assert await drained(bus.consumer("carpenter"), 1) == [1]
            assert await self.is_empty(bus.consumer("carpenter"))

    # Acknowledging and giving back --------------------------------------------------------------------------------

    async def test_an_acknowledged_message_does_not_come_again(self) -> None:
        """Also when its consumer closes, and also when it is acknowledged twice or released afterwards."""
        async with self.bus() as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())
            await delivery.ack()
            await delivery.ack()
            await delivery.release("too late")
            await consumer.close()

            assert await self.is_empty(bus.consumer("carpenter"))
            assert await bus.dead() == []

    async def test_a_released_message_comes_again(self) -> None:
        """Giving a message back makes it somebody's next delivery, and the count says so."""
        async with self.bus() as bus:
            await bus.send(letter(1))
            first, second = bus.consumer("carpenter"), bus.consumer("carpenter")
            await (await soon(first.receive())).release("not now")

            again = await soon(second.receive())

            assert letter(1) == again.envelope
            assert again.attempt == 2

    async def test_releasing_twice_is_releasing_once(self) -> None:
        """A message that was given back is not its old holder's any more."""
        async with self.bus() as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())
            await delivery.release("once")
            await delivery.release("twice")
            await (await soon(consumer.receive())).ack()

            assert await self.is_empty(consumer)

    async def test_a_consumer_that_closes_gives_back_what_it_holds(self) -> None:
        """Everything it had not acknowledged goes to another consumer; closing twice is no error."""
        async with self.bus() as bus:
            for n in range(5):
                await bus.send(letter(n))
            closing = bus.consumer("carpenter")
            held = [await soon(closing.receive()) for _ in range(3)]
            await held[0].ack()
            await closing.close()
            await closing.close()

            rest = await drained(bus.consumer("carpenter"), 4)

            assert sorted([number_of(held[0]), *rest]) == [0, 1, 2, 3, 4]

    async def test_a_closed_consumer_reads_no_more(self) -> None:
        """A consumer that is closed while it waits takes nothing with it; whoever waits on it gets `BusClosed`."""
        async with self.bus() as bus:
            consumer = bus.consumer("carpenter")
            reading = asyncio.create_task(consumer.receive())
            await self.settled()
            await consumer.close()
            await bus.send(letter(1))

            assert isinstance(await raised(reading), BusClosed)
            assert isinstance(await raised(consumer.receive()), BusClosed)
            assert await drained(bus.consumer("carpenter"), 1) == [1]

    async def test_a_cancelled_wait_takes_no_message_with_it(self) -> None:
        """Cancelled before or after the message came in: it is there for the next wait."""
        async with self.bus() as bus:
            consumer = bus.consumer("carpenter")
            for n in range(10):
                reading = asyncio.create_task(consumer.receive())
                await self.settled()
                sending = asyncio.create_task(bus.send(letter(n)))
                for _ in range(n):  # the cancellation meets the message at another point each time
                    await asyncio.sleep(0)
                reading.cancel()
                await asyncio.wait({reading})
                await sending
                delivery = reading.result() if not reading.cancelled() else await soon(consumer.receive())
                await delivery.ack()

                assert number_of(delivery) == n

    async def test_a_cancelled_reader_does_not_keep_others_waiting(self) -> None:
        """The message that would have woken it wakes the next reader."""
        async with self.bus() as bus:
            readers = [asyncio.create_task(bus.consumer("carpenter").receive()) for _ in range(3)]
            await self.settled()
            await bus.send(letter(1))
            readers[0].cancel()
            await bus.send(letter(2))
            await asyncio.wait(readers, timeout=self.soon_seconds)

            found = [number_of(r.result()) for r in readers if r.done() and not r.cancelled()]
            if not readers[0].cancelled():  # it was faster than its cancellation: then it holds one of the two
                assert len(found) >= 2
            assert sorted(found) == [1, 2]
            await stopped(*readers)

    # Dead letters -------------------------------------------------------------------------------------------------

    async def test_a_message_nobody_can_handle_becomes_a_dead_letter(self) -> None:
        """After exactly `deliveries_max` deliveries, with the last reason; it is not delivered again."""
        async with self.bus(deliveries_max=3) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            for attempt in (1, 2, 3):
                assert await bus.dead() == []
                delivery = await soon(consumer.receive())
                assert delivery.attempt == attempt
                await delivery.release(f"failed for the {attempt}. time")

            (dead,) = await bus.dead()

            assert letter(1) == dead.envelope
            assert (dead.reason, dead.deliveries) == ("failed for the 3. time", 3)
            assert await self.is_empty(consumer)

    async def test_a_dead_letter_does_not_hold_up_the_others(self) -> None:
        """Poison is taken out of the way."""
        async with self.bus(deliveries_max=1) as bus:
            for n in range(3):
                await bus.send(letter(n))
            consumer = bus.consumer("carpenter")
            found = []
            for _ in range(3):
                delivery = await soon(consumer.receive())
                found.append(number_of(delivery))
                await (delivery.release("poison") if number_of(delivery) == 0 else delivery.ack())

            assert sorted(found) == [0, 1, 2]
            assert [letter(0)] == [d.envelope for d in await bus.dead()]
            await soon(bus.drain())

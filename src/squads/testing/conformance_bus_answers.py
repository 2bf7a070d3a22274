"""A further part of the bus suite: answering a message, giving it back in other ways, and fetching ahead.

It is part of `BusConformance`; nobody subclasses it alone.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from squads.contracts.errors import BusClosed, UnknownRecipient
from squads.contracts.messages import RUNNER, Envelope, Failed
from squads.kernel.bus_ports import Delivery
from squads.testing.bus_letters import BusSuite, drained, letter, number_of, raised, soon


class BusAnswers(BusSuite):
    """`reply`, `defer`, `bury` and `slots`."""

    # Answering ----------------------------------------------------------------------------------------------------

    async def test_an_answer_goes_out_and_the_message_is_done_with(self) -> None:
        """Both happen: the answer reaches its recipient as it was given, and the message does not come again."""
        async with self.bus("carpenter", RUNNER) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())

            assert await delivery.reply(answer_to(delivery)) is True

            received = await soon(bus.consumer(RUNNER).receive())
            assert answer_to(delivery) == received.envelope
            await received.ack()
            await consumer.close()
            assert await self.is_empty(bus.consumer("carpenter"))
            await soon(bus.drain())
            assert await bus.dead() == []

    async def test_an_answer_counts_only_from_who_has_the_message(self) -> None:
        """Whoever gave a message back, in whatever way, answers nothing: who has it now does."""
        async with self.bus("carpenter", RUNNER) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            late = await soon(consumer.receive())
            await late.defer()

            assert await late.reply(answer_to(late)) is False
            assert await self.is_empty(bus.consumer(RUNNER))

            delivery = await soon(consumer.receive())
            assert await late.reply(answer_to(late)) is False
            assert await delivery.reply(answer_to(delivery)) is True

    async def test_a_closed_consumer_answers_nothing(self) -> None:
        """What it had in hand is in other hands, and so is the answer."""
        async with self.bus("carpenter", RUNNER) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())
            await consumer.close()

            assert await delivery.reply(answer_to(delivery)) is False
            assert await drained(bus.consumer("carpenter"), 1) == [1]

    async def test_answering_twice_is_answering_once(self) -> None:
        """The second time nothing is in hand any more, and nothing is sent."""
        async with self.bus("carpenter", RUNNER) as bus:
            await bus.send(letter(1))
            delivery = await soon(bus.consumer("carpenter").receive())
            runner = bus.consumer(RUNNER)

            assert await delivery.reply(answer_to(delivery)) is True
            assert await delivery.reply(answer_to(delivery)) is False
            assert await drained(runner, 1) == [1]
            assert await self.is_empty(runner)

    async def test_an_answer_that_was_accepted_before_is_not_sent_again(self) -> None:
        """The message is done with all the same: it has its answer."""
        async with self.bus("carpenter", RUNNER) as bus:
            await bus.send(letter(1))
            delivery = await soon(bus.consumer("carpenter").receive())
            await bus.send(answer_to(delivery))

            assert await delivery.reply(answer_to(delivery)) is True

            runner = bus.consumer(RUNNER)
            assert await drained(runner, 1) == [1]
            assert await self.is_empty(runner)
            await soon(bus.drain())

    async def test_an_answer_waits_for_room_with_its_message_in_hand(self) -> None:
        """As long as nobody takes the answer, the message is not done with."""
        async with self.bus("carpenter", RUNNER, backlog_max=1) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            first = await soon(consumer.receive())
            await first.reply(answer_to(first))
            await bus.send(letter(2))
            second = await soon(consumer.receive())
            answering = asyncio.create_task(second.reply(answer_to(second)))
            await self.settled()

            assert not answering.done()

            runner = bus.consumer(RUNNER)
            assert await drained(runner, 1) == [1]
            assert await soon(answering) is True
            assert await drained(runner, 1) == [2]

    async def test_an_answer_to_nobody_leaves_the_message_in_hand(self) -> None:
        """Neither happened: the message can still be given back, and comes again."""
        async with self.bus("carpenter") as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())

            assert isinstance(await raised(delivery.reply(letter(2, "plumber"))), UnknownRecipient)

            await delivery.release("could not be answered")
            assert (await soon(consumer.receive())).attempt == 2

    async def test_a_closed_bus_takes_no_answer(self) -> None:
        """It says so, or says that nothing is in hand any more; it never says that the answer went out."""
        async with self.bus("carpenter", RUNNER) as bus:
            await bus.send(letter(1))
            delivery = await soon(bus.consumer("carpenter").receive())
            await bus.close()

            with suppress(BusClosed):
                assert await soon(delivery.reply(answer_to(delivery))) is False

    # Giving back without a fault ----------------------------------------------------------------------------------

    async def test_a_deferred_delivery_does_not_count(self) -> None:
        """However often it is deferred, the message is as new as before, and no dead letter."""
        async with self.bus(deliveries_max=2) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            await (await soon(consumer.receive())).release("a fault")
            for _ in range(5):
                delivery = await soon(consumer.receive())
                assert delivery.attempt == 2
                await delivery.defer()

            assert await bus.dead() == []
            assert await drained(consumer, 1) == [1]

    async def test_deferring_twice_is_deferring_once(self) -> None:
        """Also after the message was acknowledged: it is not this consumer's any more."""
        async with self.bus() as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())
            await delivery.defer()
            await delivery.defer()
            again = await soon(consumer.receive())
            await again.ack()
            await again.defer()

            assert await self.is_empty(consumer)

    async def test_a_consumer_that_closes_does_not_use_up_a_delivery(self) -> None:
        """Nothing was wrong with what it had in hand."""
        async with self.bus(deliveries_max=1) as bus:
            await bus.send(letter(1))
            for _ in range(3):
                consumer = bus.consumer("carpenter")
                assert (await soon(consumer.receive())).attempt == 1
                await consumer.close()

            assert await bus.dead() == []
            assert await drained(bus.consumer("carpenter"), 1) == [1]

    # Burying ------------------------------------------------------------------------------------------------------

    async def test_a_message_can_be_buried_at_once(self) -> None:
        """It is a dead letter with that reason after its first delivery, and does not come again."""
        async with self.bus(deliveries_max=3) as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            delivery = await soon(consumer.receive())
            await delivery.bury("nobody can read it")
            await delivery.bury("twice")
            await delivery.release("too late")

            (dead,) = await bus.dead()

            assert (letter(1), "nobody can read it", 1) == (dead.envelope, dead.reason, dead.deliveries)
            assert await self.is_empty(consumer)
            await soon(bus.drain())

    async def test_a_buried_message_is_remembered(self) -> None:
        """Its id was accepted: sending it again does not raise the dead."""
        async with self.bus() as bus:
            await bus.send(letter(1))
            consumer = bus.consumer("carpenter")
            await (await soon(consumer.receive())).bury("no")

            assert await bus.send(letter(1)) is False
            assert await self.is_empty(consumer)

    # Fetching ahead -----------------------------------------------------------------------------------------------

    async def test_slots_are_messages_in_hand_at_once(self) -> None:
        """A consumer with three slots has three messages in hand without acknowledging one."""
        async with self.bus() as bus:
            for n in range(3):
                await bus.send(letter(n))
            consumer = bus.consumer("carpenter", slots=3)

            held = [await soon(consumer.receive()) for _ in range(3)]

            assert sorted(map(number_of, held)) == [0, 1, 2]

    async def test_no_more_is_fetched_than_there_are_slots(self) -> None:
        """Whoever has all hands full leaves the rest to others."""
        async with self.bus() as bus:
            for n in range(5):
                await bus.send(letter(n))
            busy = bus.consumer("carpenter", slots=2)
            held = [await soon(busy.receive())]

            free = await drained(bus.consumer("carpenter", slots=5), 3)

            held.append(await soon(busy.receive()))
            assert sorted([*map(number_of, held), *free]) == [0, 1, 2, 3, 4]

    async def test_only_free_slots_are_filled(self) -> None:
        """What is in hand already counts: two of three slots taken leave one."""
        async with self.bus() as bus:
            await bus.send(letter(0))
            await bus.send(letter(1))
            busy = bus.consumer("carpenter", slots=3)
            held = [await soon(busy.receive()), await soon(busy.receive())]
            for n in range(2, 6):
                await bus.send(letter(n))
            held.append(await soon(busy.receive()))

            free = await drained(bus.consumer("carpenter", slots=5), 3)

            assert sorted([*map(number_of, held), *free]) == [0, 1, 2, 3, 4, 5]

    async def test_what_was_fetched_ahead_is_given_back_at_the_end(self) -> None:
        """Also what its owner never came for, and no delivery is counted."""
        async with self.bus(deliveries_max=1) as bus:
            for n in range(4):
                await bus.send(letter(n))
            consumer = bus.consumer("carpenter", slots=4)
            await soon(consumer.receive())
            await consumer.close()

            other = bus.consumer("carpenter")
            deliveries = [await soon(other.receive()) for _ in range(4)]

            assert sorted(map(number_of, deliveries)) == [0, 1, 2, 3]
            assert {delivery.attempt for delivery in deliveries} == {1}


def answer_to(delivery: Delivery) -> Envelope:
    """Return an answer with the letter's own number; the same for every delivery of it."""
    request = delivery.envelope
    return request.reply(Failed(about=request.id, reason="crashed", detail=str(number_of(delivery))))

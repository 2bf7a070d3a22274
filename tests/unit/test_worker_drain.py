"""A worker that drains: it begins nothing more, finishes what it is at, and gives the rest back untried."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from squads import Artifact, Limits, Squad
from squads.adapters.local_bus import LocalBus, LocalDelivery
from squads.contracts.base import SALT_BYTES, digest_of
from squads.contracts.messages import Envelope, Failed, Signed, address_of
from squads.handover import Reader
from squads.kernel.bus_ports import Bus
from squads.runner import Runner
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate, seeded_entropy
from squads.worker import Worker
from squads.workspace import Workspace


class Kit:
    """A worker for one builder whose answers wait until the test lets them go."""

    workspace: Workspace
    worker: Worker
    request: Envelope

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.begun: list[str] = []
        self.go, self.permitted = asyncio.Event(), asyncio.Event()
        self.permitted.set()
        self.obeys = True

    async def build(self, work: Any) -> Artifact:
        self.begun.append(work.task)
        await self.go.wait()
        return work.artifact({"a": "x"})  # type: ignore[no-any-return]

    async def permit(self, packet: str) -> None:
        await self.permitted.wait()

    async def open(self, slots: int = 4) -> Kit:
        """Take a builder's request from a real packet, and put a worker for it on a bus of its own."""
        builder = ScriptedBuilder(*[self.build] * 20, prior="b")
        squad = Squad(
            builder=builder,
            gates=[ScriptedGate("style", prior="g")],
            clock=self.clock,
            entropy=seeded_entropy(1),
            limits=Limits(reply_ms_max=600_000),
        )
        self.workspace = await squad.workspace()
        self.records = {name: record for name, (_, record) in squad._roles.items()}
        bus, reader = LocalBus(), Reader(self.workspace.blobs)
        address = address_of("builder", self.records["builder"].digest)
        bus.declare(address)
        runner = Runner(self.workspace, bus, reader=reader)
        runner.start()
        coordinator = self.make(bus, {"one-task": squad._roles["one-task"][0]}, slots)
        coordinator.start()
        packet = squad._packet("It.")
        digest, blob = packet.seal(self.workspace.entropy(SALT_BYTES))
        await runner.open(squad._opening(packet, digest), (blob,))
        delivery = await asyncio.wait_for(bus.consumer(address).receive(), 5)
        self.request = delivery.envelope
        await delivery.ack()
        for part in (coordinator, runner, bus):
            await part.close()
        self.bus, self.address = LocalBus(), address
        self.bus.declare("runner")
        self.bus.declare(address)
        self.replies = self.bus.consumer("runner")
        self.roles = {"builder": builder}
        self.worker = self.make(self.bus, self.roles, slots)
        self.worker.start()
        return self

    def make(self, bus: Bus, roles: dict[str, Any], slots: int) -> Worker:
        return Worker(
            bus,
            Reader(self.workspace.blobs),
            roles,
            {name: self.workspace.signer(f"{role.kind}:{name}") for name, role in roles.items()},
            clock=self.clock,
            entropy=self.workspace.entropy,
            permit=self.permit,
            slots=slots,
            records=self.records,
        )

    async def ask(self, *numbers: int) -> None:
        for number in numbers:
            await self.bus.send(self.request.but(id=digest_of(f"{number}".encode())))

    async def until(self, reached: Any) -> None:
        async with asyncio.timeout(5):
            while not reached():  # noqa: ASYNC110
                await asyncio.sleep(0)

    async def reply(self) -> Signed | Failed:
        delivery = await asyncio.wait_for(self.replies.receive(), 5)
        await delivery.ack()
        body = delivery.envelope.body
        assert isinstance(body, Signed | Failed)
        return body

    async def given_back(self) -> list[int]:
        """Return the attempt numbers of what waits for another worker."""
        consumer, found = self.bus.consumer(self.address), []
        while True:
            receiving = asyncio.ensure_future(consumer.receive())
            for _ in range(10):  # a message that waits is there at once
                await asyncio.sleep(0)
            if not receiving.done():
                receiving.cancel()
                return found
            found.append(receiving.result().attempt)


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    made = await Kit().open()
    yield made
    made.go.set()
    await made.worker.close()
    await made.bus.close()


async def test_what_is_under_way_is_finished_and_nothing_else_is_begun(kit: Kit) -> None:
    """Replies go out during the grace; what was sent meanwhile waits for others, untried."""
    await kit.ask(1, 2)
    await kit.until(lambda: len(kit.begun) == 2)
    draining = asyncio.create_task(kit.worker.drain(60))
    await asyncio.sleep(0)
    await kit.ask(3, 4)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not draining.done()
    kit.go.set()

    assert await draining == 0
    assert [type(await kit.reply()) for _ in range(2)] == [Signed, Signed]
    assert len(kit.begun) == 2
    assert await kit.given_back() == [1, 1]


async def test_what_is_not_finished_within_the_grace_is_given_back_untried(kit: Kit) -> None:
    """Another worker gets it as if it had never been delivered."""
    await kit.ask(1, 2, 3)
    await kit.until(lambda: len(kit.begun) == 3)

    assert await kit.worker.drain(0.01) == 3
    assert await kit.given_back() == [1, 1, 1]
    assert kit.worker.served.outcomes["builder", "deferred"] == 3


async def test_a_worker_ends_where_nothing_can_be_given_back(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that does not answer is left to find out by itself: closing the consumer, or the missing heartbeat."""
    monkeypatch.setattr("squads.worker.GIVE_BACK_SECONDS", 0.01)

    defer = LocalDelivery.defer

    async def late(delivery: LocalDelivery) -> None:
        if not delivery._consumer.closed:
            await asyncio.Event().wait()
        await defer(delivery)

    monkeypatch.setattr(LocalDelivery, "defer", late)
    await kit.ask(1)
    await kit.until(lambda: len(kit.begun) == 1)

    assert 1 == await asyncio.wait_for(kit.worker.drain(0), 5)
    assert [1] == await kit.given_back()


async def test_what_waits_for_a_permit_is_given_back_at_once(kit: Kit) -> None:
    """A stopped packet has no grace to use up: nothing of it was begun."""
    kit.permitted.clear()
    await kit.ask(1, 2)
    await kit.until(lambda: len(kit.worker._waiting) == 2)
    assert kit.worker.in_hand == 2

    assert await asyncio.wait_for(kit.worker.drain(3_600), 5) == 2
    assert (kit.begun, await kit.given_back()) == ([], [1, 1])


async def test_what_waits_for_a_permit_does_not_wait_for_others_to_finish(kit: Kit) -> None:
    """Another worker has it while this one still uses its grace for what it has begun."""
    await kit.ask(1)
    await kit.until(lambda: len(kit.begun) == 1)
    kit.permitted.clear()
    await kit.ask(2)
    await kit.until(lambda: len(kit.worker._waiting) == 1)
    draining = asyncio.create_task(kit.worker.drain(3_600))
    delivery = await asyncio.wait_for(kit.bus.consumer(kit.address).receive(), 5)

    assert (delivery.attempt, draining.done()) == (1, False)
    kit.go.set()
    assert await asyncio.wait_for(draining, 5) == 1


async def test_a_request_that_was_just_taken_is_not_begun(kit: Kit) -> None:
    """It came in before the worker had turned to it."""
    await kit.ask(1)
    await kit.until(lambda: kit.worker.in_hand == 1)
    drained = await kit.worker.drain(0)

    assert (drained, kit.begun, await kit.given_back()) == (1, [], [1])


async def test_a_worker_that_is_closed_gives_back_what_it_has_not_turned_to(kit: Kit) -> None:
    """Also where nothing of it could say so: its consumer does."""
    await kit.ask(1)
    await kit.until(lambda: kit.worker.in_hand == 1)
    await kit.worker.close()

    assert (kit.begun, await kit.given_back()) == ([], [1])


async def test_a_worker_without_work_drains_at_once(kit: Kit) -> None:
    """And closing it afterwards, or draining it again, does nothing."""
    assert kit.worker.reading
    assert await kit.worker.drain(3_600) == 0
    assert await kit.worker.drain(3_600) == 0
    await kit.worker.close()

    assert not kit.worker.reading


async def test_another_worker_answers_what_was_given_back(kit: Kit) -> None:
    """Nothing is lost by a rolling restart."""
    await kit.ask(1, 2)
    await kit.until(lambda: len(kit.begun) == 2)
    await kit.worker.drain(0)
    kit.go.set()
    other = kit.make(kit.bus, kit.roles, 4)
    other.start()
    replies = [await kit.reply() for _ in range(2)]
    await other.close()

    assert [Signed, Signed] == [type(reply) for reply in replies]


async def test_what_was_served_is_counted(kit: Kit) -> None:
    """By role and outcome, with the seconds that answers took."""
    kit.go.set()
    await kit.ask(1)
    await kit.reply()
    body = kit.request.body
    await kit.bus.send(kit.request.but(id="ab" * 32, body=body.but(content="ab" * 32)))
    await kit.reply()
    await kit.until(lambda: kit.worker.in_hand == 0)
    served = kit.worker.served

    assert {("builder", "answered"): 1, ("builder", "missing"): 1} == dict(served.outcomes)
    assert served.answers["builder"] == 2
    assert served.seconds["builder"] > 0


async def test_an_answer_that_came_too_late_is_counted(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its request is in other hands by then, and whoever has it answers."""
    await kit.ask(1)
    await kit.until(lambda: len(kit.begun) == 1)

    async def late(delivery: Any, answer: Envelope) -> bool:
        return False

    monkeypatch.setattr("squads.adapters.local_bus.LocalDelivery.reply", late)
    kit.go.set()
    await kit.until(lambda: kit.worker.in_hand == 0)

    assert {("builder", "late"): 1} == dict(kit.worker.served.outcomes)

"""A role that cannot be asked now holds up neither its packet's deadlines nor any other packet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from test_runner_forged import Stage

from squads import sending
from squads.adapters.local_bus import LocalBus
from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import BusUnavailable, StorageUnavailable
from squads.contracts.messages import Envelope, RoleRequest, address_of
from squads.lane import Lane
from squads.runner import Runner
from squads.testing import FixedClock


class Narrow(LocalBus):
    """A bus over a server: it has no room for some packets, and refuses others for good."""

    can_lose = True

    def __init__(self) -> None:
        super().__init__()
        self.full: set[str] = set()
        self.broken: set[str] = set()
        self.room = asyncio.Event()

    async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
        if envelope.packet in self.broken:
            raise BusUnavailable("what lies there is no stream")
        if envelope.packet in self.full:
            await self.room.wait()
        return await super().send(envelope, timeout=timeout)


class Kit:
    """A runner on such a bus, and nobody who answers."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.bus = Narrow()
        self.away = False
        self.asked: list[str] = []
        for role in stage.inboxes:
            self.bus.declare(address_of(role, stage.squad._roles[role][1].digest))
        self.runner = Runner(stage.workspace, self.bus, name="narrow", offer=self.offer)
        self.inbox = self.bus.consumer(address_of("coordinator", stage.squad._roles["coordinator"][1].digest))

    async def offer(self, request: RoleRequest) -> None:
        if self.away:
            raise StorageUnavailable("the shared store is away")

    async def open(self, *, full: bool = False) -> Lane:
        squad = self.stage.squad
        digest, blob = squad._packet("It.").seal(self.stage.workspace.entropy(SALT_BYTES))
        opened = squad._opening(squad._packet("It."), digest)
        if full:
            self.bus.full.add(opened.packet)
        return await asyncio.wait_for(self.runner.open(opened, (blob,)), 5)

    async def next(self) -> str:
        """Return the packet of the next request."""
        delivery = await asyncio.wait_for(self.inbox.receive(), 5)
        await delivery.ack()
        return delivery.envelope.packet


@pytest.fixture(autouse=True)
def _hurries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "AT_ONCE_SECONDS", 0.02)


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    stage = await Stage().open()
    kit = Kit(stage)
    yield kit
    await kit.runner.close()
    await kit.bus.close()
    await stage.close()


async def test_a_full_queue_keeps_no_deadline_from_ending_a_packet(kit: Kit) -> None:
    """The packet is open though nobody could be asked, and ends in time."""
    lane = await kit.open(full=True)
    clock = kit.stage.workspace.clock
    assert isinstance(clock, FixedClock)
    assert lane.state is not None
    clock.advance(8 * 24 * 3_600_000)

    await asyncio.wait_for(kit.runner.tick(), 5)

    assert lane.ended


async def test_what_found_no_room_is_sent_as_soon_as_there_is_some(kit: Kit) -> None:
    """Once, however often it was sent again meanwhile."""
    lane = await kit.open(full=True)
    await kit.runner.send_again()
    assert len(kit.runner._sending._under_way) == 1

    kit.bus.room.set()

    assert await kit.next() == lane.packet
    assert not kit.runner._sending._under_way


async def test_one_packet_that_cannot_be_sent_again_keeps_no_other_from_it(kit: Kit) -> None:
    """Where the bus lost everything, a role with a full or a broken queue costs nobody else his messages."""
    full, broken, sound = await kit.open(full=True), await kit.open(), await kit.open()
    assert await kit.next() == broken.packet
    assert await kit.next() == sound.packet
    kit.bus.broken.add(broken.packet)
    kit.bus._seen.clear()

    await asyncio.wait_for(kit.runner.send_again(lost=True), 5)

    assert await kit.next() == sound.packet
    assert not full.ended


async def test_a_shared_store_that_is_away_fails_no_packet(kit: Kit) -> None:
    """What a request speaks of could not be offered: it is offered and sent later."""
    kit.away = True
    lane = await kit.open()
    assert lane.failure is None
    kit.away = False

    await kit.runner.send_again()

    assert await kit.next() == lane.packet

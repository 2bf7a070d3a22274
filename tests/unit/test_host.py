"""A host: roles in a process without the ledger, that believe the roster and nothing else."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from squads import Approved, Limits, Squad
from squads.adapters.keys import load_or_create
from squads.adapters.local_bus import LocalBus
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.base import SALT_BYTES
from squads.contracts.errors import BusClosed, BusUnavailable, KeyUnavailable
from squads.contracts.messages import address_of
from squads.contracts.roster import LookAgain
from squads.contracts.thinking import Progress, UnsafeText
from squads.enrolment import enrol, read_request, request_line, roles_registered, worker_signers
from squads.host import Host, HostParts, shared_signers
from squads.roster import RosterBook, RosterPublisher
from squads.runner import Runner
from squads.stores import keys_of
from squads.testing import FixedClock, FixedSigner, ScriptedBuilder, ScriptedGate, seeded_entropy
from squads.testing.bus_letters import stopped
from squads.workspace import Workspace

PROGRESS = Progress(packet="ab" * 16, about="cd" * 32, role="style", stage="asked")


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Place:
    """Where the roster lies; it can be frozen, so that nothing newer is ever read, or out of reach."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.frozen: bytes | None = None
        self.down = False

    async def read(self) -> bytes | None:
        if self.down:
            raise BusUnavailable("the bus at redis://somewhere cannot be reached")
        return self.frozen or self.content

    async def swap(self, seen: bytes | None, content: bytes) -> bool:
        self.content = content
        return True


class Line:
    """Hints in this process."""

    def __init__(self) -> None:
        self.said: list[Progress | LookAgain] = []
        self.listeners: list[Any] = []

    async def publish(self, hint: Progress | LookAgain) -> None:
        self.said.append(hint)
        for listener in self.listeners:
            listener(hint)

    async def listen(self, callback: Any) -> None:
        self.listeners.append(callback)
        await asyncio.Event().wait()


class Kit:
    """A squad whose runner is here and whose roles are on a host, with time that the test moves."""

    workspace: Workspace
    host: Host

    def __init__(self) -> None:
        self.clock, self.seconds = FixedClock(), Seconds()
        self.place, self.line, self.bus = Place(), Line(), LocalBus()
        self.gate = ScriptedGate("style", *[Approved(looked=1)] * 5, prior="g")
        self.builder = ScriptedBuilder(*[{"a": "x"}] * 5, prior="b")
        self.hosts: list[Host] = []

    async def open(self) -> Kit:
        self.squad = Squad(
            builder=self.builder, gates=[self.gate], clock=self.clock, entropy=seeded_entropy(1), limits=Limits()
        )
        self.workspace = await self.squad.workspace()
        self.roles = {name: role for name, (role, _) in self.squad._roles.items()}
        self.records = {name: record for name, (_, record) in self.squad._roles.items()}
        for name, record in self.records.items():
            self.bus.declare(address_of(name, record.digest))
        self.runner = Runner(self.workspace, self.bus)
        self.runner.start()
        self.publisher = RosterPublisher(
            self.workspace, self.place, monotonic=self.seconds, changed=lambda: self.line.publish(LookAgain())
        )
        self.spoken = {name: f"{record.kind}:{name}" for name, record in self.records.items()}
        self.signers: dict[str, Any] = {name: self.workspace.signer(role) for name, role in self.spoken.items()}
        self.book = RosterBook(self.workspace.trust, clock=self.clock, monotonic=self.seconds)
        return self

    def make(self, **options: Any) -> Host:
        parts = HostParts(
            bus=self.bus,
            blobs=self.workspace.blobs,
            journal=MemoryJournal(),
            read_roster=self.place.read,
            hints=self.line,
        )
        given: dict[str, Any] = {"signers": self.signers, "look_seconds": 0.002, **options}
        host = Host(
            given.pop("parts", parts),
            self.roles,
            records=self.records,
            book=self.book,
            clock=self.clock,
            entropy=self.workspace.entropy,
            **given,
        )
        self.hosts.append(host)
        return host

    async def start(self, **options: Any) -> Host:
        await self.publisher.look()
        self.host = self.make(**options)
        await asyncio.wait_for(self.host.start(), 5)
        return self.host

    async def begin(self) -> Any:
        packet = self.squad._packet("It.")
        digest, blob = packet.seal(self.workspace.entropy(SALT_BYTES))
        return await self.runner.open(self.squad._opening(packet, digest), (blob,))

    async def until(self, reached: Any) -> None:
        async with asyncio.timeout(5):
            while not reached():  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    async def looks(self) -> None:
        """Let the host look at the roster a few times."""
        for _ in range(3):
            await asyncio.wait_for(self.host._change.wait(), 5)

    def pass_time(self, ms: int) -> None:
        self.clock.advance(ms)
        self.seconds.now += ms / 1000

    async def close(self) -> None:
        for host in self.hosts:
            await host.close()
        await self.runner.close()
        await self.bus.close()


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    made = await Kit().open()
    yield made
    await made.close()


async def test_a_packet_composes_with_its_roles_on_a_host(kit: Kit) -> None:
    """The runner asks over the bus; the host answers and signs."""
    await kit.start()
    lane = await kit.begin()
    await kit.until(lambda: lane.state.ended)

    assert lane.state.finish.outcome == "composed"
    assert kit.host.answered == 4


async def test_a_worker_with_keys_of_its_own_serves_once_it_is_enrolled(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    """Until then it begins nothing and says what to do; the roster carries the keys to it."""
    own = worker_signers(FixedSigner("worker"), kit.workspace.id, kit.spoken.values())
    await kit.publisher.look()
    kit.host = kit.make(signers={name: own[role] for name, role in kit.spoken.items()})
    starting = asyncio.create_task(kit.host.start())
    await kit.until(lambda: "squads enroll" in caplog.text)
    assert not starting.done()
    line = request_line(own, kit.workspace.id, now_ms=kit.clock.now_ms())
    known = roles_registered(kit.workspace)
    request = read_request(line, workspace=kit.workspace.id, known=known, now_ms=kit.clock.now_ms())
    await enrol(kit.workspace, request)
    await kit.publisher.look()
    await asyncio.wait_for(starting, 5)
    lane = await kit.begin()
    await kit.until(lambda: lane.state.ended)

    assert lane.state.finish.outcome == "composed"
    signers = {own[role].key_id for role in kit.spoken.values()}
    stored = await kit.workspace.ledger.read(lane.packet)
    assert {key for one in stored for key, _ in one.signatures} & signers == signers


async def test_a_worker_that_signs_otherwise_reads_nothing(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """It would take every request for forged, and each would be a dead letter: it says what to start it with."""
    kit.publisher._signing = "own"
    await kit.publisher.look()
    parts = HostParts(
        bus=kit.bus, blobs=kit.workspace.blobs, journal=MemoryJournal(), read_roster=kit.place.read, signing="shared"
    )
    kit.host = kit.make(parts=parts)
    starting = asyncio.create_task(kit.host.start())

    await kit.until(lambda: "start it with --signing own" in caplog.text)

    assert not starting.done()
    assert not kit.host._worker.reading
    await stopped(starting)


async def test_a_host_does_not_begin_without_a_roster(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """It says once why it waits."""
    kit.host = kit.make()
    starting = asyncio.create_task(kit.host.start())
    await kit.until(lambda: "start a runner" in caplog.text)
    for _ in range(5):
        await asyncio.sleep(0.002)
    assert (starting.done(), kit.host.unready() != "") == (False, True)
    await kit.publisher.look()

    await asyncio.wait_for(starting, 5)
    assert caplog.text.count("start a runner") == 1


async def test_a_frozen_roster_ends_beginning_within_its_lifetime(kit: Kit) -> None:
    """A stop was published and somebody holds it back: no new work begins; it begins when the roster comes."""
    await kit.start()
    kit.place.frozen = kit.place.content
    kit.pass_time(30_000)
    lane = await kit.begin()
    await kit.until(lambda: kit.host._worker.in_hand == 1)
    await kit.looks()
    assert kit.builder.script.asked == []
    assert "stale" in kit.host.unready()
    await kit.publisher.look()
    kit.place.frozen = None

    await kit.until(lambda: lane.state.ended)


async def test_a_stopped_packet_waits_on_its_host_and_goes_on_when_lifted(kit: Kit) -> None:
    """The stop is learned from the roster alone, and so is its lifting."""
    await kit.start()
    stopping = asyncio.Event()

    async def build(work: Any) -> Any:
        await stopping.wait()
        return work.artifact({"a": "x"})

    kit.builder.script._left[0] = build
    lane = await kit.begin()
    await kit.until(lambda: kit.builder.script.asked)
    await kit.workspace.stop("wait", packet=lane.packet)
    await kit.publisher.look()
    await kit.until(lambda: kit.book.stopped(lane.packet))
    assert f"packet {lane.packet} is stopped" == kit.host.why_not(lane.packet)
    assert kit.host.why_not("ef" * 16) == ""
    stopping.set()
    await kit.until(lambda: lane.parked)
    await kit.workspace.lift("go on", person="owner", packet=lane.packet)
    await kit.publisher.look()
    await kit.runner.lifted()

    await kit.until(lambda: lane.state.ended)


async def test_a_stop_is_told_once_for_each_time_it_is_set(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """Not with every look, however long it lasts and however many requests wait."""
    await kit.start()
    for count in (1, 2):
        await kit.workspace.stop("wait", packet=PROGRESS.packet)
        await kit.publisher.look()
        await kit.until(lambda: kit.book.stopped(PROGRESS.packet))
        waiting = [asyncio.create_task(kit.host.permit(PROGRESS.packet)) for _ in range(3)]
        await kit.looks()
        await kit.looks()
        assert caplog.text.count("is stopped") == count
        await kit.workspace.lift("go on", person="owner", packet=PROGRESS.packet)
        await kit.publisher.look()
        await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def test_a_stop_hangs_up_on_models(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others are paid for is cut off as soon as the roster says so, before anything else of it."""
    let_go: list[bool] = []
    monkeypatch.setattr("squads.worker.Worker.let_go", lambda self, stopped: let_go.append(stopped("ab" * 16)))
    await kit.start()
    await kit.workspace.stop("now")
    await kit.publisher.look()

    await kit.until(lambda: True in let_go)


async def test_a_hint_brings_a_stop_before_the_next_look(kit: Kit) -> None:
    """A lost hint costs a wait, never more."""
    await kit.start(look_seconds=3_600)
    await kit.until(lambda: kit.line.listeners)
    await kit.workspace.stop("now")
    await kit.publisher.look()

    await kit.until(lambda: kit.book.stopped("ab" * 16))


async def test_a_revoked_key_begins_nothing_more(kit: Kit) -> None:
    """What it would answer could not count, and its model would be paid for nothing."""
    await kit.start()
    roster = kit.book.roster
    assert roster is not None
    kit.book._known.pop(kit.signers["style"].key_id)

    assert "is not registered as gate:style" in kit.host.why_not()


async def test_progress_is_told_as_hints_and_text_never_is(kit: Kit) -> None:
    """A full queue loses what comes on top; nobody waits for a hint."""
    await kit.start()
    kit.host._tell(PROGRESS)
    kit.host._tell(UnsafeText(packet="ab" * 16, about="cd" * 32, role="style", text="secret"))
    await kit.until(lambda: PROGRESS in kit.line.said)
    for _ in range(3_000):
        kit.host._tell(PROGRESS)

    assert not any(isinstance(hint, UnsafeText) for hint in kit.line.said)


async def test_a_host_serves_until_it_is_told_to_stop(kit: Kit) -> None:
    """Then it drains: what is under way is finished, and it is no longer ready."""
    await kit.publisher.look()
    go, stop, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def build(work: Any) -> Any:
        await go.wait()
        return work.artifact({"a": "x"})

    kit.builder.script._left[0] = build
    kit.host = kit.make()
    serving = asyncio.create_task(kit.host.serve(stop, grace_seconds=60, ready=ready.set))
    await asyncio.wait_for(ready.wait(), 5)
    lane = await kit.begin()
    await kit.until(lambda: kit.builder.script.asked)
    stop.set()
    await kit.until(lambda: kit.host.draining)
    assert "draining" == kit.host.unready()
    go.set()

    assert await asyncio.wait_for(serving, 5) == 0
    assert not lane.state.ended
    assert kit.gate.script.asked == []


async def test_a_host_that_still_waits_for_a_roster_stops_at_once(kit: Kit) -> None:
    """Nothing was begun that would need a grace."""
    stop = asyncio.Event()
    kit.host = kit.make()
    serving = asyncio.create_task(kit.host.serve(stop, grace_seconds=3_600))
    await kit.looks()
    stop.set()

    assert await asyncio.wait_for(serving, 5) == 0


async def test_what_breaks_at_the_start_is_raised(kit: Kit) -> None:
    """A bus that refuses its consumers ends the host; it does not wait for ever."""
    await kit.publisher.look()
    await kit.bus.close()
    host = kit.make()
    with pytest.raises(BusClosed):
        await asyncio.wait_for(host.serve(asyncio.Event()), 5)


async def test_a_bus_that_cannot_be_read_any_more_ends_the_host(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look alive and never answer: whoever started it learns why, and starts it again."""
    await kit.publisher.look()
    go = asyncio.Event()

    async def refused(self: Any) -> Any:
        await go.wait()
        raise BusUnavailable("no permission to read")

    monkeypatch.setattr("squads.adapters.local_bus.LocalConsumer.receive", refused)
    serving = asyncio.create_task(kit.make().serve(asyncio.Event(), ready=go.set))
    with pytest.raises(BusUnavailable, match="no permission"):
        await asyncio.wait_for(serving, 5)
    monkeypatch.undo()
    ready = asyncio.Event()
    serving = asyncio.create_task(kit.make().serve(asyncio.Event(), ready=ready.set))
    await asyncio.wait_for(ready.wait(), 5)
    await kit.bus.close()
    with pytest.raises(BusClosed, match="start it again"):
        await asyncio.wait_for(serving, 5)


async def test_a_server_that_is_away_is_waited_for(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    """It says so once; when the server is back it goes on by itself."""
    caplog.set_level(logging.INFO)
    await kit.start()
    kit.place.down = True
    kit.pass_time(30_000)
    await kit.looks()
    assert "cannot be reached" in kit.host.unready()
    kit.place.down = False
    await kit.publisher.look()

    await kit.until(lambda: kit.host.unready() == "")
    assert caplog.text.count("cannot be reached") == 1


async def test_every_answer_is_signed_by_its_roles_own_key(kit: Kit) -> None:
    """As the ledger has it."""
    await kit.start()
    lane = await kit.begin()
    await kit.until(lambda: lane.state.ended)
    stored = await kit.workspace.ledger.read(lane.packet)
    verdicts = [one for one in stored if b"urn:squads:verdict:v1" in one.payload]

    assert [kit.signers["style"].key_id] == [key for one in verdicts for key, _ in one.signatures]


def test_shared_signers_are_the_workspaces_and_are_never_made(tmp_path: Path) -> None:
    """A key that nobody registered would only make the worker wait for ever."""
    trust = Workspace.memory().trust
    made = load_or_create(keys_of(trust, tmp_path) / "gate-style.key")

    assert made.key_id == shared_signers(trust, {"style": "gate"}, tmp_path)["style"].key_id
    with pytest.raises(KeyUnavailable, match="--signing own"):
        shared_signers(trust, {"other": "gate"}, tmp_path)
    assert ["gate-style.key"] == [path.name for path in keys_of(trust, tmp_path).iterdir()]

"""A worker: what it answers for a role that breaks, and that it gives back what it did not finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from squads import Approved, Artifact, Limits, Squad
from squads.adapters.local_bus import LocalBus
from squads.adapters.memory_journal import MemoryJournal
from squads.contracts.base import SALT_BYTES, digest_of
from squads.contracts.errors import BlobMissing, EmptyArtifact, MessageTooLarge
from squads.contracts.finding import NO_USAGE
from squads.contracts.messages import Envelope, Failed, PlanRequest, RoleRequest, Signed, address_of
from squads.contracts.thinking import ModelReply, ModelRequest
from squads.handover import Reader
from squads.kernel.bus_ports import Bus
from squads.ledger.keys import verify_signature
from squads.ledger.statement import PAYLOAD_TYPE, pae
from squads.minding import Minding
from squads.minds.forms import AbstainForm
from squads.runner import Runner
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate, seeded_entropy
from squads.worker import Worker
from squads.workspace import Workspace


class Silent:
    """A model that answers when it is told to, and takes its time to hang up."""

    def __init__(self) -> None:
        self.asked = 0
        self.reached = asyncio.Event()
        self.answers = asyncio.Event()
        self.ended = asyncio.Event()
        self.ended.set()
        self.cut_short = False

    async def ask(self, request: Any, call: Any) -> Any:
        self.asked += 1
        self.reached.set()
        try:
            await self.answers.wait()
        except asyncio.CancelledError:
            try:
                await self.ended.wait()
            except asyncio.CancelledError:
                self.cut_short = True
            raise
        return ModelReply(form=AbstainForm(reason="x"), model="a:1", usage=NO_USAGE)


async def thinks(work: Any) -> Artifact:
    """Ask, then build."""
    await work.mind.ask(ModelRequest(models=("a:1",), instructions="", prompt="", forms=(AbstainForm,)))
    return work.artifact({"a": "x"})  # type: ignore[no-any-return]


class Kit:
    """A worker for one scripted builder, whose requests the test writes and whose replies it reads."""

    workspace: Workspace
    worker: Worker
    request: Envelope
    minding: Minding | None = None

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.bus: Bus = LocalBus()
        self.builder = ScriptedBuilder(prior="b")
        self.stopped = asyncio.Event()
        self.stopped.set()
        self.model: Any = None
        self.waits = 0

    async def permit(self, packet: str) -> None:
        self.waits += 1
        await self.stopped.wait()
        self.waits -= 1

    async def open(self, *replies: Any, reply_ms_max: int = 1_000, slots: int = 4) -> Kit:
        """Run a packet up to the builder's request, which is all that is kept of it."""
        squad = Squad(
            builder=self.builder,
            gates=[ScriptedGate("style", prior="g")],
            clock=self.clock,
            entropy=seeded_entropy(1),
            limits=Limits(reply_ms_max=reply_ms_max),
        )
        self.workspace = await squad.workspace()
        self.records = {name: record for name, (_, record) in squad._roles.items()}
        builder = address_of("builder", self.records["builder"].digest)
        self.bus.declare(builder)
        reader = Reader(self.workspace.blobs)
        runner = Runner(self.workspace, self.bus, reader=reader)
        runner.start()
        roles = {name: role for name, (role, _) in squad._roles.items()}
        coordinator = self.make({"one-task": roles["one-task"]}, slots=slots)
        coordinator.start()
        packet = squad._packet("It.")
        digest, blob = packet.seal(self.workspace.entropy(SALT_BYTES))
        await runner.open(squad._opening(packet, digest), (blob,))
        delivery = await asyncio.wait_for(self.bus.consumer(builder).receive(), 5)
        self.request = delivery.envelope
        await delivery.ack()
        await coordinator.close()
        await runner.close()
        self.bus = LocalBus()
        self.bus.declare("runner")
        self.replies = self.bus.consumer("runner")
        self.builder.script._left.extend(replies)
        self.minding = None
        if self.model is not None:
            records = {name: record for name, (_, record) in squad._roles.items()}
            self.minding = Minding(self.model, records, journal=MemoryJournal(), blobs=self.workspace.blobs)
        self.worker = self.make({"builder": self.builder}, slots=slots)
        self.worker.start()
        return self

    def make(self, roles: dict[str, Any], *, slots: int) -> Worker:
        return Worker(
            self.bus,
            Reader(self.workspace.blobs),
            roles,
            {name: self.workspace.signer(f"{role.kind}:{name}") for name, role in roles.items()},
            clock=self.clock,
            entropy=self.workspace.entropy,
            permit=self.permit,
            slots=slots,
            minding=self.minding,
            records=self.records,
        )

    async def ask(self, number: int = 0) -> None:
        await self.bus.send(self.request.but(id=digest_of(f"{number}".encode())))

    async def reply(self) -> Signed | Failed:
        delivery = await asyncio.wait_for(self.replies.receive(), 5)
        await delivery.ack()
        body = delivery.envelope.body
        assert isinstance(body, Signed | Failed)
        return body


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    made = Kit()
    yield made
    await made.worker.close()
    await made.bus.close()


async def test_an_answer_is_signed_by_the_role(kit: Kit) -> None:
    """The payload verifies under the role's own key, and brings its content along."""
    await kit.open({"a": "x"})
    await kit.ask()
    body = await kit.reply()

    assert isinstance(body, Signed)
    signer = kit.workspace.signer("builder:builder")
    assert body.key == signer.key_id
    assert verify_signature(signer.public_key, body.signature, pae(PAYLOAD_TYPE, body.payload))
    assert b"x" in body.content


class Odd(Exception):
    pass


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "unreadable"),
        (Approved(), "unreadable"),
        (EmptyArtifact("nothing"), "unreadable"),
        (BlobMissing("gone"), "missing"),
        (Odd("what now"), "crashed"),
        (TimeoutError("the model"), "crashed"),
        (asyncio.CancelledError(), "cancelled"),
        (lambda work: 1 / 0, "crashed"),
        (RecursionError("deep"), "crashed"),
        (MemoryError(), "crashed"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).replace("<lambda>", "function"),
)
async def test_whatever_goes_wrong_in_a_role_is_a_fault(kit: Kit, reply: Any, reason: str) -> None:
    """With a reason, with what happened for the log, and about the very request."""
    await kit.open(reply)
    await kit.ask()
    body = await kit.reply()

    assert isinstance(body, Failed)
    assert (body.reason, body.about) == (reason, kit.request.cause)
    assert body.detail


async def test_a_role_that_is_late_is_cancelled(kit: Kit) -> None:
    """Its deadline is the request's; the role hears of it."""
    heard: list[bool] = []

    async def hang(work: Any) -> Artifact:
        try:
            await asyncio.Event().wait()
        finally:
            heard.append(True)
        raise AssertionError

    await kit.open(hang, reply_ms_max=20)
    await kit.ask()
    body = await kit.reply()

    assert isinstance(body, Failed)
    assert (body.reason, body.detail) == ("cancelled", "no answer before its deadline")
    assert heard == [True]


async def test_a_request_whose_deadline_has_passed_is_not_worked_on_for_long(kit: Kit) -> None:
    """A role gets no time that is not there."""

    async def hang(work: Any) -> Artifact:
        await asyncio.Event().wait()
        raise AssertionError

    await kit.open(hang)
    kit.clock.advance(10_000)
    await kit.ask()

    assert isinstance(await kit.reply(), Failed)


async def test_content_that_is_missing_is_a_fault(kit: Kit) -> None:
    """A request that lists what nobody has."""
    await kit.open()
    body = kit.request.body
    assert isinstance(body, RoleRequest)
    await kit.bus.send(kit.request.but(body=body.but(content="ab" * 32)))
    reply = await kit.reply()

    assert isinstance(reply, Failed)
    assert reply.reason == "missing"
    kit.builder.done()


async def test_a_request_of_another_kind_is_a_fault(kit: Kit) -> None:
    """A builder that is asked for a plan."""
    await kit.open()
    body = kit.request.body
    assert isinstance(body, RoleRequest)
    plan = PlanRequest(
        packet=body.packet,
        workspace=body.workspace,
        content=body.content,
        due_ms=body.due_ms,
        request="ab" * 32,
        attempt=1,
        builders=(),
        gates=(),
    )
    await kit.bus.send(kit.request.but(body=plan))
    reply = await kit.reply()

    assert isinstance(reply, Failed)
    assert reply.reason == "crashed"


async def test_a_reply_in_a_roles_inbox_is_no_work(kit: Kit) -> None:
    """It is taken away and not answered."""
    await kit.open({"a": "x"})
    await kit.bus.send(kit.request.but(id="ab" * 32, body=Failed(about="ab" * 32, reason="crashed")))
    await kit.ask()

    assert isinstance(await kit.reply(), Signed)
    kit.builder.done()


async def test_nothing_is_worked_on_without_a_permit(kit: Kit) -> None:
    """While the packet is stopped its request waits; afterwards it is answered."""
    await kit.open({"a": "x"})
    kit.stopped.clear()
    await kit.ask()
    for _ in range(20):
        await asyncio.sleep(0)
    assert kit.builder.script.asked == []

    kit.stopped.set()

    assert isinstance(await kit.reply(), Signed)


async def test_slots_bound_how_much_is_worked_on_at_once(kit: Kit) -> None:
    """No more than `slots` requests are under way; the others wait on the bus, and all are answered."""
    under_way = 0
    most = 0
    let_go = asyncio.Event()

    async def build(work: Any) -> Artifact:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await let_go.wait()
        under_way -= 1
        return work.artifact({"a": "x"})  # type: ignore[no-any-return]

    await kit.open(*[build] * 10, slots=3)
    for n in range(10):
        await kit.ask(n)
    for _ in range(50):
        await asyncio.sleep(0)
    assert most == 3
    let_go.set()

    for _ in range(10):
        assert isinstance(await kit.reply(), Signed)
    assert most == 3


async def test_closing_gives_back_what_is_under_way(kit: Kit) -> None:
    """Another worker answers it; the first one was cancelled."""

    async def hang(work: Any) -> Artifact:
        await asyncio.Event().wait()
        raise AssertionError

    await kit.open(hang)
    await kit.ask()
    while not kit.builder.script.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await kit.worker.close()
    kit.builder.script._left.append({"a": "x"})
    kit.worker = kit.make({"builder": kit.builder}, slots=1)
    kit.worker.start()

    assert isinstance(await kit.reply(), Signed)
    assert await kit.bus.dead() == []


async def asked(kit: Kit) -> Silent:
    """Return the model once the builder asks it."""
    kit.model = Silent()
    await kit.open(*[thinks] * 8, slots=1)
    await kit.ask()
    await asyncio.wait_for(kit.model.reached.wait(), 5)
    return kit.model  # type: ignore[no-any-return]


async def hung_up(kit: Kit) -> None:
    """Stop, hang up, and return when the request waits for its permit."""
    kit.stopped.clear()
    kit.model.reached.clear()
    assert kit.worker.let_go(lambda _: True)
    while not kit.waits:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def test_hanging_up_uses_no_delivery_up(kit: Kit) -> None:
    """More often than a message is delivered: nothing went wrong with it."""
    model = await asked(kit)
    for _ in range(5):
        await hung_up(kit)
        assert not kit.worker.let_go(lambda _: True)  # nobody is asked now
        kit.stopped.set()
        await asyncio.wait_for(model.reached.wait(), 5)
    model.answers.set()

    assert isinstance(await kit.reply(), Signed)
    assert (6, []) == (model.asked, await kit.bus.dead())


async def test_only_what_is_stopped_is_hung_up_on(kit: Kit) -> None:
    """And a role that asks nobody is left to its work."""
    model = await asked(kit)
    packets: list[str] = []

    assert not kit.worker.let_go(packets.append)
    assert [kit.request.packet] == packets
    model.answers.set()
    assert isinstance(await kit.reply(), Signed)
    assert 1 == model.asked


async def test_who_hangs_up_is_given_the_time_for_it(kit: Kit) -> None:
    """Looking again while a tool server is being ended neither cuts that short nor uses a delivery up."""
    model = await asked(kit)
    model.ended.clear()
    kit.stopped.clear()
    for _ in range(3):
        assert kit.worker.let_go(lambda _: True)
        for _turn in range(5):
            await asyncio.sleep(0)
    model.ended.set()
    while not kit.waits:  # noqa: ASYNC110
        await asyncio.sleep(0)
    kit.stopped.set()
    model.answers.set()

    assert isinstance(await kit.reply(), Signed)
    assert not model.cut_short
    assert (2, []) == (model.asked, await kit.bus.dead())


@pytest.mark.parametrize("waits", [False, True], ids=["while it hangs up", "while it waits for a permit"])
async def test_closing_gives_back_what_was_hung_up_on(kit: Kit, waits: bool) -> None:
    """A stop that is followed by the worker's end: another worker takes the request up."""
    model = await asked(kit)
    if waits:
        await hung_up(kit)
    else:
        kit.worker.let_go(lambda _: True)
    await asyncio.wait_for(kit.worker.close(), 5)
    kit.stopped.set()
    model.answers.set()
    kit.worker = kit.make({"builder": kit.builder}, slots=1)
    kit.worker.start()

    assert isinstance(await kit.reply(), Signed)
    assert (2, []) == (model.asked, await kit.bus.dead())


async def test_an_answer_too_large_for_the_bus_is_a_fault(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The runner hears at once that the reply could not be delivered, instead of waiting for the deadline."""
    await kit.open({"a": "x"})
    real = LocalBus.send

    async def send(self: LocalBus, envelope: Envelope, *, timeout: float | None = None) -> bool:
        if isinstance(envelope.body, Signed):
            raise MessageTooLarge("over the bound")
        return await real(self, envelope, timeout=timeout)

    monkeypatch.setattr(LocalBus, "send", send)
    await kit.ask()
    body = await kit.reply()

    assert isinstance(body, Failed)
    assert body.reason == "undeliverable"


async def test_a_bus_that_fails_gets_the_request_back(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply that could not be sent is not a request that was handled: it is delivered again."""
    await kit.open({"a": "x"}, {"a": "y"})
    real = LocalBus.send
    failures = iter([True, False])

    async def send(self: LocalBus, envelope: Envelope, *, timeout: float | None = None) -> bool:
        if isinstance(envelope.body, Signed) and next(failures):
            raise OSError("the connection was reset")
        return await real(self, envelope, timeout=timeout)

    monkeypatch.setattr(LocalBus, "send", send)
    await kit.ask()

    assert isinstance(await kit.reply(), Signed)
    kit.builder.done()

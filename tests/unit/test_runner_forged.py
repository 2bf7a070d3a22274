"""What comes in over the bus is not believed: forged, stale, doubled and unreadable replies change nothing.

Here the test plays every role itself, with the very keys, so that each lie differs from the truth in one place.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from squads import Approved, Artifact, Finding, Limits, Refused, Squad, Task
from squads.adapters.local_bus import LocalBus
from squads.contracts.base import SALT_BYTES
from squads.contracts.messages import Envelope, Failed, RoleRequest, Signed, address_of
from squads.contracts.packet import Packet
from squads.contracts.plan import Plan, Statement
from squads.contracts.records import (
    RULES_VERSION,
    AnswerRecord,
    ArtifactRecord,
    FinishRecord,
    Opened,
    PacketRecord,
    VerdictRecord,
)
from squads.handover import Reader, record_for
from squads.kernel.bus_ports import Consumer
from squads.kernel.ports import WORKSPACE, Signer
from squads.kernel.receipts import payload_of
from squads.ledger.statement import PAYLOAD_TYPE, pae, statement_bytes
from squads.runner import Lane, Runner
from squads.testing import FixedClock, FixedSigner, ScriptedBuilder, ScriptedCoordinator, ScriptedGate, seeded_entropy
from squads.workspace import Workspace


class Stage:
    """A runner with a bus, and nobody behind it but the test."""

    workspace: Workspace
    bus: LocalBus
    runner: Runner
    lane: Lane

    async def open(self) -> Stage:
        self.squad = Squad(
            builders=[ScriptedBuilder(prior="b"), ScriptedBuilder(name="other-builder", prior="o")],
            coordinator=ScriptedCoordinator(prior="c"),
            gates=[ScriptedGate("style", prior="s"), ScriptedGate("security", prior="t")],
            clock=FixedClock(),
            entropy=seeded_entropy(1),
            limits=Limits(attempts_max=2),
        )
        self.workspace = await self.squad.workspace()
        self.bus = LocalBus()
        self.reader = Reader(self.workspace.blobs)
        self.runner = Runner(self.workspace, self.bus)
        self.runner.start()
        self.inboxes: dict[str, Consumer] = {}
        for role in ("coordinator", "builder", "other-builder", "style", "security"):
            address = address_of(role, self.squad._roles[role][1].digest)
            self.bus.declare(address)
            self.inboxes[role] = self.bus.consumer(address)
        packet = self.squad._packet("It.")
        digest, blob = packet.seal(self.workspace.entropy(SALT_BYTES))
        self.lane = await self.runner.open(self.squad._opening(packet, digest), (blob,))
        return self

    async def close(self) -> None:
        await self.runner.close()
        await self.bus.close()

    async def ask(self, role: str) -> Envelope:
        """Return what the runner asked this role for."""
        return (await asyncio.wait_for(self.inboxes[role].receive(), 5)).envelope

    def signer(self, role: str) -> Signer:
        if role == "owner":
            return self.workspace.signer(f"human:{self.workspace.person('owner')}")
        kind = {"coordinator": "coordinator", "builder": "builder", "other-builder": "builder"}
        return self.workspace.signer(f"{kind.get(role, 'gate')}:{role}")

    async def truth(self, envelope: Envelope, reply: Any) -> tuple[Any, tuple[bytes, ...]]:
        """Return the honest record of a reply, and its content."""
        request = envelope.body
        assert isinstance(request, RoleRequest)
        return await record_for(request, reply, self.reader, role=envelope.recipient, entropy=self.workspace.entropy)

    async def hand_in(
        self,
        record: PacketRecord,
        content: tuple[bytes, ...],
        signer: Signer,
        *,
        payload: bytes | None = None,
        signature: bytes | None = None,
        packet: str | None = None,
    ) -> None:
        """Send a signed record to the runner, and let it be taken."""
        payload = payload_of(record) if payload is None else payload
        signature = signer.sign(pae(PAYLOAD_TYPE, payload)) if signature is None else signature
        body = Signed(payload=payload, key=signer.key_id, signature=signature, content=content)
        await self.send(body, packet=packet)

    async def send(self, body: Any, *, packet: str | None = None, sender: str = "somebody") -> None:
        about = self.workspace.entropy(32).hex()
        await self.bus.send(
            Envelope(
                id=about,
                sender=sender,
                recipient="runner",
                packet=packet or self.lane.packet,
                cause=about,
                body=body,
            )
        )
        for _ in range(30):
            await asyncio.sleep(0)

    async def answer(self, envelope: Envelope, reply: Any) -> None:
        """Answer honestly."""
        record, content = await self.truth(envelope, reply)
        await self.hand_in(record, content, self.signer(envelope.recipient))

    async def to_review(self) -> tuple[Envelope, Envelope]:
        """Go on until both gates were asked, and return their requests."""
        await self.answer(await self.ask("coordinator"), Plan(tasks=(Task(name="t", brief="x", builder="builder"),)))
        await self.answer(await self.ask("builder"), Artifact.of({"a": "x"}))
        return await self.ask("style"), await self.ask("security")

    async def finish(self, style: Envelope, security: Envelope) -> None:
        """Approve honestly, and see it compose."""
        await self.answer(style, Approved())
        await self.answer(security, Approved())
        accept = await self.ask("coordinator")
        from squads.contracts.plan import Acceptance

        await self.answer(accept, Acceptance())
        assert self.lane.state is not None
        assert self.lane.state.finish is not None
        assert self.lane.state.finish.reason == "composed"

    async def receipts(self) -> list[str]:
        return [json.loads(s.payload)["predicateType"] for s in await self.workspace.ledger.read(self.lane.packet)]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = await Stage().open()
    yield made
    assert made.lane.failure is None
    await made.close()


LIES: dict[str, tuple[dict[str, Any], str, str]] = {
    # name: (what the record says instead, who signs it, why it is ignored)
    "another gate's ticket": ({"author": "security"}, "security", "another gate's ticket"),
    "another gate's name": ({}, "security", "signed for somebody else"),
    "the builder's key": ({}, "builder", "not authorised"),
    "a person's key": ({}, "owner", "not authorised"),
    "another subject": ({"subject": "ab" * 32}, "style", "another subject"),
    "another attempt": ({"attempt": 2}, "style", "another attempt"),
    "another request": ({"saw": "ab" * 32}, "style", "another request than was asked"),
    "another independence": ({"independence": "family"}, "style", "another request than was asked"),
    "another model": ({"model": "a:b"}, "style", "a model that is not this role's"),
    "an unknown ticket": ({"ticket": "ab" * 32}, "style", "unknown ticket"),
    "another workspace": ({"workspace": "ab" * 16}, "style", "another workspace"),
    "another packet": ({"packet": "ab" * 16}, "style", "another packet"),
}


@pytest.mark.parametrize(("changes", "signer", "reason"), LIES.values(), ids=LIES.keys())
async def test_a_verdict_that_is_wrong_in_one_place_is_ignored(
    stage: Stage, changes: dict[str, Any], signer: str, reason: str
) -> None:
    """Counted under its reason, not recorded, and the honest verdict counts afterwards."""
    style, security = await stage.to_review()
    before = await stage.receipts()
    record, content = await stage.truth(style, Approved())

    await stage.hand_in(record.but(**changes), content, stage.signer(signer))

    assert stage.runner.ignored == {reason: 1}
    assert await stage.receipts() == before
    await stage.finish(style, security)


async def test_an_unknown_key_is_ignored(stage: Stage) -> None:
    """A key that the root never registered says nothing."""
    style, security = await stage.to_review()
    record, content = await stage.truth(style, Approved())

    await stage.hand_in(record, content, FixedSigner("stranger"))

    assert stage.runner.ignored == {"unknown key": 1}
    await stage.finish(style, security)


async def test_a_wrong_signature_is_ignored(stage: Stage) -> None:
    """A known key's name under somebody else's signature, or under bytes that were changed afterwards."""
    style, security = await stage.to_review()
    record, content = await stage.truth(style, Approved())
    signer = stage.signer("style")
    honest = signer.sign(pae(PAYLOAD_TYPE, payload_of(record)))

    await stage.hand_in(record, content, signer, signature=b"\0" * 64)
    await stage.hand_in(record, content, signer, signature=honest[:-1])
    await stage.hand_in(record, content, signer, signature=FixedSigner("x").sign(pae(PAYLOAD_TYPE, payload_of(record))))
    await stage.hand_in(record.but(looked=7), content, signer, signature=honest)

    assert stage.runner.ignored == {"forged signature": 4}
    await stage.finish(style, security)


async def test_what_is_no_receipt_is_ignored(stage: Stage) -> None:
    """Signed by a known key, and yet no statement of ours, or one with a field too many."""
    style, security = await stage.to_review()
    record, content = await stage.truth(style, Approved())
    signer = stage.signer("style")
    predicate = record.model_dump(mode="json")
    odd = [
        b"",
        b"{}",
        b"[" * 10_000,
        statement_bytes("verdict", (("subject", record.subject),), {**predicate, "more": 1}),
        statement_bytes("verdict", (("subject", record.subject),), {**predicate, "looked": True}),
    ]

    for payload in odd:
        await stage.hand_in(record, content, signer, payload=payload)

    assert stage.runner.ignored == {"unreadable payload": len(odd)}
    await stage.finish(style, security)


async def test_what_is_no_reply_is_ignored(stage: Stage) -> None:
    """A request in the runner's inbox, and a reply about a packet that this runner does not hold."""
    style, security = await stage.to_review()
    record, content = await stage.truth(style, Approved())

    await stage.send(style.body)
    await stage.hand_in(record, content, stage.signer("style"), packet="cd" * 16)

    assert stage.runner.ignored == {"not a reply": 1, "unknown packet": 1}
    await stage.finish(style, security)


async def test_outputs_are_never_inputs(stage: Stage) -> None:
    """A role that signs the packet's end, with its own key, ends nothing."""
    style, security = await stage.to_review()
    base = {"workspace": stage.workspace.id, "packet": stage.lane.packet}
    finish = FinishRecord(**base, outcome="composed", reason="composed", artifact="ab" * 32)

    await stage.hand_in(finish, (), stage.signer("style"))
    await stage.hand_in(finish, (), stage.workspace.signer("runner"))
    await stage.hand_in(finish, (), stage.workspace.signer("root"))

    assert stage.runner.ignored == {"not authorised": 2, "an output is never an input": 1}
    await stage.finish(style, security)


def sealed(document: Any) -> tuple[str, bytes]:
    return document.seal(b"\7" * 32)  # type: ignore[no-any-return]


FINDING = Finding(invariant="a.b", message="no")


@pytest.mark.parametrize(
    ("document", "record"),
    [
        (Refused(findings=(FINDING,)), {}),
        (Approved(looked=0), {"looked": 3}),
        (Approved(notes=(FINDING,)), {}),
        (Approved(waivers=("ab" * 32,)), {}),
        (Statement(text="approved"), {}),
    ],
    ids=["a refusal", "nothing looked at", "hidden findings", "hidden waivers", "no verdict at all"],
)
async def test_a_verdict_whose_content_says_other_than_its_record(
    stage: Stage, document: Any, record: dict[str, Any]
) -> None:
    """Signed by the right gate and still contradicting itself: it could not look, and is asked once more."""
    style, security = await stage.to_review()
    honest, _ = await stage.truth(style, Approved())
    digest, blob = sealed(document)

    await stage.hand_in(honest.but(content=digest, **record), (blob,), stage.signer("style"))
    await stage.answer(security, Approved())

    assert stage.runner.ignored == {}
    again = await stage.ask("style")
    assert isinstance(again.body, RoleRequest)
    assert again.body.ticket != style.body.ticket  # type: ignore[union-attr]
    faults = [k for k in await stage.receipts() if "fault" in k]
    assert len(faults) == 1


async def test_a_verdict_without_its_content(stage: Stage) -> None:
    """Words that nobody can read are no verdict."""
    style, security = await stage.to_review()
    record, _ = await stage.truth(style, Approved())

    await stage.hand_in(record, (), stage.signer("style"))
    await stage.answer(security, Approved())

    assert isinstance((await stage.ask("style")).body, RoleRequest)


async def test_nobody_silences_another_role(stage: Stage) -> None:
    """A known key that hands in an unreadable verdict for a ticket of somebody else closes nothing."""
    style, security = await stage.to_review()
    record, _ = await stage.truth(style, Approved())

    for role in ("builder", "security", "owner"):
        await stage.hand_in(record, (), stage.signer(role))

    assert stage.runner.ignored == {"unreadable content": 3}
    await stage.finish(style, security)


async def test_a_record_about_nothing_that_was_asked(stage: Stage) -> None:
    """An answer whose content is missing names neither request nor ticket: ignored, and the run goes on."""
    style, security = await stage.to_review()
    answer = AnswerRecord(
        workspace=stage.workspace.id,
        packet=stage.lane.packet,
        question="ab" * 32,
        subject="ab" * 32,
        author=stage.workspace.person("owner"),
        decision="denied",
        channel="terminal",
        content="ab" * 32,
    )

    await stage.hand_in(answer, (), stage.signer("owner"))
    await stage.hand_in(answer.but(content=None), (), stage.signer("owner"))

    assert stage.runner.ignored == {"unreadable content": 1, "unknown question": 1}
    await stage.finish(style, security)


async def test_a_deep_content_is_unreadable_not_fatal(stage: Stage) -> None:
    """JSON that is nested until the parser gives up is a fault of its author, not of the run."""
    from squads.contracts.base import digest_of

    style, security = await stage.to_review()
    record, _ = await stage.truth(style, Approved())
    blob = b'{"kind":"approved","notes":' + b"[" * 200_000

    await stage.hand_in(record.but(content=digest_of(blob)), (blob,), stage.signer("style"))
    await stage.answer(security, Approved())

    assert isinstance((await stage.ask("style")).body, RoleRequest)


async def test_the_same_verdict_twice_counts_once(stage: Stage) -> None:
    """Doubled on the way: recorded once."""
    style, _security = await stage.to_review()
    record, content = await stage.truth(style, Approved())

    for _ in range(3):
        await stage.hand_in(record, content, stage.signer("style"))

    assert stage.runner.ignored == {"duplicate": 2}
    assert len([k for k in await stage.receipts() if "verdict" in k]) == 1


async def test_two_answers_to_one_ticket_are_equivocation(stage: Stage) -> None:
    """The contradiction is recorded, and nothing composes."""
    style, _ = await stage.to_review()
    await stage.answer(style, Approved())

    await stage.answer(style, Refused(findings=(FINDING,)))

    assert stage.lane.state is not None
    assert stage.lane.state.finish is not None
    assert stage.lane.state.finish.reason == "equivocation"
    assert any("equivocation" in k for k in await stage.receipts())


async def test_a_late_verdict_is_ignored(stage: Stage) -> None:
    """After the packet's end nothing counts any more."""
    style, security = await stage.to_review()
    await stage.finish(style, security)
    before = await stage.receipts()

    await stage.answer(style, Refused(findings=(FINDING,)))

    assert stage.runner.ignored == {"ended": 1}
    assert await stage.receipts() == before


async def test_silence_that_was_recorded_stands(stage: Stage) -> None:
    """A verdict that comes in after its ticket was closed for silence is too late."""
    style, _security = await stage.to_review()
    assert isinstance(style.body, RoleRequest)
    await stage.send(Failed(about=style.cause, reason="crashed"))
    await stage.send(Failed(about=style.cause, reason="crashed"), sender="style")

    await stage.answer(style, Approved())
    await stage.send(Failed(about=style.cause, reason="crashed"), sender="style")

    assert stage.runner.ignored == {"not asked": 1, "too late": 1, "already answered": 1}


async def test_an_artifact_must_be_whole(stage: Stage) -> None:
    """A manifest without its files, or with other bytes than it lists, uses up the builder's attempt."""
    await stage.answer(await stage.ask("coordinator"), Plan(tasks=(Task(name="t", brief="x", builder="builder"),)))
    request = await stage.ask("builder")
    record, (manifest, content) = await stage.truth(request, Artifact.of({"a": "x"}))
    assert content == b"x"

    await stage.hand_in(record, (manifest, b"other"), stage.signer("builder"))

    again = await stage.ask("builder")
    assert isinstance(again.body, RoleRequest)
    assert again.body.attempt == 2  # type: ignore[union-attr]


async def test_only_the_builder_that_was_asked_hands_in(stage: Stage) -> None:
    """Another builder's artifact, under its own name or the other's, is ignored."""
    await stage.answer(await stage.ask("coordinator"), Plan(tasks=(Task(name="t", brief="x", builder="builder"),)))
    request = await stage.ask("builder")
    record, content = await stage.truth(request, Artifact.of({"a": "x"}))
    assert isinstance(record, ArtifactRecord)

    await stage.hand_in(record, content, stage.signer("other-builder"))
    await stage.hand_in(record.but(author="other-builder"), content, stage.signer("other-builder"))

    assert stage.runner.ignored == {"signed for somebody else": 1, "another role's request": 1}
    await stage.answer(request, Artifact.of({"a": "x"}))
    await stage.finish(await stage.ask("style"), await stage.ask("security"))


@pytest.mark.parametrize("lie", ["other author", "other attempt", "other inputs"])
async def test_a_manifest_that_names_another_origin_fails_the_attempt(stage: Stage, lie: str) -> None:
    """The manifest says who made it, at which attempt and from what; anything else is not this attempt."""
    await stage.answer(await stage.ask("coordinator"), Plan(tasks=(Task(name="t", brief="x", builder="builder"),)))
    request = await stage.ask("builder")
    record, _ = await stage.truth(request, Artifact.of({"a": "x"}))
    change: dict[str, Any] = {
        "other author": {"author": "other-builder", "attempt": 1},
        "other attempt": {"author": "builder", "attempt": 2},
        "other inputs": {"author": "builder", "attempt": 1, "made_from": ["ab" * 32]},
    }[lie]
    artifact = Artifact.of({"a": "x"}, salt="cd" * 32, **change)

    await stage.hand_in(record.but(artifact=artifact.digest), (artifact.manifest.blob, b"x"), stage.signer("builder"))

    assert (await stage.ask("builder")).body.attempt == 2  # type: ignore[union-attr]


async def test_a_plan_whose_content_says_other_than_its_record(stage: Stage) -> None:
    """Briefs that are not those of the record are no plan: it is asked for again."""
    request = await stage.ask("coordinator")
    record, _ = await stage.truth(request, Plan(tasks=(Task(name="t", brief="x", builder="builder"),)))
    for other in (
        Plan(tasks=(Task(name="t", brief="longer", builder="builder"),)),
        Plan(tasks=(Task(name="t", brief="x", builder="other-builder"),)),
        Plan(tasks=(Task(name="t", brief="x", builder="builder"), Task(name="u", brief="y", builder="builder"))),
    ):
        digest, blob = sealed(other)
        await stage.hand_in(record.but(content=digest), (blob,), stage.signer("coordinator"))
        break

    assert (await stage.ask("coordinator")).body.attempt == 2  # type: ignore[union-attr]


async def test_an_opening_over_the_bus_opens_nothing(stage: Stage) -> None:
    """Packets are opened by the program, in this process; a second opening of this one is ignored."""
    style, security = await stage.to_review()
    packet = Packet(brief="Another.", gates=("style",))
    digest, blob = packet.seal(b"\1" * 32)
    opened = stage.squad._opening(packet, digest)
    assert opened.rules == RULES_VERSION
    mine = stage.lane.state.opened if stage.lane.state else opened

    await stage.hand_in(opened, (blob,), stage.workspace.signer("program"), packet=opened.packet)
    await stage.hand_in(mine, (blob,), stage.workspace.signer("program"))

    assert isinstance(mine, Opened)
    assert stage.runner.ignored["unknown packet"] == 1
    assert sum(stage.runner.ignored.values()) == 2
    assert len(await stage.workspace.ledger.streams()) == 2
    await stage.finish(style, security)


async def test_a_verdict_record_knows_its_ticket(stage: Stage) -> None:
    """What the honest record says is what the ticket asked; every lie above breaks this in one place."""
    style, _ = await stage.to_review()
    record, _ = await stage.truth(style, Approved())

    assert isinstance(record, VerdictRecord)
    assert stage.lane.state is not None
    ticket = stage.lane.state.tickets[record.ticket]
    assert record.saw == ticket.request.saw == style.body.saw  # type: ignore[union-attr]
    assert record.subject == ticket.record.subject
    assert (await stage.workspace.ledger.read(WORKSPACE))[0].seq == 0

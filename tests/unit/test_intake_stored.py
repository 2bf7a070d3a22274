"""Content that is only named was not brought: a reply counts with what a bus has fetched for it, and nothing else."""

from __future__ import annotations

import json

import pytest

from squads import Approved, Artifact, Builder, Composed, Gate, NotComposed, Squad, session
from squads.adapters.local_bus import LocalBus
from squads.adapters.memory_blobs import MemoryBlobs
from squads.adapters.redis_bus.content import picked_up, set_down
from squads.contracts.base import digest_of
from squads.contracts.messages import Envelope, Signed
from squads.contracts.outcome import Outcome
from squads.contracts.work import BuildWork, ReviewWork

LARGE = "large " * 10_000


class Wire(LocalBus):
    """A bus whose senders set content down, and whose receivers pick it up unless `between` says otherwise."""

    def __init__(self, squad: Squad, between: str) -> None:
        super().__init__()
        self.squad = squad
        self.shared = MemoryBlobs()
        self.between = between
        self.named: list[str] = []

    async def send(self, envelope: Envelope, *, timeout: float | None = None) -> bool:
        if not isinstance(envelope.body, Signed) or not envelope.body.content:
            return await super().send(envelope, timeout=timeout)
        if self.between == "omitted":
            left = tuple(content for content in envelope.body.content if content != LARGE.encode())
            return await super().send(envelope.but(body=envelope.body.but(content=left)), timeout=timeout)
        bound = 0 if self.between == "named for ever" else 32 * 1024
        sent = await set_down(envelope, self.shared, inline_bytes_max=bound)
        assert isinstance(sent.body, Signed)
        self.named += sent.body.stored
        if sent.body.stored and self.between == "lost":
            await self.shared.erase(sent.body.stored[-1])
        if sent.body.stored and self.between == "swapped":
            self.shared._content[sent.body.stored[-1]] = b"other bytes"
        if sent.body.stored and self.between == "others":
            secret = await self.shared.put(b"somebody else's")
            sent = sent.but(body=sent.body.but(stored=(*sent.body.stored, secret)))
        if self.between != "named for ever":
            sent = await picked_up(sent, self.shared)
        return await super().send(sent, timeout=timeout)


class Writer(Builder):
    """Writes what does not fit into a message."""

    def build(self, work: BuildWork) -> Artifact:
        return work.artifact({"a.txt": LARGE, "b.txt": "small"})


class Reads(Gate):
    """Approves what it has read."""

    def review(self, work: ReviewWork) -> Approved:
        assert work.artifact is not None
        assert LARGE == work.artifact.files[0].text
        return Approved()


async def run(monkeypatch: pytest.MonkeyPatch, between: str) -> tuple[Outcome, Wire, Squad]:
    squad = Squad(builder=Writer(prior="w"), gates=[Reads(name="reads", prior="r")])
    wire = Wire(squad, between)
    monkeypatch.setattr(session, "LocalBus", lambda: wire)
    return await squad.run("Two texts."), wire, squad


async def test_a_large_artifact_arrives_by_way_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """It composes, with the bytes that the builder made."""
    outcome, wire, squad = await run(monkeypatch, "")
    await squad.close()

    assert isinstance(outcome, Composed)
    assert digest_of(LARGE.encode()) in wire.named
    assert LARGE == outcome.artifact.files[0].text


@pytest.mark.parametrize("between", ["lost", "swapped", "named for ever"])
async def test_content_that_did_not_arrive_is_a_fault(monkeypatch: pytest.MonkeyPatch, between: str) -> None:
    """Missing, other bytes, or still only named: each try is recorded as a fault, and nothing composes."""
    outcome, wire, squad = await run(monkeypatch, between)
    workspace = await squad.workspace()
    receipts = await workspace.ledger.read(outcome.packet)
    faults = [json.loads(receipt.payload) for receipt in receipts if b"fault" in receipt.payload]
    await squad.close()

    assert isinstance(outcome, NotComposed)
    assert wire.named
    assert {"unreadable"} == {fault["predicate"]["reason"] for fault in faults}
    assert not await workspace.blobs.has(wire.named[-1])


async def test_content_that_the_record_does_not_speak_of_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names somebody else's content in a reply has it fetched, and that is all."""
    outcome, wire, squad = await run(monkeypatch, "others")
    workspace = await squad.workspace()
    secret = digest_of(b"somebody else's")
    kept = await workspace.blobs.has(secret)
    await squad.close()

    assert isinstance(outcome, Composed)
    assert await wire.shared.has(secret)
    assert not kept


async def test_content_that_another_packet_has_is_stored_for_this_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reply may leave out what is there already; erasing the packet that it is there for takes nothing from this."""
    first, wire, squad = await run(monkeypatch, "")
    wire.between = "omitted"
    second = await squad.run("Two texts.")
    workspace = await squad.workspace()
    await workspace.ledger.erase(first.packet)
    kept = await workspace.blobs.has(digest_of(LARGE.encode()))
    await squad.close()

    assert isinstance(second, Composed)
    assert kept

"""Charter and facts reach each role as far as it may read them, and what it was told is part of what it saw."""

from __future__ import annotations

import pytest

from squads import Approved, Artifact, Builder, Gate, Squad
from squads.contracts.memory import Fact, Recalled
from squads.contracts.records import Opened, VerdictRecord
from squads.contracts.work import BuildWork, ReviewWork
from squads.handover import Reader
from squads.kernel.receipts import receipt_of, record_in
from squads.memory.shelf import Shelf

FACTS = (
    Fact(id="cents", text="Balances are stored in cents.", source="the owner"),
    Fact(id="canary", text="The canary word is mistletoe.", source="the owner", scope="gate:schema"),
)


class Carpenter(Builder):
    name = "carpenter"
    heard: tuple[str, tuple[Fact, ...]] = ("", ())

    def build(self, work: BuildWork) -> Artifact:
        self.heard = (work.charter, work.facts)
        return work.artifact({"a.txt": "x"})


class Schema(Gate):
    name = "schema"
    heard: tuple[str, tuple[Fact, ...]] = ("", ())

    def review(self, work: ReviewWork) -> Approved:
        self.heard = (work.charter, work.facts)
        return work.approve()


async def test_each_role_is_told_what_it_may_read() -> None:
    """The charter is for all, and a gate's fact never reaches the builder, not even in the packet."""
    builder, gate = Carpenter(), Schema()
    outcome = await Squad(builder=builder, gates=[gate], memory=Shelf(FACTS, charter="Do no harm.")).run("A balance.")

    assert "composed" == outcome.kind
    assert ("Do no harm.", FACTS[:1]) == builder.heard
    assert ("Do no harm.", FACTS) == gate.heard


async def records(squad: Squad) -> tuple[Opened, VerdictRecord, Reader]:
    outcome = await squad.run("A balance.")
    workspace = await squad.workspace()
    found = [
        record_in(receipt_of(s.seq, s.payload_type, s.payload, (), s.time_ms))
        for s in await workspace.ledger.read(outcome.packet)
    ]
    opened = next(r for r in found if isinstance(r, Opened))
    return opened, next(r for r in found if isinstance(r, VerdictRecord)), Reader(workspace.blobs)


async def test_what_was_told_is_in_the_ledger_by_digest() -> None:
    """The opening names it for each role, so a stranger can see what a gate knew when it judged."""
    opened, _, reader = await records(Squad(builder=Carpenter(), gates=[Schema()], memory=Shelf(FACTS)))

    told = {m.role: await reader.document(m.content, Recalled) for m in opened.memory}
    assert {"one-task", "carpenter", "schema"} == set(told)
    assert FACTS == told["schema"].facts
    assert FACTS[:1] == told["carpenter"].facts


async def test_a_squad_without_memory_tells_nothing() -> None:
    """And its ledger holds nothing that says otherwise."""
    opened, _, _ = await records(Squad(builder=Carpenter(), gates=[Schema()]))

    assert () == opened.memory


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f.id)
async def test_no_leaf_holds_a_fact(fact: Fact) -> None:
    """Leaves hold digests; facts are content and can be erased."""
    squad = Squad(builder=Carpenter(), gates=[Schema()], memory=Shelf(FACTS))
    await squad.run("A balance.")

    async for _, leaf, _ in (await squad.workspace()).ledger.scan():
        assert fact.text.encode() not in leaf

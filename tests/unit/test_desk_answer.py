"""Answering at a desk: without the packet's roles, about exactly one composition, once, and beside anybody else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, Artifact, AwaitingApproval, Composed, InvalidInput, NotComposed, Squad
from squads.audit import audit
from squads.contracts.errors import KeyUnavailable, UnknownPacket
from squads.contracts.records import AnswerRecord
from squads.desk import Desk
from squads.kernel.receipts import receipt_of, record_of
from squads.stores import keys_of
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate

OWNER = ApprovalRule(approvers=("owner",))
TWO = ApprovalRule(approvers=("owner", "mara"), quorum=2)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "s"


async def waiting(store: Path, approval: ApprovalRule = OWNER, **more: Any) -> AwaitingApproval:
    """A packet that waits for people, and whose squad is gone."""
    more.setdefault("people", ("owner", "mara"))
    async with Squad(
        builder=ScriptedBuilder({"a.sql": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=store,
        approval=approval,
        **more,
    ) as made:
        outcome = await made.run("It.")
    assert isinstance(outcome, AwaitingApproval)
    return outcome


async def answers_in(desk: Desk, packet: str) -> list[AnswerRecord]:
    receipts = [
        receipt_of(s.seq, s.payload_type, s.payload, (), s.time_ms) for s in await desk.workspace.ledger.read(packet)
    ]
    return [r for r in (record_of(r.kind, r.predicate) for r in receipts) if isinstance(r, AnswerRecord)]


async def test_a_yes_composes_without_any_role(store: Path) -> None:
    """Nothing but the end follows the last yes; the receipt says who, how and about what, and the audit passes."""
    asked = await waiting(store)
    async with Desk.open(store) as desk:
        outcome = await desk.answer(asked.packet[:8], approve=True, reason="read it", channel="terminal")
        (answer,) = await answers_in(desk, asked.packet)
        owner = desk.workspace.person("owner")
        words = await desk.workspace.blobs.get(answer.content or "")

    assert isinstance(outcome, Composed)
    assert asked.subject == outcome.artifact.digest
    assert (owner, "approved", "terminal", asked.subject) == (
        answer.author,
        answer.decision,
        answer.channel,
        answer.subject,
    )
    assert b"read it" in words
    assert audit(store).failed == ()


async def test_a_no_refuses(store: Path) -> None:
    """One denial by somebody who was asked ends the packet, whatever the quorum."""
    asked = await waiting(store, TWO)
    async with Desk.open(store) as desk:
        outcome = await desk.answer(asked.packet, person="mara", approve=False, reason="wrong table")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("approval-denied", 1)


async def test_below_the_quorum_it_waits_on(store: Path) -> None:
    """The first of two leaves the packet waiting, by name; the second composes."""
    asked = await waiting(store, TWO)
    async with Desk.open(store) as desk:
        first = await desk.answer(asked.packet, person="owner", approve=True)
        question = await desk.question(asked.packet)
        second = await desk.answer(asked.packet, person="mara", approve=True)

    assert isinstance(first, AwaitingApproval)
    assert first.approvers == ("owner", "mara")
    assert question.approved == ("owner",)
    assert isinstance(second, Composed)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"person": "noor"}, "noor was not asked; asked: owner, mara"),
        ({"person": "stranger"}, "'stranger' has no key in this workspace; known here: mara, noor, owner"),
        ({"person": ""}, "'' has no key"),
        ({"person": "../../x"}, "has no key"),
        ({"digest": "0" * 12}, "the question is about composition"),
        ({"digest": "abc"}, "no beginning of a digest"),
        ({"digest": "no hex at all"}, "no beginning of a digest"),
        ({"reason": "x" * 4_001}, r"Statement\.text"),
        ({"packet": "0" * 32}, "no packet 0000"),
    ],
    ids=lambda v: None if isinstance(v, dict) else str(v)[:24].strip(),
)
async def test_an_answer_that_does_not_count_says_why_and_leaves_no_trace(
    store: Path, how: dict[str, str], why: str
) -> None:
    """No receipt, no key file; the question stays open."""
    asked = await waiting(store, TWO, people=("owner", "mara", "noor"))
    async with Desk.open(store) as desk:
        keys = sorted(keys_of(desk.workspace.trust).iterdir())
        size = (await desk.workspace.ledger.head()).size
        with pytest.raises(InvalidInput, match=why):
            await desk.answer(**{"packet": asked.packet, "person": "owner", "approve": True, **how})  # type: ignore[arg-type]

        assert (size, keys) == (
            (await desk.workspace.ledger.head()).size,
            sorted(keys_of(desk.workspace.trust).iterdir()),
        )
        assert asked.subject == (await desk.question(asked.packet)).composition


async def test_nobody_counts_twice(store: Path) -> None:
    """The same person again is told so, and the other one is still needed."""
    asked = await waiting(store, TWO)
    async with Desk.open(store) as desk:
        await desk.answer(asked.packet, approve=True)
        with pytest.raises(InvalidInput, match="owner has already answered"):
            await desk.answer(asked.packet, approve=True)

        assert (await desk.question(asked.packet)).open_to == ("mara",)


async def test_the_digest_binds_the_answer(store: Path) -> None:
    """A beginning of the right digest is taken."""
    asked = await waiting(store)
    async with Desk.open(store) as desk:
        assert isinstance(await desk.answer(asked.packet, approve=True, digest=asked.subject[:6]), Composed)


@pytest.mark.parametrize("channel", ["program", "flag"])
async def test_where_a_person_is_demanded_a_program_does_not_count(store: Path, channel: Any) -> None:
    """The sentence says what would; a person at a terminal composes."""
    asked = await waiting(store, ApprovalRule(approvers=("owner",), person_required=True))
    async with Desk.open(store) as desk:
        assert (await desk.question(asked.packet)).person_required
        with pytest.raises(InvalidInput, match="this packet demands one, at a terminal or on a page"):
            await desk.answer(asked.packet, approve=True, channel=channel)

        assert isinstance(await desk.answer(asked.packet, approve=True, channel="terminal"), Composed)


async def test_an_answer_too_late_records_the_expiry(store: Path) -> None:
    """Nobody recorded it before: the answer does not count, says why, and the packet has ended."""
    clock = FixedClock()
    asked = await waiting(store, ApprovalRule(approvers=("owner",), wait_ms_max=60_000), clock=clock)
    clock.advance(60_000)
    async with Desk.open(store, clock=clock) as desk:
        with pytest.raises(InvalidInput, match=r"has ended meanwhile \(approval-expired"):
            await desk.answer(asked.packet, approve=True)
        (ended,) = (await desk.overview()).ended
        with pytest.raises(InvalidInput, match="has ended: approval-expired; there is nothing to answer"):
            await desk.answer(asked.packet, approve=True)

    assert ended.reason == "approval-expired"


async def test_a_stopped_packet_takes_no_answer(store: Path) -> None:
    """Neither yes nor no; after the lift the answer counts."""
    asked = await waiting(store)
    async with Desk.open(store) as desk:
        await desk.stop("wait", packet=asked.packet[:6], person="mara")
        for approve in (True, False):
            with pytest.raises(InvalidInput, match="the packet is stopped; a person lifts the stop first"):
                await desk.answer(asked.packet, approve=approve)
        await desk.lift("go", person="owner", packet=asked.packet[:6])

        assert isinstance(await desk.answer(asked.packet, approve=True), Composed)


async def test_a_packet_without_a_composition_has_nothing_to_approve(store: Path) -> None:
    """It is still being built: the sentence says where it stands, and no role is asked for anything."""
    reached = asyncio.Event()

    async def never(_: Any) -> Artifact:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with Squad(
        builder=ScriptedBuilder(never, prior="b"), gates=[ScriptedGate("style", prior="g")], store=store
    ) as made:
        running = asyncio.create_task(made.run("It."))
        await reached.wait()
        packet = (await (await made.workspace()).ledger.streams())[-1]
        async with Desk.open(store) as desk:
            with pytest.raises(InvalidInput, match="has no open question: it is building"):
                await desk.answer(packet, approve=True)
        running.cancel()


async def test_the_persons_key_must_be_at_hand(store: Path) -> None:
    """Somebody whose key is registered and elsewhere is not spoken for, and gets no second key."""
    asked = await waiting(store)
    async with Desk.open(store) as desk:
        file = keys_of(desk.workspace.trust) / f"human-{desk.workspace.person('owner')}.key"
    file.unlink()
    async with Desk.open(store) as desk:
        with pytest.raises(KeyUnavailable, match="the key of owner is not on this machine"):
            await desk.answer(asked.packet, approve=True)

    assert not file.exists()


# Beside others --------------------------------------------------------------------------------------------------------


async def test_a_run_that_waits_in_this_process_hears_of_the_answer(store: Path) -> None:
    """The squad's approver takes for ever and the desk answers: whoever looks next wakes the run, which returns."""
    reached = asyncio.Event()

    async def never(_: Artifact) -> bool:
        reached.set()
        await asyncio.Event().wait()
        return True

    async with Squad(
        builder=ScriptedBuilder({"a.sql": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        store=store,
        approval=OWNER,
        approver=never,
    ) as made:
        running = asyncio.create_task(made.run("It."))
        await reached.wait()
        packet = (await (await made.workspace()).ledger.streams())[-1]
        async with Desk.open(store) as desk:
            answered = await desk.answer(packet, approve=True)
        resumed = await asyncio.wait_for(made.resume(packet), 10)

        assert isinstance(answered, Composed)
        assert answered == resumed
        assert resumed == await asyncio.wait_for(running, 10)


@pytest.mark.parametrize("decisions", [(True, True), (True, False)], ids=["both-yes", "yes-and-no"])
async def test_of_two_desks_at_once_one_wins(store: Path, decisions: tuple[bool, bool]) -> None:
    """The other one gets a sentence; the ledger has one answer and verifies."""
    asked = await waiting(store, ApprovalRule(approvers=("owner", "mara")))
    async with Desk.open(store) as first, Desk.open(store) as second:
        said = await asyncio.gather(
            first.answer(asked.packet, person="owner", approve=decisions[0]),
            second.answer(asked.packet, person="mara", approve=decisions[1]),
            return_exceptions=True,
        )
        answers = await answers_in(first, asked.packet)

    (lost,) = [s for s in said if isinstance(s, InvalidInput)]
    assert len([s for s in said if isinstance(s, (Composed, NotComposed))]) == 1
    assert "has ended" in str(lost)
    assert len(answers) == 1
    assert audit(store).failed == ()


async def test_two_desks_reach_a_quorum_at_once(store: Path) -> None:
    """Both answers count, in whatever order the ledger takes them."""
    asked = await waiting(store, TWO)
    async with Desk.open(store) as first, Desk.open(store) as second:
        said = await asyncio.gather(
            first.answer(asked.packet, person="owner", approve=True),
            second.answer(asked.packet, person="mara", approve=True),
        )

    assert {"composed"} <= {s.kind for s in said} <= {"composed", "awaiting-approval"}
    assert audit(store).failed == ()


async def test_an_unknown_packet_names_those_that_are_open(store: Path) -> None:
    """So that a mistyped id is found at once."""
    asked = await waiting(store)
    async with Desk.open(store) as desk:
        with pytest.raises(UnknownPacket, match=asked.packet):
            await desk.answer("f" * 32, approve=True)

"""People: who is asked, what counts as an answer, what happens when nobody answers, and waivers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from squads import (
    ApprovalRule,
    Approved,
    Artifact,
    AwaitingApproval,
    Composed,
    Finding,
    InvalidInput,
    Limits,
    NotComposed,
    Refusal,
    Squad,
)
from squads.adapters.approvers import FlagApprover
from squads.contracts.errors import InvalidSquad
from squads.contracts.plan import Statement
from squads.contracts.records import AnswerRecord
from squads.contracts.work import Answer, ReviewWork
from squads.kernel.receipts import receipt_of, record_of
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate

OWNER = ApprovalRule(approvers=("owner",))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return None if request.param == "memory" else tmp_path / ".squads"


def squad(**more: Any) -> Squad:
    more.setdefault("approval", OWNER)
    return Squad(
        builder=ScriptedBuilder({"a.sql": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        **more,
    )


async def answers_of(squad: Squad, packet: str) -> list[AnswerRecord]:
    ledger = (await squad.workspace()).ledger
    receipts = [receipt_of(s.seq, s.payload_type, s.payload, (), s.time_ms) for s in await ledger.read(packet)]
    records = [record_of(r.kind, r.predicate) for r in receipts]
    return [r for r in records if isinstance(r, AnswerRecord)]


# Asking in this process -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("say", "reason"),
    [(lambda _: True, None), (lambda _: False, "approval-denied")],
    ids=["yes", "no"],
)
async def test_a_function_is_asked(store: Path | None, say: Any, reason: str | None) -> None:
    """True composes, False is a signed refusal; the function sees exactly the composition."""
    seen: list[Artifact] = []
    async with squad(store=store, approver=lambda c: (seen.append(c), say(c))[1]) as made:
        outcome = await made.run("It.")
        (answer,) = await answers_of(made, outcome.packet)
        owner = (await made.workspace()).person("owner")

    assert seen[0].author == "runner"
    assert (answer.author, answer.channel, answer.subject) == (owner, "program", seen[0].digest)
    assert "owner" not in answer.author
    if reason is None:
        assert isinstance(outcome, Composed)
        assert outcome.artifact.digest == seen[0].digest
    else:
        assert isinstance(outcome, NotComposed)
        assert (outcome.reason, outcome.exit_code) == (reason, 1)


async def test_an_async_function_is_asked() -> None:
    """A person may take a moment."""

    async def ask(composition: Artifact) -> bool:
        await asyncio.sleep(0)
        return True

    assert isinstance(await squad(approver=ask).run("It."), Composed)


async def test_not_now_waits_in_the_ledger(store: Path | None) -> None:
    """None is no answer: the packet stays open, says whom it waits for, and can be answered later."""
    async with squad(store=store, approver=lambda _: None) as made:
        waiting = await made.run("It.")
        assert isinstance(waiting, AwaitingApproval)
        assert (waiting.approvers, waiting.quorum, waiting.exit_code) == (("owner",), 1, 3)
        assert "owner" in str(waiting)
        with pytest.raises(Refusal):
            waiting.raise_for_refusal()

        outcome = await made.answer(waiting.packet, person="owner", approve=True, reason="looks right")

        assert isinstance(outcome, Composed)
        assert outcome.artifact.digest == waiting.subject
        assert outcome.packet == waiting.packet


@pytest.mark.parametrize("said", ["yes", 1, "no", object()])
async def test_an_unclear_answer_is_no_answer(said: object) -> None:
    """Only True is yes: `"no"` is true to Python, and must not compose."""
    made = squad(approver=lambda _: said)

    with pytest.raises(InvalidInput, match="return True, False or None"):
        await made.run("It.")


async def test_an_approver_that_breaks_leaves_the_packet_open(tmp_path: Path) -> None:
    """An error means that we could not find out: the run raises, and the packet can be taken up again."""

    def broken(_: Artifact) -> bool:
        raise OSError("the pager is down")

    first = squad(store=tmp_path / "s", approver=broken)
    with pytest.raises(OSError, match="pager"):
        await first.run("It.")
    packet = (await (await first.workspace()).ledger.streams())[-1]
    await first.close()

    async with squad(store=tmp_path / "s", approver=lambda _: True) as again:
        assert isinstance(await again.resume(packet), Composed)


async def test_a_function_per_name_reaches_a_quorum() -> None:
    """Two of three people: the quorum composes, and nobody else needs to answer."""
    rule = ApprovalRule(approvers=("mara", "noor", "owner"), quorum=2)
    outcome = await squad(
        people=("owner", "mara", "noor"),
        approval=rule,
        approver={"mara": lambda _: True, "noor": lambda _: None, "owner": lambda _: True},
    ).run("It.")

    assert isinstance(outcome, Composed)


async def test_the_first_person_alone_makes_no_quorum_of_two(store: Path | None) -> None:
    """One approval, or one person twice, is not two people; the second person is."""
    rule = ApprovalRule(approvers=("mara", "noor"), quorum=2)
    async with squad(people=("mara", "noor"), approval=rule, approver=lambda _: True, store=store) as made:
        waiting = await made.run("It.")
        assert isinstance(waiting, AwaitingApproval)
        with pytest.raises(InvalidInput, match="already answered"):
            await made.answer(waiting.packet, person="mara", approve=True)

        outcome = await made.answer(waiting.packet, person="noor", approve=True)

    assert isinstance(outcome, Composed)


async def test_one_denial_refuses_whatever_the_others_say() -> None:
    """A quorum counts approvals; a denial ends it."""
    rule = ApprovalRule(approvers=("mara", "noor"), quorum=1)
    outcome = await squad(
        people=("mara", "noor"), approval=rule, approver={"mara": lambda _: False, "noor": lambda _: True}
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "approval-denied"


async def test_a_flag_is_recorded_as_a_flag() -> None:
    """`--yes` composes where nobody demands a person, and every receipt says that it was a flag."""
    made = squad(approver=FlagApprover())
    outcome = await made.run("It.")

    assert isinstance(outcome, Composed)
    assert [a.channel for a in await answers_of(made, outcome.packet)] == ["flag"]


async def test_where_a_person_is_required_a_flag_or_program_does_not_count() -> None:
    """The packet keeps waiting; a person at a terminal composes it."""
    rule = ApprovalRule(approvers=("owner",), person_required=True)
    async with squad(approval=rule, approver=FlagApprover()) as made:
        waiting = await made.run("It.")
        assert isinstance(waiting, AwaitingApproval)
        with pytest.raises(InvalidInput, match="not answered by a person"):
            await made.answer(waiting.packet, person="owner", approve=True)

        outcome = await made.answer(waiting.packet, person="owner", approve=True, channel="terminal")

    assert isinstance(outcome, Composed)


async def test_an_approver_object_may_justify() -> None:
    """An `Approver` gives answers with a statement, which is sealed beside the answer."""

    class Person:
        async def ask(self, question: Any, composition: Artifact) -> list[Answer]:
            return [
                Answer(name="owner", decision="approved", channel="page", statement=Statement(text="read it twice"))
            ]

    made = squad(approver=Person())
    outcome = await made.run("It.")
    (answer,) = await answers_of(made, outcome.packet)

    assert isinstance(outcome, Composed)
    assert answer.content is not None
    assert b"read it twice" in await (await made.workspace()).blobs.get(answer.content)


async def test_nobody_answers_for_a_stranger() -> None:
    """An approver that gives the word of somebody who was not asked gives nothing."""

    class Person:
        async def ask(self, question: Any, composition: Artifact) -> list[Answer]:
            return [Answer(name="stranger", decision="approved", channel="terminal")]

    assert isinstance(await squad(approver=Person()).run("It."), AwaitingApproval)


# Answering from elsewhere ---------------------------------------------------------------------------------------------


async def test_a_denial_is_an_answer(store: Path | None) -> None:
    """Denied from elsewhere, with a reason."""
    async with squad(store=store) as made:
        waiting = await made.run("It.")
        outcome = await made.answer(waiting.packet, person="owner", approve=False, reason="wrong table")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("approval-denied", 1)


async def test_another_process_may_answer(tmp_path: Path) -> None:
    """The wait is a state, not a process: nothing has to keep running, and nobody is asked again."""
    async with squad(store=tmp_path / "s") as first:
        waiting = await first.run("It.")
    other = Squad(
        builder=ScriptedBuilder(prior="b"),
        gates=[ScriptedGate("style", prior="g")],
        store=tmp_path / "s",
    )

    async with other:
        outcome = await other.answer(waiting.packet, person="owner", approve=True)

    assert isinstance(outcome, Composed)


@pytest.mark.parametrize(
    ("person", "why"),
    [("stranger", "has no key"), ("mara", "not asked"), ("../../tmp/x", "has no key"), ("", "has no key")],
)
async def test_an_answer_by_somebody_else_does_not_count(tmp_path: Path, person: str, why: str) -> None:
    """Who was not asked cannot answer, and asking for a stranger's key makes none."""
    async with squad(store=tmp_path / "s", people=("owner", "mara")) as made:
        waiting = await made.run("It.")
        before = sorted(tmp_path.rglob("*"))  # noqa: ASYNC240

        with pytest.raises(InvalidInput, match=why):
            await made.answer(waiting.packet, person=person, approve=True)

        assert sorted(tmp_path.rglob("*")) == before  # noqa: ASYNC240
        assert isinstance(await made.resume(waiting.packet), AwaitingApproval)


async def test_there_must_be_a_question() -> None:
    """An ended packet has none, and an unknown one is unknown."""
    async with squad(approver=lambda _: True) as made:
        outcome = await made.run("It.")

        with pytest.raises(InvalidInput, match="no open question"):
            await made.answer(outcome.packet, person="owner", approve=False)
        with pytest.raises(InvalidInput, match="no packet"):
            await made.answer("0" * 32, person="owner", approve=True)


async def test_somebody_may_answer_while_the_run_waits() -> None:
    """An approver that takes for ever does not keep another person from answering; both callers hear of it."""
    rule = ApprovalRule(approvers=("owner", "mara"))
    asked = asyncio.Event()

    async def never(_: Artifact) -> bool:
        asked.set()
        await asyncio.Event().wait()
        return True

    async with squad(people=("owner", "mara"), approval=rule, approver={"owner": never}) as made:
        running = asyncio.create_task(made.run("It."))
        await asked.wait()
        packet = (await (await made.workspace()).ledger.streams())[-1]

        answered = await made.answer(packet, person="mara", approve=True)

        assert isinstance(answered, Composed)
        assert await asyncio.wait_for(running, 10) == answered


async def test_the_same_question_is_not_put_twice_at_once() -> None:
    """Resuming a packet whose approver is being asked does not ask again."""
    asked: list[asyncio.Future[bool]] = []

    async def slow(_: Artifact) -> bool:
        asked.append(asyncio.get_running_loop().create_future())
        return await asked[-1]

    async with squad(approver=slow) as made:
        running = asyncio.create_task(made.run("It."))
        while not asked:  # noqa: ASYNC110
            await asyncio.sleep(0)
        packet = (await (await made.workspace()).ledger.streams())[-1]
        resuming = asyncio.create_task(made.resume(packet))
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(asked) == 1
        asked[0].set_result(True)

        outcomes = await asyncio.wait_for(asyncio.gather(running, resuming), 10)

    assert outcomes[0] == outcomes[1]
    assert isinstance(outcomes[0], Composed)


# Time -----------------------------------------------------------------------------------------------------------------


async def test_expiry_refuses(store: Path | None) -> None:
    """Nobody answered in time: a resume finds the packet expired, and a late answer does not count."""
    clock = FixedClock()
    rule = ApprovalRule(approvers=("owner",), wait_ms_max=60_000)
    async with squad(approval=rule, clock=clock, store=store) as made:
        waiting = await made.run("It.")
        assert isinstance(waiting, AwaitingApproval)
        assert waiting.expires_ms == clock.now_ms() + 60_000

        clock.advance(59_999)
        assert isinstance(await made.resume(waiting.packet), AwaitingApproval)
        clock.advance(1)
        with pytest.raises(InvalidInput, match="no open question"):
            await made.answer(waiting.packet, person="owner", approve=True)
        outcome = await made.resume(waiting.packet)

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("approval-expired", 2)


async def test_expiry_refuses_without_anybody_moving_a_hand() -> None:
    """With the real clock the deadline fires by itself, also while an approver never answers."""

    async def never(_: Artifact) -> bool:
        await asyncio.Event().wait()
        return True

    rule = ApprovalRule(approvers=("owner",), wait_ms_max=20)
    outcome = await asyncio.wait_for(squad(approval=rule, approver=never).run("It."), 10)

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "approval-expired"


async def test_an_expired_question_is_found_expired_by_another_process(tmp_path: Path) -> None:
    """Nothing ran while it expired: whoever takes the packet up finds it refused."""
    clock = FixedClock()
    rule = ApprovalRule(approvers=("owner",), wait_ms_max=1_000)
    async with squad(approval=rule, clock=clock, store=tmp_path / "s") as first:
        waiting = await first.run("It.")
    clock.advance(2_000)
    asked: list[Artifact] = []

    async with squad(approval=rule, clock=clock, store=tmp_path / "s", approver=asked.append) as second:
        outcome = await second.resume(waiting.packet)

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "approval-expired"
    assert asked == []


# Construction ---------------------------------------------------------------------------------------------------------


async def test_an_approver_without_a_key_is_an_error() -> None:
    """A packet that asks for somebody the workspace has no key for says so before it starts."""
    with pytest.raises(InvalidInput, match="'mara' must approve and has no key here"):
        await squad(approval=ApprovalRule(approvers=("mara",))).run("It.")


@pytest.mark.parametrize("bad", [42, "owner", True])
def test_what_is_no_approver_is_an_error(bad: Any) -> None:
    """A function, functions by name, or an object with `ask`."""
    with pytest.raises(InvalidSquad, match="is no approver"):
        squad(approver=bad)


@pytest.mark.parametrize("people", [("Mara Smith",), ("",), ("../x",), (3,), "owner"])
def test_a_persons_name_is_a_name(people: Any) -> None:
    """A name that no key could be registered for is refused before anything is written."""
    with pytest.raises(InvalidSquad, match=r"no name|one thing where several"):
        squad(people=people)


# Waivers --------------------------------------------------------------------------------------------------------------


def waiting_gate(answers: list[str]) -> Any:
    """A gate that refuses, unless it is shown a waiver, which it cites."""

    def review(work: ReviewWork) -> Any:
        answers.extend(w.text for w in work.waivers)
        if work.waivers:
            return work.approve(waivers=[w.id for w in work.waivers])
        return work.refuse(Finding(invariant="style.tabs", message="tabs"))

    return review


async def test_a_waiver_is_cited_by_the_gate_that_signs_its_own_verdict() -> None:
    """A person with the scope `waiver` speaks for exactly these bytes; the gate reads the words and approves."""
    shown: list[str] = []
    review = waiting_gate(shown)
    holding = asyncio.Event()
    resumed = asyncio.Event()

    async def first(work: ReviewWork) -> Any:
        holding.set()
        await resumed.wait()
        return work.abstain("waiting for a waiver")

    builder = ScriptedBuilder({"a.sql": "\t"})
    gate = ScriptedGate("style", first, review)
    async with Squad(builder=builder, gates=[gate], limits=Limits(attempts_max=1)) as made:
        workspace = await made.workspace()
        running = asyncio.create_task(made.run("It."))
        await holding.wait()
        packet = (await workspace.ledger.streams())[-1]
        work = gate.script.asked[0]
        assert isinstance(work, ReviewWork)
        assert work.artifact is not None
        words = {"artifact": work.artifact.digest, "gate": "style", "reason": "tabs are fine here", "person": "owner"}
        later = workspace.now_ms() + 60_000

        with pytest.raises(InvalidInput, match="not authorised"):
            await made.waive(packet, expires_ms=later, **words)
        await workspace.grant("human:owner", "waiver")
        await made.waive(packet, expires_ms=later, **words)
        with pytest.raises(InvalidInput, match="no such gate"):
            await made.waive(packet, expires_ms=later, **{**words, "gate": "ghost"})
        with pytest.raises(InvalidInput, match="expired"):
            await made.waive(packet, expires_ms=1, **words)
        with pytest.raises(InvalidInput):
            await made.waive(packet, expires_ms=later, **{**words, "reason": ""})
        resumed.set()
        outcome = await asyncio.wait_for(running, 10)

    assert isinstance(outcome, Composed)
    assert shown == ["tabs are fine here"]
    assert len(outcome.judgements[-1].verdict.waivers) == 1


async def test_a_waiver_for_other_bytes_does_not_count() -> None:
    """Bound to one digest: a gate that cites a waiver which was not shown to it has abstained."""
    gate = ScriptedGate("style", *[Approved(waivers=("ab" * 32,))] * 2)
    outcome = await Squad(builder=ScriptedBuilder({"a": "1"}), gates=[gate]).run("It.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "gate-abstained"

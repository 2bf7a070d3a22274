"""Looking at a workspace without its roles: five questions, everything verified, nothing written, nothing hidden."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from squads import ApprovalRule, Approved, Finding, InvalidInput, Limits, Packet, Refused, Squad
from squads.contracts.errors import KeyUnavailable, LedgerBroken, StorageUnavailable, UnknownPacket
from squads.contracts.packet import AttemptKind
from squads.desk import Desk
from squads.kernel.receipts import receipt_of
from squads.overview import Overview
from squads.stores import keys_of
from squads.survey import LIMIT_MAX
from squads.testing import FixedClock, ScriptedBuilder, ScriptedGate
from squads.workspace import Workspace

NO = Refused(findings=(Finding(invariant="x.y", message="bad"),))
OWNER = ApprovalRule(approvers=("owner",))
BOTH = ApprovalRule(approvers=("owner", "mara"), quorum=2)


def squad(*builds: Any, verdicts: tuple[Any, ...] = (Approved(),), **more: Any) -> Squad:
    more.setdefault("people", ("owner", "mara"))
    more.setdefault("limits", Limits(attempts_max=1))
    builder = ScriptedBuilder(*(builds or ({"a.sql": "x"},)), prior="b")
    return Squad(builder=builder, gates=[ScriptedGate("style", *verdicts, prior="g")], **more)


async def look(made: Squad, **more: Any) -> Overview:
    return await Desk(await made.workspace()).overview(**more)


async def test_a_founded_workspace_without_packets_is_empty() -> None:
    """Its people and roles are known; nothing is open, nothing ended, nobody is asked, exit code 0."""
    async with squad() as made:
        found = await look(made)

    assert [p.shown for p in found.people] == ["mara", "owner"]
    assert found.roles == ("builder:builder", "coordinator:one-task", "gate:style", "program", "root", "runner")
    assert (
        found.open,
        found.open_total,
        found.ended,
        found.ended_total,
        found.questions,
        found.stops,
        found.unreadable,
    ) == ((), 0, (), 0, (), (), ())
    assert found.exit_code == 0


async def test_a_workspace_that_was_never_founded_is_empty() -> None:
    """A log without a single receipt has nothing to show, and looking does not found it."""
    workspace = Workspace.memory()
    found = await Desk(workspace).overview()

    assert (found.people, found.roles, found.receipts) == ((), (), 0)
    assert (await workspace.ledger.head()).size == 0


async def test_a_question_says_what_is_asked_of_whom_about_which_bytes() -> None:
    """Packet, digest, paths, the verdicts that let it through, who is asked, quorum, who said yes, and the end."""
    clock = FixedClock()
    async with squad(
        {"a.sql": "x", "b/c.sql": "yy"}, approval=BOTH, clock=clock, approver={"owner": lambda _: True}
    ) as made:
        waiting = await made.run("A treasury table.\nWith balances.")
        found = await look(made)

    (question,) = found.questions
    assert (waiting.packet, "A treasury table.") == (question.packet, question.title)
    assert (waiting.subject, waiting.question) == (question.composition, question.question)
    assert (question.paths, question.removals, question.size_bytes) == (("a.sql", "b/c.sql"), (), 3)
    assert [(v.gate, v.task, v.decision, v.looked, v.notes) for v in question.verdicts] == [
        ("style", "work", "approved", 1, 0)
    ]
    assert (
        question.asked,
        question.quorum,
        question.approved,
        question.open_to,
    ) == (("owner", "mara"), 2, ("owner",), ("mara",))
    assert waiting.expires_ms == question.expires_ms
    (packet,) = found.open
    assert packet.phase == "asking"
    assert [(w.who, w.what) for w in packet.waits] == [("mara", "answer")]
    assert (packet.next.whose, packet.next.sentence) == ("person", "1 more must say yes (mara), and one no refuses")
    assert found.exit_code == 3


async def test_only_the_verdicts_on_what_would_compose_are_shown() -> None:
    """The refusal of a first attempt is history; the approval of the second one is what an answer rests on."""
    async with squad(
        {"a": "1"}, {"a": "2"}, verdicts=(NO, Approved()), approval=BOTH, limits=Limits(attempts_max=2)
    ) as made:
        await made.run("It.")
        (question,) = (await look(made)).questions

    assert [v.decision for v in question.verdicts] == ["approved"]


async def test_verdicts_on_the_whole_are_shown_beside_those_on_its_parts() -> None:
    """A gate that reads compositions has let this one through as well."""
    parts = ScriptedGate("style", Approved(), prior="g")
    whole = ScriptedGate("whole", Approved(looked=2), prior="w", reads=(AttemptKind.COMPOSITION,))
    async with Squad(builder=ScriptedBuilder({"a": "1"}, prior="b"), gates=[parts, whole], approval=OWNER) as made:
        await made.run("It.")
        (question,) = (await look(made)).questions

    assert [(v.gate, v.task, v.looked) for v in question.verdicts] == [("style", "work", 1), ("whole", None, 2)]


async def test_what_ended_says_how_and_why() -> None:
    """The newest end first, with reason, sentence, task and exit code."""
    async with squad({"a": "1"}, {"a": "2"}, verdicts=(Approved(), NO)) as made:
        composed = await made.run("Good.")
        refused = await made.run("Bad.")
        found = await look(made)

    assert [
        (refused.packet, "not-composed", "task-refused", "work", 1),
        (composed.packet, "composed", "composed", None, 0),
    ] == [(e.packet, e.outcome, e.reason, e.task, e.exit_code) for e in found.ended]
    assert "a gate refused every attempt" in found.ended[0].explained
    assert composed.artifact.digest == found.ended[1].composition
    assert found.exit_code == 0


async def test_a_packet_at_work_says_whom_it_waits_for_and_since_when() -> None:
    """Role, work, task, attempt, when it was asked, when it is late; then it is late, and nobody recorded it."""
    clock, reached = FixedClock(), asyncio.Event()

    async def never(_: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    async with squad(never, clock=clock, limits=Limits(reply_ms_max=5_000)) as made:
        running = asyncio.create_task(made.run("It."))
        await reached.wait()
        asked_ms = clock.now_ms()
        clock.advance(4_999)
        early = (await look(made)).open[0]
        clock.advance(1)
        late = (await look(made)).open[0]
        running.cancel()

    assert [("builder", "build", "work", 1, asked_ms, asked_ms + 5_000)] == [
        (w.who, w.what, w.task, w.attempt, w.since_ms, w.due_ms) for w in early.waits
    ]
    assert [(t.task, t.builder, t.stage, t.tries) for t in early.tasks] == [("work", "builder", "assigned", 1)]
    assert (early.next.whose, late.next.whose) == ("role", "runner")
    assert "builder did not answer in time" in late.next.sentence


async def test_an_expired_question_waits_for_nobody() -> None:
    """A moment before it expires a person may answer; from then on it is the runner's to record, exit code 0."""
    clock = FixedClock()
    rule = ApprovalRule(approvers=("owner",), wait_ms_max=60_000)
    async with squad(approval=rule, clock=clock) as made:
        await made.run("It.")
        clock.advance(59_999)
        before = await look(made)
        clock.advance(1)
        after = await look(made)

    assert (len(before.questions), before.exit_code) == (1, 3)
    assert (len(after.questions), after.exit_code) == (0, 0)
    assert "nobody answered in time" in after.open[0].next.sentence


async def test_a_packet_past_its_own_end_is_said_to_be_over() -> None:
    """The question may run longer than the packet: the earlier end is the one that counts."""
    clock = FixedClock()
    async with squad(approval=BOTH, clock=clock, limits=Limits(packet_ms_max=30_000)) as made:
        await made.run("It.")
        question = (await look(made)).questions[0]
        clock.advance(30_000)
        found = await look(made)

    assert clock.now_ms() == question.expires_ms
    assert found.questions == ()
    assert "its time is over" in found.open[0].next.sentence


async def test_a_stop_says_who_why_since_when_and_what_it_holds() -> None:
    """Everybody's question is held; a person has to lift it, so somebody is waited for."""
    clock = FixedClock()
    async with squad(approval=BOTH, clock=clock) as made:
        waiting = await made.run("It.")
        clock.advance(1_000)
        await Desk(await made.workspace()).stop("the books are open", packet=waiting.packet, person="mara")
        found = await look(made)

    (stop,) = found.stops
    assert (waiting.packet, "mara", "the books are open", clock.now_ms()) == (
        stop.packet,
        stop.by,
        stop.reason,
        stop.since_ms,
    )
    assert stop == found.open[0].stop
    assert (found.questions, found.exit_code) == ((), 3)
    assert "mara stopped this packet" in found.open[0].next.sentence


async def test_the_bound_is_a_bound_and_the_totals_are_not() -> None:
    """At most `limit` of each; the newest ends."""
    async with squad(*[{"a": str(n)} for n in range(4)], verdicts=(Approved(), Approved(), NO, NO)) as made:
        for approval in (BOTH, BOTH, None, None):
            last = await made.run(Packet(brief="It.", approval=approval))
        found = await look(made, limit=1)

    assert (len(found.open), found.open_total) == (1, 2)
    assert (len(found.ended), found.ended_total) == (1, 2)
    assert found.ended[0].packet == last.packet


async def test_what_people_can_answer_comes_first_and_what_expires_first_before_it() -> None:
    """A bound never hides the question that is most urgent; one that has expired is no question any more."""
    clock = FixedClock()
    asked: dict[int, str] = {}
    async with squad(*[{"a": str(n)} for n in range(3)], verdicts=(Approved(),) * 3, clock=clock) as made:
        for wait_ms in (50_000, 20_000, 90_000):
            rule = ApprovalRule(approvers=("owner",), wait_ms_max=wait_ms)
            asked[wait_ms] = (await made.run(Packet(brief="It.", approval=rule))).packet
        before = await look(made)
        clock.advance(20_000)
        after = await look(made, limit=2)

    assert [p.packet for p in before.open] == [asked[20_000], asked[50_000], asked[90_000]]
    assert [p.packet for p in after.open] == [asked[50_000], asked[90_000]]


@pytest.mark.parametrize("limit", [0, -1, LIMIT_MAX + 1])
async def test_a_bound_out_of_bounds_is_bad_input(limit: int) -> None:
    """Nothing is looked up for it."""
    with pytest.raises(InvalidInput, match="between 1 and 1,000"):
        await Desk(Workspace.memory()).overview(limit=limit)


async def test_what_cannot_be_read_is_listed_and_hides_nothing_else() -> None:
    """A packet whose manifest is gone cannot be folded: exit code 2, and the others are shown."""
    async with squad({"a": "1"}, {"a": "2"}, verdicts=(Approved(),) * 2, approval=BOTH) as made:
        broken, whole = await made.run("Broken."), await made.run("Whole.")
        workspace = await made.workspace()
        artifact = next(
            r.predicate["artifact"]
            for s in await workspace.ledger.read(broken.packet)
            if (r := receipt_of(s.seq, s.payload_type, s.payload, (), s.time_ms)).kind == "artifact"
        )
        await workspace.blobs.erase(artifact)
        found = await look(made)

    assert [broken.packet] == [u.packet for u in found.unreadable]
    assert artifact[:12] in found.unreadable[0].why or artifact[:16] in found.unreadable[0].why
    assert [whole.packet] == [q.packet for q in found.questions]
    assert found.exit_code == 2


async def test_an_erased_brief_is_said_to_be_gone() -> None:
    """Content may be erased; how the packet stands is still shown, with its task by number or name."""
    async with squad(approval=BOTH) as made:
        waiting = await made.run("A secret.")
        workspace = await made.workspace()
        first = (await workspace.ledger.read(waiting.packet))[0]
        opened = receipt_of(first.seq, first.payload_type, first.payload, (), first.time_ms)
        await workspace.blobs.erase(opened.predicate["content"])
        (question,) = (await look(made)).questions

    assert "cannot be read" in question.title
    assert question.paths == ("a.sql",)


async def test_looking_writes_nothing(tmp_path: Path) -> None:
    """No receipt, no key, no name: not even for a name that was never here."""
    async with squad(store=tmp_path / "s", approval=BOTH) as made:
        waiting = await made.run("It.")
    async with Desk.open(tmp_path / "s") as desk:
        size = (await desk.workspace.ledger.head()).size
        keys = sorted(p.name for p in keys_of(desk.workspace.trust).iterdir())
        await desk.overview()
        await desk.people()
        await desk.stops()
        await desk.question(waiting.packet)

        assert size == (await desk.workspace.ledger.head()).size
        assert keys == sorted(p.name for p in keys_of(desk.workspace.trust).iterdir())


async def test_without_the_key_of_ids_nobody_has_a_name(tmp_path: Path) -> None:
    """The key that ids are derived with is gone: people are ids for ever, and looking makes no other key."""
    async with squad(store=tmp_path / "s") as made:
        file = keys_of((await made.workspace()).trust) / "people.key"
    file.unlink()
    async with Desk.open(tmp_path / "s") as desk:
        assert [p.name for p in (await desk.overview()).people] == [None, None]
    assert not file.exists()


async def test_a_packet_is_named_by_a_unique_beginning(tmp_path: Path) -> None:
    """Six digits or more; an unknown one names those that are open, and `workspace` is no packet."""
    async with squad(store=tmp_path / "s", approval=BOTH) as made:
        waiting = await made.run("It.")
        desk = Desk(await made.workspace())

        assert waiting.packet == await desk.packet(waiting.packet[:6])
        assert waiting.packet == await desk.packet(waiting.packet)
        for bad in ("", waiting.packet[:5], "workspace", "../../x", waiting.packet.upper() + "Z"):
            with pytest.raises(InvalidInput, match="names no packet"):
                await desk.packet(bad)
        with pytest.raises(UnknownPacket, match=f"Open packets: {waiting.packet}"):
            await desk.packet("0" * 32)


async def test_a_beginning_of_two_packets_names_neither() -> None:
    """Whoever answers or stops must mean one packet."""
    ids = [b"\xaa" * 4 + bytes(12), b"\xaa" * 4 + bytes(11) + b"1"]

    def entropy(size: int) -> bytes:
        return ids.pop() if size == 16 and founded else os.urandom(size)

    founded = False
    async with squad({"a": "1"}, {"a": "2"}, verdicts=(Approved(),) * 2, approval=BOTH, entropy=entropy) as made:
        await made.workspace()
        founded = True
        await made.run("One.")
        await made.run("Two.")

        with pytest.raises(InvalidInput, match="begins 2 ids"):
            await Desk(await made.workspace()).packet("aaaaaaaa")


async def test_where_there_is_no_workspace_none_is_founded(tmp_path: Path) -> None:
    """A wrong --store is an error, and leaves nothing behind."""
    with pytest.raises(StorageUnavailable, match="there is no ledger in"):
        async with Desk.open(tmp_path / "nowhere"):
            pass

    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_keys_that_are_elsewhere_are_asked_for_and_not_made(tmp_path: Path) -> None:
    """Another machine's home has none of this workspace's keys; opening must not make others."""
    async with squad(store=tmp_path / "s"):
        pass
    with pytest.raises(KeyUnavailable, match=r"log\.key is missing\); set SQUADS_HOME"):
        async with Desk.open(tmp_path / "s", keys=tmp_path / "home"):
            pass

    assert not (tmp_path / "home").exists()


async def test_a_ledger_that_is_gone_is_not_replaced(tmp_path: Path) -> None:
    """A trust.json alone is a loss, not an empty workspace."""
    async with squad(store=tmp_path / "s") as made:
        await made.workspace()
    for file in (tmp_path / "s").glob("ledger.db*"):
        file.unlink()
    with pytest.raises(StorageUnavailable, match=r"no ledger\.db"):
        async with Desk.open(tmp_path / "s"):
            pass

    (tmp_path / "s" / "trust.json").write_text("{")
    with pytest.raises(LedgerBroken, match=r"trust\.json cannot be read"):
        async with Desk.open(tmp_path / "s"):
            pass

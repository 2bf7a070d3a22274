"""What a squad does with a packet, in memory and on disk: every way it ends, and what stands in the outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from squads import (
    Abstained,
    ApprovalRule,
    Approved,
    Artifact,
    Budget,
    Builder,
    Composed,
    Finding,
    InvalidInput,
    Limits,
    Location,
    NotComposed,
    Objection,
    Packet,
    Predicate,
    Refusal,
    Refused,
    Severity,
    Squad,
    Task,
    UnsafeNoGate,
    check,
)
from squads.contracts.finding import Usage
from squads.contracts.plan import Plan
from squads.contracts.records import (
    ArtifactRecord,
    AssignmentRecord,
    CompositionRecord,
    FinishRecord,
    Opened,
    PacketRecord,
    PlanRecord,
    TicketRecord,
    VerdictRecord,
)
from squads.contracts.work import AcceptWork, BuildWork, PlanWork, ReviewWork
from squads.kernel.receipts import receipt_of, record_of
from squads.testing import ScriptedBuilder, ScriptedCoordinator, ScriptedGate

Store = Path | None


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return None if request.param == "memory" else tmp_path / ".squads"


def fault(message: str = "no check on the balance", path: str | None = None) -> Finding:
    return Finding(invariant="money.balance", message=message, location=Location(path=path) if path else None)


async def receipts_of(squad: Squad, packet: str) -> list[PacketRecord]:
    ledger = (await squad.workspace()).ledger
    found = []
    for stored in await ledger.read(packet):
        receipt = receipt_of(stored.seq, stored.payload_type, stored.payload, (), stored.time_ms)
        record = record_of(receipt.kind, receipt.predicate)
        assert isinstance(record, PacketRecord)
        found.append(record)
    return found


# The simplest squads ------------------------------------------------------------------------------------------------


def test_ten_lines_show_the_idea() -> None:
    """The README's program: a check refuses, the builder reads the finding, and the second attempt composes."""

    @check("money.balance-not-negative", files=["*.sql"])
    def balance(artifact: Artifact) -> list[Finding]:
        return [
            Finding(invariant="money.balance-not-negative", message="no CHECK", location=Location(path=f.path))
            for f in artifact.matching("*.sql")
            if "CHECK" not in f.text
        ]

    class Carpenter(Builder):
        async def build(self, work: BuildWork) -> Artifact:
            guard = " CHECK (balance >= 0)" if work.findings else ""
            return work.artifact({"treasury.sql": f"CREATE TABLE treasury (balance INT{guard});"})

    result = Squad(builder=Carpenter(), gates=[balance]).run_sync("A treasury table.")

    assert isinstance(result, Composed)
    assert result.raise_for_refusal() is result
    assert result.exit_code == 0
    assert "CHECK" in result.artifact["treasury.sql"].text
    assert [j.verdict.kind for j in result.judgements] == ["refused", "approved"]
    assert [j.attempt for j in result.refusals] == [1]
    assert "composed: 1 file(s)" in str(result)


async def test_a_refusal_brings_the_findings_back(store: Store) -> None:
    """The next attempt sees every finding of the round, the bytes that were refused, and is another artifact."""
    builder = ScriptedBuilder({"a.sql": "one"}, {"a.sql": "two"})
    gates = [
        ScriptedGate("schema", fault("first"), Approved()),
        ScriptedGate("style", fault("second"), Approved()),
    ]
    async with Squad(builder=builder, gates=gates, store=store) as squad:
        outcome = await squad.run("A table.")

    assert isinstance(outcome, Composed)
    for role in (builder, *gates):
        role.done()
    again = builder.script.asked[1]
    assert isinstance(again, BuildWork)
    assert {f.message for f in again.findings} == {"first", "second"}
    assert again.previous is not None
    assert again.previous["a.sql"].text == "one"
    assert again.attempt == 2
    subjects = {j.subject for j in outcome.judgements}
    assert len(subjects) == 2


async def test_the_composition_is_what_was_approved(store: Store) -> None:
    """The files that compose are those of the approved artifact, byte for byte, under a manifest of their own."""
    content = bytes(range(256))
    builder = ScriptedBuilder({"bin/data": content, "README.md": "hello"})
    async with Squad(builder=builder, gates=[ScriptedGate("style", Approved())], store=store) as squad:
        outcome = await squad.run("Data.")

    assert isinstance(outcome, Composed)
    assert {f.path: f.content for f in outcome.artifact.files} == {"bin/data": content, "README.md": b"hello"}
    assert outcome.artifact.author == "runner"
    assert outcome.artifact.made_from == (outcome.judgements[0].subject,)


async def test_every_run_leaves_its_receipts_in_order(store: Store) -> None:
    """Ticket before verdict, every verdict before the composition, the finish last; all of one packet."""
    async with Squad(
        builder=ScriptedBuilder({"a.sql": "x"}), gates=[ScriptedGate("style", Approved())], store=store
    ) as squad:
        outcome = await squad.run("A table.")
        records = await receipts_of(squad, outcome.packet)

    kinds = [r.kind for r in records]
    assert kinds == [
        "opened",
        "assignment",
        "plan",
        "assignment",
        "artifact",
        "ticket",
        "verdict",
        "composition",
        "assignment",
        "acceptance",
        "finish",
    ]


async def test_stream_yields_receipts_in_the_order_of_the_ledger(store: Store) -> None:
    """Typed receipts as they become durable, the outcome last, and never an artifact's text."""
    secret = "nobody may read this before a verdict"
    builder = ScriptedBuilder({"a.sql": secret}, {"a.sql": secret + "!"})
    gate = ScriptedGate("style", fault(), Approved())
    async with Squad(builder=builder, gates=[gate], store=store) as squad:
        seen = [event async for event in squad.stream("A table.")]
        outcome = seen.pop()
        assert isinstance(outcome, Composed)
        records = await receipts_of(squad, outcome.packet)

    assert seen == records
    assert {type(r) for r in records} >= {
        Opened,
        PlanRecord,
        AssignmentRecord,
        ArtifactRecord,
        TicketRecord,
        VerdictRecord,
        CompositionRecord,
        FinishRecord,
    }
    assert secret not in "".join(repr(e) for e in seen)


async def test_a_slow_listener_misses_nothing() -> None:
    """Whoever takes a while over each receipt still gets all of them, the finish included, before the outcome."""
    squad = Squad(
        builder=ScriptedBuilder({"a.sql": "x"}),
        gates=[ScriptedGate("style", Approved())],
        approval=ApprovalRule(approvers=("owner",)),
        approver=lambda composition: True,
    )
    seen = []
    async for event in squad.stream("A table."):
        seen.append(event)
        for _ in range(200):
            await asyncio.sleep(0)
    outcome = seen.pop()

    assert isinstance(outcome, Composed)
    assert seen == await receipts_of(squad, outcome.packet)
    assert [e.kind for e in seen][-3:] == ["question", "answer", "finish"]


async def test_leaving_a_stream_leaves_the_packet_resumable(tmp_path: Path) -> None:
    """Whoever stops listening loses nothing: the packet stays open in the ledger."""
    make = lambda: Squad(  # noqa: E731
        builder=ScriptedBuilder({"a.sql": "x"}, prior="builder"),
        gates=[ScriptedGate("style", Approved(), prior="style")],
        store=tmp_path / "s",
    )
    squad = make()
    packet = ""
    stream = squad.stream("A table.")
    async for event in stream:
        packet = event.packet
        break
    await stream.aclose()  # type: ignore[attr-defined]
    await squad.close()

    async with make() as squad:
        outcome = await squad.resume(packet)

    assert isinstance(outcome, Composed)


# How it ends without a composition ----------------------------------------------------------------------------------


async def test_attempts_are_bounded_and_the_refusal_is_said(store: Store) -> None:
    """After `attempts_max` refusals the packet ends as a signed refusal: reason, detail, findings, exit code 1."""
    builder = ScriptedBuilder(*[{"a.sql": str(n)} for n in range(3)])
    gate = ScriptedGate("style", *[fault(f"fault {n}", "a.sql") for n in range(3)])
    async with Squad(builder=builder, gates=[gate], store=store) as squad:
        outcome = await squad.run("A table.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code, outcome.task) == ("task-refused", 1, "work")
    assert len(outcome.refusals) == 3
    assert "mend what its findings name" in outcome.detail
    assert "style (attempt 3): a.sql: fault 2" in str(outcome)
    with pytest.raises(Refusal, match="fault 2") as caught:
        outcome.raise_for_refusal()
    assert caught.value.result is outcome
    builder.done()
    gate.done()


async def test_an_abstention_is_asked_once_more(store: Store) -> None:
    """A second ticket, not a second attempt: the builder is not asked again."""
    builder = ScriptedBuilder({"a.sql": "x"})
    gate = ScriptedGate("style", Abstained(reason="the linter is missing"), Approved())
    async with Squad(builder=builder, gates=[gate], store=store) as squad:
        outcome = await squad.run("A table.")

    assert isinstance(outcome, Composed)
    assert [(j.verdict.kind, j.attempt) for j in outcome.judgements] == [("abstained", 1), ("approved", 1)]
    builder.done()


async def test_a_gate_that_cannot_look_lets_nothing_through(store: Store) -> None:
    """Abstaining twice ends the packet as could-not-find-out, exit code 2."""
    gate = ScriptedGate("style", *[Abstained(reason="no linter")] * 2)
    async with Squad(builder=ScriptedBuilder({"a.sql": "x"}), gates=[gate], store=store) as squad:
        outcome = await squad.run("A table.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("gate-abstained", 2)


async def test_a_gate_that_raises_is_silence() -> None:
    """Whatever a gate raises lets nothing through; asked once more, it may find its voice."""
    gate = ScriptedGate("style", RuntimeError("out of memory"), RuntimeError("again"))
    outcome = await Squad(builder=ScriptedBuilder({"a.sql": "x"}), gates=[gate]).run("A table.")
    recovering = ScriptedGate("style", RuntimeError("out of memory"), Approved())
    recovered = await Squad(builder=ScriptedBuilder({"a.sql": "x"}), gates=[recovering]).run("A table.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "gate-abstained"
    assert isinstance(recovered, Composed)


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "text",
        42,
        Approved(),
        RuntimeError("broken"),
        asyncio.CancelledError(),
        TimeoutError("the model did not answer"),
        lambda work: work.artifact({}),
        lambda work: work.artifact({"../up": "x"}),
        lambda work: work.artifact({"/etc/passwd": "x"}),
        lambda work: work.artifact({"a": 3}),
    ],
    ids=lambda b: getattr(b, "__name__", None) or repr(b)[:20],
)
async def test_an_unusable_reply_uses_up_the_attempt(bad: object) -> None:
    """None, a wrong type, an exception, an empty or escaping artifact: another attempt, then `role-failed`."""
    again = ScriptedBuilder(bad, {"a.sql": "x"})
    never = ScriptedBuilder(bad, bad)
    limits = Limits(attempts_max=2)

    mended = await Squad(builder=again, gates=[ScriptedGate("g", Approved())], limits=limits).run("A table.")
    failed = await Squad(builder=never, gates=[ScriptedGate("g")], limits=limits).run("A table.")

    assert isinstance(mended, Composed)
    assert isinstance(failed, NotComposed)
    assert (failed.reason, failed.exit_code) == ("role-failed", 2)
    again.done()
    never.done()


@pytest.mark.parametrize("bad", [None, "approved", True, Objection(reasons=("no",), proposal="none")])
async def test_a_gate_without_a_verdict_lets_nothing_through(bad: object) -> None:
    """Anything but a verdict is an abstention."""
    gate = ScriptedGate("g", bad, bad)
    outcome = await Squad(builder=ScriptedBuilder({"a.sql": "x"}), gates=[gate]).run("A table.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "gate-abstained"


async def test_an_artifact_over_its_bound_fails_the_attempt() -> None:
    """At the limit it goes to the gates; one byte, or one file, over it does not."""
    limits = Limits(artifact_bytes_max=10, files_max=2, attempts_max=3)
    builder = ScriptedBuilder({"a": "x" * 11}, {"a": "", "b": "", "c": ""}, {"a": "x" * 5, "b": "x" * 5})
    gate = ScriptedGate("g", Approved())
    outcome = await Squad(builder=builder, gates=[gate], limits=limits).run("A table.")

    assert isinstance(outcome, Composed)
    builder.done()
    gate.done()


async def test_nobody_looked_is_not_approved() -> None:
    """Where every gate approves without having read a file, nothing composes."""

    @check("sql.anything", files=["*.sql"])
    def sql_only(artifact: Artifact) -> list[Finding]:
        return []

    outcome = await Squad(builder=ScriptedBuilder({"a.txt": "x"}), gates=[sql_only]).run("A text.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.task) == ("no-applicable-gate", "work")


async def test_text_that_is_no_text_is_not_approved() -> None:
    """A check that cannot read its file abstains."""

    @check("sql.readable", files=["*.sql"])
    def readable(artifact: Artifact) -> list[Finding]:
        assert artifact["a.sql"].text
        return []

    outcome = await Squad(builder=ScriptedBuilder({"a.sql": b"\xff\xfe"}), gates=[readable]).run("A table.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "gate-abstained"
    assert "not UTF-8" in str(outcome.judgements[0].verdict)


async def test_the_way_out_has_an_ugly_name_and_is_recorded() -> None:
    """`UnsafeNoGate` composes what nobody read, and every receipt of the squad says so."""
    squad = Squad(builder=ScriptedBuilder({"a.sql": "x"}), gates=[UnsafeNoGate()])
    outcome = await squad.run("A table.")
    opened = (await receipts_of(squad, outcome.packet))[0]

    assert isinstance(outcome, Composed)
    assert isinstance(opened, Opened)
    assert [r.name for r in opened.roles if r.unsafe] == ["unsafe-no-gate"]
    assert opened.gates == ("unsafe-no-gate",)


# Plans --------------------------------------------------------------------------------------------------------------


def two_tasks(**second: object) -> tuple[Task, ...]:
    return (
        Task(name="schema", brief="tables", builder="builder"),
        Task(name="code", brief="program", builder="builder", **second),  # type: ignore[arg-type]
    )


async def test_independent_tasks_are_built_at_once(store: Store) -> None:
    """Two builds that each wait for the other can only end when both are under way."""
    meeting = asyncio.Barrier(2)

    async def build(work: BuildWork) -> Artifact:
        await asyncio.wait_for(meeting.wait(), 10)
        return work.artifact({f"{work.task}.txt": "x"})

    gate_meeting = asyncio.Barrier(4)

    async def read(work: ReviewWork) -> Approved:
        await asyncio.wait_for(gate_meeting.wait(), 10)
        return Approved()

    async with Squad(
        builder=ScriptedBuilder(build, build),
        coordinator=ScriptedCoordinator(two_tasks()),
        gates=[ScriptedGate("one", read, read), ScriptedGate("two", read, read)],
        store=store,
    ) as squad:
        outcome = await squad.run("Both.")

    assert isinstance(outcome, Composed)
    assert [f.path for f in outcome.artifact.files] == ["code.txt", "schema.txt"]


async def test_a_task_starts_after_what_it_builds_on(store: Store) -> None:
    """A dependent task gets the approved artifact as its input, and never starts before the approval."""
    happened: list[str] = []

    def build(work: BuildWork) -> Artifact:
        happened.append(f"build {work.task}")
        assert list(work.inputs) == ([] if work.task == "schema" else ["schema"])
        return work.artifact({f"{work.task}.txt": "x"})

    def read(work: ReviewWork) -> Approved:
        happened.append(f"read {work.brief}")
        return Approved()

    builder = ScriptedBuilder(build, build)
    async with Squad(
        builder=builder,
        coordinator=ScriptedCoordinator(two_tasks(after=("schema",))),
        gates=[ScriptedGate("one", read, read)],
        store=store,
    ) as squad:
        outcome = await squad.run("Both.")

    assert isinstance(outcome, Composed)
    assert happened == ["build schema", "read tables", "build code", "read program"]
    made_from = builder.script.asked[1]
    assert isinstance(made_from, BuildWork)
    assert made_from.inputs["schema"]["schema.txt"].text == "x"


async def test_a_plan_may_add_gates_to_a_task() -> None:
    """A gate the packet does not require reads the task that names it, and no other."""
    extra = ScriptedGate("security", Approved())
    usual = ScriptedGate("style", Approved(), Approved())
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}, {"b": "2"}),
        coordinator=ScriptedCoordinator(two_tasks(gates=("security",))),
        gates=[usual, extra],
    ).run(Packet(brief="Both.", gates=("style",)))

    assert isinstance(outcome, Composed)
    assert {(j.gate, j.task) for j in outcome.judgements} == {
        ("style", "schema"),
        ("style", "code"),
        ("security", "code"),
    }
    extra.done()
    usual.done()


async def test_gates_that_read_plans_read_them_first(store: Store) -> None:
    """A refused plan goes back to the coordinator with its findings, before anybody builds."""
    reader = ScriptedGate("planning", fault("too coarse"), Approved(), reads=["plan"])
    seen: list[PlanWork] = []

    def second(work: PlanWork) -> Plan:
        seen.append(work)
        return work.plan(*two_tasks())

    coordinator = ScriptedCoordinator(Task(name="all", brief="everything", builder="builder"), second)
    async with Squad(
        builder=ScriptedBuilder({"a": "1"}, {"b": "2"}),
        coordinator=coordinator,
        gates=[reader, ScriptedGate("style", Approved(), Approved())],
        store=store,
    ) as squad:
        outcome = await squad.run("Both.")

    assert isinstance(outcome, Composed)
    assert [c.cause for c in seen[0].complaints] == ["plan-refused"]
    assert [f.message for v in seen[0].complaints[0].verdicts for f in v.findings] == ["too coarse"]
    coordinator.done()


async def test_a_refused_plan_builds_nothing() -> None:
    """`plan-refused` after `attempts_max` plans; the builder was never asked."""
    one = Task(name="all", brief="everything", builder="builder")
    builder = ScriptedBuilder()
    outcome = await Squad(
        builder=builder,
        coordinator=ScriptedCoordinator(one, one, one),
        gates=[ScriptedGate("planning", *[fault()] * 3, reads=["plan"]), ScriptedGate("style")],
    ).run("Both.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("plan-refused", 1)
    builder.done()


CYCLE = (
    Task(name="a", brief="a", builder="builder", after=("b",)),
    Task(name="b", brief="b", builder="builder", after=("a",)),
)
BAD_PLANS = {
    "cyclic": CYCLE,
    "after itself": (Task(name="a", brief="a", builder="builder", after=("a",)),),
    "after nothing": (Task(name="a", brief="a", builder="builder", after=("ghost",)),),
    "unknown builder": (Task(name="a", brief="a", builder="mason"),),
    "unknown gate": (Task(name="a", brief="a", builder="builder", gates=("ghost",)),),
    "long brief": (Task(name="a", brief="x" * 101, builder="builder"),),
    "one name twice": (Task(name="a", brief="a", builder="builder"), Task(name="a", brief="b", builder="builder")),
    "too many": tuple(Task(name=f"t{n}", brief="a", builder="builder") for n in range(5)),
}


@pytest.mark.parametrize("plan", BAD_PLANS.values(), ids=BAD_PLANS.keys())
async def test_a_plan_that_cannot_run_is_asked_for_again(plan: tuple[Task, ...]) -> None:
    """The coordinator hears why; a good plan heals it, and bad ones only end the packet."""
    limits = Limits(tasks_max=4, brief_chars_max=100, attempts_max=2)
    seen: list[PlanWork] = []

    def better(work: PlanWork) -> Plan:
        seen.append(work)
        return work.plan(Task(name="a", brief="x" * 100, builder="builder"))

    healed = await Squad(
        builder=ScriptedBuilder({"a": "1"}),
        coordinator=ScriptedCoordinator(plan, better),
        gates=[ScriptedGate("style", Approved())],
        limits=limits,
    ).run("All.")
    stubborn = await Squad(
        builder=ScriptedBuilder(),
        coordinator=ScriptedCoordinator(plan, plan),
        gates=[ScriptedGate("style")],
        limits=limits,
    ).run("All.")

    assert isinstance(healed, Composed)
    assert seen[0].complaints[0].cause == "plan-invalid"
    assert seen[0].complaints[0].detail
    assert isinstance(stubborn, NotComposed)
    assert (stubborn.reason, stubborn.exit_code) == ("plan-invalid", 2)


async def test_the_coordinator_may_refuse_the_packet() -> None:
    """An objection to the packet ends it as a signed refusal."""
    outcome = await Squad(
        builder=ScriptedBuilder(),
        coordinator=ScriptedCoordinator(Objection(reasons=("contradicts itself",), proposal="choose one")),
        gates=[ScriptedGate("style")],
    ).run("Blue and not blue.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("packet-objected", 1)


async def test_an_objection_amends_the_brief(store: Store) -> None:
    """A builder refuses its brief; the coordinator hears why and gives a better one; an untouched task stays."""
    complaints: list[PlanWork] = []

    def amend(work: PlanWork) -> Plan:
        complaints.append(work)
        assert work.previous is not None
        return work.plan(work.previous.tasks[0], work.previous.tasks[1].but(brief="clearer"))

    def build(work: BuildWork) -> Artifact | Objection:
        if work.brief == "program":
            return work.objection("which language?", proposal="say Python")
        return work.artifact({f"{work.task}.txt": work.brief})

    coordinator = ScriptedCoordinator(two_tasks(), amend)
    builder = ScriptedBuilder(build, build, build)
    async with Squad(
        builder=builder,
        coordinator=coordinator,
        gates=[ScriptedGate("style", Approved(), Approved())],
        store=store,
    ) as squad:
        outcome = await squad.run("Both.")

    assert isinstance(outcome, Composed)
    assert outcome.artifact["code.txt"].text == "clearer"
    (complaint,) = complaints[0].complaints
    assert (complaint.task, complaint.cause) == ("code", "objection")
    assert complaint.objections[0].proposal == "say Python"
    coordinator.done()
    builder.done()


async def test_objections_are_bounded() -> None:
    """A builder that objects for ever ends the packet as a signed refusal, with the task's name."""
    object_to = lambda work: work.objection("no", proposal="none")  # noqa: E731
    plan = (Task(name="only", brief="x", builder="builder"),)
    outcome = await Squad(
        builder=ScriptedBuilder(object_to, object_to, object_to),
        coordinator=ScriptedCoordinator(plan, plan, plan),
        gates=[ScriptedGate("style")],
        limits=Limits(objections_max=2),
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.task, outcome.exit_code) == ("task-objected", "only", 1)


async def test_without_a_coordinator_an_objection_ends_it() -> None:
    """The default coordinator cannot rewrite a brief, so nobody is asked to."""
    builder = ScriptedBuilder(lambda work: work.objection("no", proposal="none"))
    outcome = await Squad(builder=builder, gates=[ScriptedGate("style")]).run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.task) == ("task-objected", "work")


async def test_an_exhausted_task_gets_one_amended_plan() -> None:
    """After `attempts_max` refusals the coordinator may cut the work anew, once."""

    def amend(work: PlanWork) -> Plan:
        assert [c.cause for c in work.complaints] == ["refused"]
        assert work.complaints[0].verdicts[0].findings
        return work.plan(Task(name="smaller", brief="less", builder="builder"))

    coordinator = ScriptedCoordinator(Task(name="big", brief="all", builder="builder"), amend)
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}, {"a": "2"}, {"a": "3"}),
        coordinator=coordinator,
        gates=[ScriptedGate("style", fault(), fault(), Approved())],
        limits=Limits(attempts_max=2),
    ).run("It.")

    assert isinstance(outcome, Composed)
    coordinator.done()


async def test_paths_that_meet_do_not_compose() -> None:
    """Two tasks that write one file without building on each other: an amended plan, or nothing."""
    clash = ScriptedCoordinator(two_tasks(), two_tasks())
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}, {"a": "2"}),
        coordinator=clash,
        gates=[ScriptedGate("style", Approved(), Approved())],
        limits=Limits(amendments_max=0),
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("paths-meet", 2)


# Compositions -------------------------------------------------------------------------------------------------------


async def test_a_refused_composition_opens_the_task_again(store: Store) -> None:
    """A gate on the composition refuses; the task whose file it names is built again, with the findings; the other
    one keeps its approval."""
    whole = ScriptedGate("whole", fault("they disagree", "code.txt"), Approved(), reads=["composition"])
    seen: list[BuildWork] = []

    def build(work: BuildWork) -> Artifact:
        seen.append(work)
        return work.artifact({f"{work.task}.txt": f"{work.task} {work.attempt}"})

    async with Squad(
        builder=ScriptedBuilder(build, build, build),
        coordinator=ScriptedCoordinator(two_tasks()),
        gates=[ScriptedGate("style", Approved(), Approved(), Approved()), whole],
        store=store,
    ) as squad:
        outcome = await squad.run("Both.")

    assert isinstance(outcome, Composed)
    assert {f.path: f.text for f in outcome.artifact.files} == {"schema.txt": "schema 1", "code.txt": "code 2"}
    assert [(w.task, w.attempt) for w in seen] == [("schema", 1), ("code", 1), ("code", 2)]
    assert [f.message for f in seen[2].findings] == ["they disagree"]
    assert seen[2].reasons == ("a gate refused the composition",)
    whole.done()


async def test_a_composition_that_stays_refused_ends() -> None:
    """The coordinator names no task to try again: a signed refusal."""
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}),
        coordinator=ScriptedCoordinator(
            Task(name="t", brief="x", builder="builder"), accepts=[lambda work: work.refuse("no use")]
        ),
        gates=[ScriptedGate("style", Approved()), ScriptedGate("whole", fault(), reads=["composition"])],
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("composition-refused", 1)


async def test_the_coordinators_word_never_lets_a_refused_composition_through() -> None:
    """Accepting what a gate refused is not accepted."""
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}),
        coordinator=ScriptedCoordinator(
            Task(name="t", brief="x", builder="builder"), accepts=[lambda work: work.accept()]
        ),
        gates=[ScriptedGate("style", Approved()), ScriptedGate("whole", fault(), reads=["composition"])],
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "composition-refused"


async def test_compositions_are_bounded() -> None:
    """A gate that refuses every composition runs into `compositions_max` or `attempts_max`, never on for ever."""
    many = 12
    outcome = await Squad(
        builder=ScriptedBuilder(*[lambda work: work.artifact({"a": str(work.attempt)})] * many),
        coordinator=ScriptedCoordinator(Task(name="t", brief="x", builder="builder")),
        gates=[
            ScriptedGate("style", *[Approved()] * many),
            ScriptedGate("whole", *[fault()] * many, reads=["composition"]),
        ],
        limits=Limits(compositions_max=2, attempts_max=10),
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("over-bound", 2)


# done_when ----------------------------------------------------------------------------------------------------------


async def test_a_predicate_rests_on_a_gates_approval(store: Store) -> None:
    """A predicate with a `check` is answered by the default coordinator with that gate's verdict."""
    packet = Packet(brief="It.", done_when=(Predicate(id="tested", sentence="It is tested.", check="tests"),))
    async with Squad(
        builder=ScriptedBuilder({"a": "1"}), gates=[ScriptedGate("tests", Approved())], store=store
    ) as squad:
        outcome = await squad.run(packet)
        records = await receipts_of(squad, outcome.packet)

    assert isinstance(outcome, Composed)
    (acceptance,) = (r for r in records if r.kind == "acceptance")
    (verdict,) = (r for r in records if r.kind == "verdict")
    assert [(h.predicate, h.holds, h.evidence) for h in acceptance.held] == [  # type: ignore[attr-defined]
        ("tested", True, verdict.content)  # type: ignore[attr-defined]
    ]


async def test_a_predicate_that_nobody_can_judge_is_an_error() -> None:
    """Before anything starts: the default coordinator cannot judge a sentence, and a check must be a required gate."""
    squad = Squad(builder=ScriptedBuilder(), gates=[ScriptedGate("tests"), ScriptedGate("style")])

    with pytest.raises(InvalidInput, match="nobody can judge the predicate 'nice'"):
        await squad.run(Packet(brief="It.", done_when=(Predicate(id="nice", sentence="It is nice."),)))
    with pytest.raises(InvalidInput, match="not a required gate"):
        await squad.run(
            Packet(brief="It.", gates=("style",), done_when=(Predicate(id="t", sentence="T.", check="tests"),))
        )


async def test_a_coordinator_may_judge_a_sentence() -> None:
    """A coordinator with an `accept` of its own answers what it can; one unanswered predicate refuses."""
    packet = Packet(
        brief="It.",
        done_when=(Predicate(id="nice", sentence="It is nice."), Predicate(id="small", sentence="It is small.")),
    )

    async def run(answer: object) -> object:
        return await Squad(
            builder=ScriptedBuilder({"a": "1"}),
            coordinator=ScriptedCoordinator(Task(name="t", brief="x", builder="builder"), accepts=[answer]),
            gates=[ScriptedGate("style", Approved())],
        ).run(packet)

    def both(work: AcceptWork) -> object:
        return work.accept({"nice": work.verdicts[0][2], "small": work.composition.digest})

    def one(work: AcceptWork) -> object:
        return work.accept({"nice": work.verdicts[0][2]})

    def none(work: AcceptWork) -> object:
        return work.refuse("it is ugly")

    outcomes = [await run(answer) for answer in (both, one, none)]

    assert isinstance(outcomes[0], Composed)
    for outcome in outcomes[1:]:
        assert isinstance(outcome, NotComposed)
        assert (outcome.reason, outcome.exit_code) == ("not-accepted", 1)


async def test_a_coordinator_may_open_a_task_again() -> None:
    """Its reasons reach the builder; the second composition is checked anew."""
    seen: list[BuildWork] = []

    def build(work: BuildWork) -> Artifact:
        seen.append(work)
        return work.artifact({"a": str(work.attempt)})

    outcome = await Squad(
        builder=ScriptedBuilder(build, build),
        coordinator=ScriptedCoordinator(
            Task(name="t", brief="x", builder="builder"),
            accepts=[lambda work: work.refuse("too short", reopen=["t"]), lambda work: work.accept()],
        ),
        gates=[ScriptedGate("style", Approved(), Approved())],
    ).run("It.")

    assert isinstance(outcome, Composed)
    assert seen[1].reasons == ("too short",)
    assert outcome.artifact["a"].text == "2"


async def test_re_opening_an_unknown_task_refuses() -> None:
    """A name that is in no plan re-opens nothing, and its refusal stands."""
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}),
        coordinator=ScriptedCoordinator(
            Task(name="t", brief="x", builder="builder"), accepts=[lambda work: work.refuse("why", reopen=["ghost"])]
        ),
        gates=[ScriptedGate("style", Approved())],
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert outcome.reason == "not-accepted"


# Bounds and budgets -------------------------------------------------------------------------------------------------


async def test_a_budget_is_reserved_before_anybody_spends() -> None:
    """A call whose most could pass the budget is never made; at the budget it is."""
    builder = ScriptedBuilder({"a": "1"})
    builder.call_tokens_max = 1_000
    enough = await Squad(
        builder=builder, gates=[ScriptedGate("style", Approved())], budget=Budget(tokens_max=1_000)
    ).run("It.")
    poor = ScriptedBuilder()
    poor.call_tokens_max = 1_000
    refused = await Squad(builder=poor, gates=[ScriptedGate("style")], budget=Budget(tokens_max=999)).run("It.")

    assert isinstance(enough, Composed)
    assert isinstance(refused, NotComposed)
    assert (refused.reason, refused.exit_code) == ("budget-spent", 2)
    poor.done()


async def test_what_was_not_spent_is_given_back() -> None:
    """A reply settles its reservation with what it really used, so the next call may be made."""
    gate = ScriptedGate(
        "style",
        Refused(findings=(fault(),), usage=Usage(tokens=100, calls=1)),
        Approved(usage=Usage(tokens=100, calls=1)),
    )
    gate.call_tokens_max = 900
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}, {"a": "2"}), gates=[gate], budget=Budget(tokens_max=1_000)
    ).run("It.")

    assert isinstance(outcome, Composed)


async def test_messages_are_bounded() -> None:
    """A packet that would send one message too many ends with `over-bound`."""
    outcome = await Squad(
        builder=ScriptedBuilder({"a": "1"}),
        gates=[ScriptedGate("style", Approved())],
        limits=Limits(messages_max=3),
    ).run("It.")

    assert isinstance(outcome, NotComposed)
    assert (outcome.reason, outcome.exit_code) == ("over-bound", 2)


async def test_an_approval_that_carries_a_refusing_finding_is_a_refusal() -> None:
    """A gate cannot approve and find a major fault at once; a minor one is a note."""
    major, minor = fault(), fault().but(severity=Severity.MINOR)
    gate = ScriptedGate("style", Approved(notes=(major,)), Approved(notes=(minor,)))
    outcome = await Squad(builder=ScriptedBuilder({"a": "1"}, {"a": "2"}), gates=[gate]).run("It.")

    assert isinstance(outcome, Composed)
    assert [j.verdict.kind for j in outcome.judgements] == ["refused", "approved"]


async def test_a_gate_sees_the_brief_and_nothing_of_the_others() -> None:
    """No other gate's findings, no author's conversation: the attempt, its brief, its inputs."""
    seen: list[ReviewWork] = []

    def read(work: ReviewWork) -> Approved:
        seen.append(work)
        return Approved()

    await Squad(
        builder=ScriptedBuilder({"a": "1"}, {"a": "2"}),
        gates=[ScriptedGate("one", fault("from one"), Approved()), ScriptedGate("two", read, read)],
    ).run("It.")

    assert [w.attempt for w in seen] == [1, 2]
    assert "from one" not in repr(seen)
    assert seen[0].brief == "It."
    assert seen[0].artifact is not None
    assert seen[0].artifact["a"].text == "1"


@pytest.fixture(autouse=True)
async def nothing_left_running() -> AsyncIterator[None]:
    """No test leaves a task behind."""
    before = asyncio.all_tasks()
    yield
    left = [t for t in asyncio.all_tasks() - before if not t.done() and t is not asyncio.current_task()]
    assert left == []

"""Only type-checked: what the public names promise a program that is checked by mypy --strict."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal, assert_never, assert_type

from squads import (
    Abstained,
    ApprovalRule,
    Approved,
    Artifact,
    AwaitingApproval,
    Budget,
    Builder,
    Composed,
    Coordinator,
    Fact,
    Finding,
    Gate,
    Halted,
    Invariant,
    Limits,
    Location,
    NotComposed,
    Objection,
    Packet,
    Panel,
    Plan,
    Predicate,
    Refusal,
    Refused,
    Severity,
    Shelf,
    Squad,
    Task,
    UnsafeNoGate,
    Verdict,
    check,
)
from squads.audit import Audit, Checked, audit
from squads.contracts.memory import Recalled
from squads.contracts.outcome import Outcome
from squads.contracts.plan import Acceptance
from squads.contracts.records import PacketRecord
from squads.contracts.verdict import Cited
from squads.contracts.work import AcceptWork, BuildWork, PlanWork, ReviewWork
from squads.desk import Desk
from squads.gates.check import CheckGate
from squads.gates.checklist import Checklist
from squads.kernel.bus_ports import Bus, Consumer
from squads.kernel.ports import Clock, Entropy, Ledger, Memory, Role, Signer
from squads.overview import Overview
from squads.project import Project
from squads.testing import (
    BuilderConformance,
    BusConformance,
    FixedClock,
    FixedSigner,
    GateConformance,
    ScriptedBuilder,
    ScriptedCoordinator,
    ScriptedGate,
    seeded_entropy,
)


@check("money.balance-not-negative", files=["*.sql"], refuse_at=Severity.MINOR)
def balance(artifact: Artifact) -> list[Finding]:
    return [
        Finding(invariant="money.balance-not-negative", message="no CHECK", location=Location(path=f.path, line=1))
        for f in artifact.matching("*.sql")
    ]


assert_type(balance, CheckGate)
assert_type(balance(Artifact.of({"a.sql": ""})), list[Finding])
assert_type(check("a.b"), Callable[[Callable[[Artifact], list[Finding]]], CheckGate])


class Carpenter(Builder):
    """Builders may be plain."""

    def build(self, work: BuildWork) -> Artifact | Objection:
        assert_type(work.findings, tuple[Finding, ...])
        assert_type(work.previous, Artifact | None)
        if not work.brief:
            return work.objection("no brief", proposal="write one")
        return work.artifact({"a.sql": "text", "b.bin": b"bytes"})


class Mason(Builder):
    """And asynchronous."""

    name = "mason"
    prior = "stone"
    call_tokens_max = 4_000

    async def build(self, work: BuildWork) -> Artifact:
        return work.artifact({part.digest: "x" for part in work.inputs.values()})


class Security(Gate):
    """Gates too."""

    name = "security"

    async def review(self, work: ReviewWork) -> Verdict:
        if work.artifact is None:
            return work.abstain("nothing to read")
        assert_type(work.artifact, Artifact)
        if "secret" in work.artifact["a.sql"].text:
            return work.refuse(Finding(invariant="security.secret", message="a secret", severity=Severity.BLOCKER))
        return work.approve(looked=1)


class Lead(Coordinator):
    """And coordinators."""

    def plan(self, work: PlanWork) -> Plan | Objection:
        return work.plan(Task(name="t", brief="x", builder="mason", after=("s",), gates=("security",)))

    async def accept(self, work: AcceptWork) -> Acceptance:
        return work.accept({p.id: work.composition.digest for p in work.packet.done_when})


def roles_are_roles(carpenter: Carpenter, security: Security, lead: Lead) -> list[Role]:
    return [carpenter, security, lead, balance, UnsafeNoGate()]


squad = Squad(builder=Carpenter(), gates=[balance, Security()])
assert_type(squad.run_sync("x"), Outcome)
assert_type(squad.run_sync("x"), Composed | NotComposed | AwaitingApproval | Halted)
_ = assert_type(squad.run("x"), Coroutine[Any, Any, Outcome])
assert_type(squad.stream("x"), AsyncIterator[PacketRecord | Outcome])
assert_type(squad.run_sync("x").raise_for_refusal(), Composed)
assert_type(squad.run_sync("x").packet, str)
assert_type(squad.run_sync("x").exit_code, int)
assert_type(squad.run_sync("x").kind, Literal["composed", "not-composed", "awaiting-approval", "halted"])


def how(outcome: Outcome) -> str:
    """Every outcome is one of four."""
    match outcome:
        case Composed():
            assert_type(outcome.artifact, Artifact)
            return outcome.artifact["a.sql"].text
        case NotComposed():
            assert_type(outcome.task, str | None)
            return f"{outcome.reason}: {outcome.detail}"
        case AwaitingApproval():
            assert_type(outcome.approvers, tuple[str, ...])
            return ", ".join(outcome.approvers)
        case Halted():
            return outcome.detail
        case _:
            assert_never(outcome)


def what(verdict: Verdict) -> tuple[Finding, ...]:
    """Every verdict is one of three."""
    match verdict:
        case Approved():
            assert_type(verdict.looked, int)
            return verdict.notes
        case Refused():
            assert_type(verdict.findings, tuple[Finding, ...])
            return verdict.findings
        case Abstained():
            assert_type(verdict.reason, str)
            return verdict.findings
        case _:
            assert_never(verdict)


def by_kind(verdict: Verdict) -> str:
    """The kind narrows as well as the class."""
    if verdict.kind == "abstained":
        return verdict.reason
    assert_type(verdict, Approved | Refused)
    return verdict.kind


async def every_way(durable: Squad) -> None:
    async with durable as same:
        assert_type(same, Squad)
        outcome = await same.run(
            Packet(
                brief="x",
                done_when=(Predicate(id="tested", sentence="It is tested.", check="security"),),
                gates=("security",),
                limits=Limits(attempts_max=1),
                budget=Budget(tokens_max=1_000, cost_microusd_max=None),
                approval=ApprovalRule(approvers=("mara",), quorum=1, person_required=True),
            )
        )
        assert_type(await same.resume(outcome.packet), Outcome)
        assert_type(await same.resume(outcome.packet, held=print), Outcome)
        await same.serve(asyncio.Event())
        assert_type(await same.answer(outcome.packet, person="mara", approve=True, channel="terminal"), Outcome)
        assert_type(await same.stop("because"), bool)
        assert_type(await same.lift("because", person="mara"), bool)
        async for event in same.stream("x"):
            if isinstance(event, PacketRecord):
                assert_type(event.packet, str)
            else:
                how(event)
    try:
        outcome.raise_for_refusal()
    except Refusal as refusal:
        print(refusal.result)


assert_type(audit(".squads"), Audit)
assert_type(audit(".squads").failed, tuple[Checked, ...])

Squad(
    builders=[Carpenter(), Mason()],
    coordinator=Lead(),
    gates=[balance, Security()],
    store=".squads",
    people=["owner", "mara"],
    approver={"mara": lambda composition: composition.digest.startswith("0")},
    independence="family",
)

# Gates made of gates: they are gates, and their one verdict cites their members'.

panel = Panel(balance, Security(), name="readers", approvals_min=1, veto=["security"], cascade=True, seconds_max=5)
assert_type(panel.members, tuple[Gate, ...])
assert_type(panel.approvals_min, int)
assert_type(panel.veto, frozenset[str])
assert_type(panel.decided({"security": Approved()}), Literal["approved", "refused", "abstained"] | None)
checklist = Checklist(balance, name="money", skip=["tests/"], refuse_at=Severity.MINOR)
assert_type(checklist.skip, tuple[str, ...])
gates: list[Gate] = [panel, checklist, Panel(panel, checklist)]
assert_type(Approved().members, tuple[Cited, ...])
assert_type(Refused(findings=(Finding(invariant="a.b", message="x"),)).members, tuple[Cited, ...])

# What is known: a shelf is a memory, and a memory of your own is one by its shape.

fact = Fact(id="cents", text="Money is kept in cents.", source="the books", scope="money")
shelf = Shelf([fact], charter="Money is exact.")
memory: Memory = shelf
assert_type(shelf.charter, str)
assert_type(shelf.recall("money", {"all", "money"}, facts_max=3), list[Fact])
assert_type(shelf.recalled("money", ["all"]), Recalled)
Squad(builder=Carpenter(), gates=[panel], memory=shelf)


class Notebook:
    """A memory without a shelf."""

    def recalled(self, query: str, scopes: Collection[str]) -> Recalled:
        return Recalled(charter="Short.", facts=(fact,) if "money" in scopes else ())


memory = Notebook()


def told(work: BuildWork | ReviewWork | PlanWork | AcceptWork) -> str:
    """Every role is told the charter and facts alike."""
    assert_type(work.facts, tuple[Fact, ...])
    return work.charter + "".join(f"{known.id}: {known.text} ({known.source})" for known in work.facts)


# A squad out of a folder, and a person's place beside it.


def of_a_folder(folder: Path) -> Squad | None:
    project = Project.on_disk(folder)
    assert_type(project, Project | None)
    if project is None:
        return None
    assert_type(project.shelf, Shelf)
    return project.squad(store=folder / ".squads", limits=Limits(attempts_max=2), people=["mara"])


async def at_the_desk(folder: Path) -> None:
    async with Desk.open(folder) as desk:
        assert_type(desk, Desk)
        found = await desk.overview(limit=5)
        assert_type(found, Overview)
        assert_type([packet.packet for packet in found.open], list[str])


Invariant(id="a.b", statement="s", why="w", refused="r", approved="a", origin="o")

# The test kit: scripted roles are roles, the fixed adapters are what the ports ask for.

clock: Clock = FixedClock()
entropy: Entropy = seeded_entropy(1)
signer: Signer = FixedSigner("x")
scripted: list[Role] = [
    ScriptedBuilder({"a": "x"}, lambda work: work.artifact({}), RuntimeError),
    ScriptedGate("style", Approved(), Refused, reads=["plan"]),
    ScriptedCoordinator(Task(name="t", brief="x", builder="b"), accepts=[]),
]
assert_type(FixedClock().advance(5), int)


class MyBus(BusConformance):
    async def make_bus(self, deliveries_max: int, backlog_max: int) -> Bus:
        raise NotImplementedError


class TestSecurity(GateConformance):
    """A role's own suite: files by path, and how to make one."""

    refused: Mapping[str, str | bytes] = {"a.sql": "secret"}
    approved: Mapping[str, str | bytes] = {"a.sql": b"open"}

    def gate(self) -> Security:
        return Security()


class TestCarpenter(BuilderConformance):
    brief = "A table."

    def builder(self) -> Carpenter:
        return Carpenter()


async def held_to_its_contract() -> None:
    assert_type(await TestSecurity().ask({"a.sql": "x"}), Verdict)
    assert_type(TestCarpenter().builder(), Carpenter)


async def ports(bus: Bus, ledger: Ledger) -> None:
    bus.declare("carpenter")
    consumer = bus.consumer("carpenter")
    assert_type(consumer, Consumer)
    delivery = await consumer.receive()
    assert_type(delivery.attempt, int)
    assert_type((await ledger.head()).size, int)


# What must not pass: mypy --strict complains of an ignore that ignores nothing.


def mistakes(work: BuildWork, review: ReviewWork) -> None:
    Squad(Carpenter(), gates=[balance])  # type: ignore[call-arg]
    Squad(builder=Carpenter(), gates=[balance], independence="enemy")  # type: ignore[arg-type]
    Gate(modle="openai:gpt-6-astra")  # type: ignore[call-arg]
    Builder(model=3)  # type: ignore[arg-type]
    work.artifact({"a": 3})  # type: ignore[dict-item]
    work.brief = "another"  # type: ignore[misc]
    review.refuse("because")  # type: ignore[arg-type]
    Panel("security", balance)  # type: ignore[arg-type]
    Panel(balance, Security(), veto=3)  # type: ignore[arg-type]
    Checklist(Security())  # type: ignore[arg-type]
    Fact(id="a", text="t")  # type: ignore[call-arg]
    Shelf(["a fact"])  # type: ignore[list-item]
    Squad(builder=Carpenter(), gates=[balance], memory={"a": "fact"})  # type: ignore[arg-type]
    Approved(findings=())  # type: ignore[call-arg]
    Refused()  # type: ignore[call-arg]
    Limits(attempts=3)  # type: ignore[call-arg]
    check("a.b")(lambda artifact: None)  # type: ignore[arg-type,return-value]

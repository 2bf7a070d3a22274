"""Packets of every kind, each in a store of its own with fixed time and chance, and the pages written of them."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

from squads import (
    Abstained,
    ApprovalRule,
    Approved,
    Finding,
    Limits,
    Packet,
    Plan,
    Predicate,
    Refused,
    ReviewWork,
    Squad,
    Task,
)
from squads.adapters.approvers import FlagApprover
from squads.adapters.sqlite_content import reader_of
from squads.audit import trust_in
from squads.contracts.finding import Location, Severity
from squads.contracts.outcome import Outcome
from squads.gates.panel import Panel
from squads.gates.unsafe import UnsafeNoGate
from squads.pages.blocks import Page
from squads.pages.html_writer import html_of
from squads.pages.markdown_writer import markdown_of
from squads.pages.page import page_of
from squads.pages.reading import packet_in
from squads.pages.report import report_of
from squads.stores import CONTENT_KEYS, keys_of
from squads.testing import FixedClock, ScriptedBuilder, ScriptedCoordinator, ScriptedGate, seeded_entropy

TABS = Finding(
    invariant="style.tabs",
    severity=Severity.MAJOR,
    message="Line 2 begins with a tab.",
    location=Location(path="a.txt", line=2, column=1),
    evidence="\tsecond",
    satisfy="four spaces",
)


def squad(store: Path, **roles: Any) -> Squad:
    """A squad whose bytes depend on nothing but its script."""
    return Squad(
        store=store, keys=store.parent / "keys", clock=FixedClock(), entropy=seeded_entropy(store.name), **roles
    )


def run(store: Path, packet: str | Packet = "A text without tabs.", **roles: Any) -> Outcome:
    """Run one packet and let go of the store."""

    async def whole() -> Outcome:
        made = squad(store, **roles)
        try:
            return await made.run(packet)
        finally:
            await made.close()

    return asyncio.run(whole())


def composed(store: Path) -> Outcome:
    """Refused once, mended, approved by a flag."""
    return run(
        store,
        Packet(
            brief="A text without tabs.",
            done_when=(Predicate(id="no-tabs", sentence="No line begins with a tab.", check="style"),),
            approval=ApprovalRule(approvers=("owner",)),
        ),
        builder=ScriptedBuilder({"a.txt": "first\n\tsecond\n"}, {"a.txt": "first\n    second\n"}, prior="b"),
        gates=[ScriptedGate("style", TABS, Approved(), prior="g")],
        approver=FlagApprover(),
    )


def panelled(store: Path) -> Outcome:
    """Two of three members approve, and the third is outvoted."""
    votes = {"first": Approved(), "second": TABS, "third": Approved()}
    members = [ScriptedGate(name, vote, prior=name) for name, vote in votes.items()]
    return run(
        store,
        builder=ScriptedBuilder({"a.txt": "first\n\tsecond\n"}, prior="b"),
        gates=[Panel(*members, name="board", approvals_min=2)],
    )


def refused(store: Path) -> Outcome:
    """Refused at the only attempt."""
    return run(
        store,
        builder=ScriptedBuilder({"a.txt": "first\n\tsecond\n"}, prior="b"),
        gates=[ScriptedGate("style", TABS, prior="g")],
        limits=Limits(attempts_max=1),
    )


def unanchored(store: Path) -> Outcome:
    """A model's gate quotes what is not there, of a builder that has a fallback."""
    builder = ScriptedBuilder({"a.txt": "first\n\tsecond\n"}, prior="b")
    builder.model = ("openai:gpt-4o",)
    gate = ScriptedGate("style", TABS.but(evidence="\tthird", unanchored=True), prior="g")
    gate.model = "anthropic:claude-sonnet-4-5"
    return run(store, builder=builder, gates=[gate], limits=Limits(attempts_max=1), independence="family")


def abstained(store: Path) -> Outcome:
    """A gate that could not look, twice."""
    reason = Abstained(reason="a.txt is in a language that nobody here reads")
    return run(
        store,
        builder=ScriptedBuilder({"a.txt": "x"}, prior="b"),
        gates=[ScriptedGate("style", reason, reason, prior="g")],
    )


def waiting(store: Path) -> Outcome:
    """A composition that waits for its owner."""
    return run(
        store,
        builder=ScriptedBuilder({"a.txt": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g")],
        approval=ApprovalRule(approvers=("owner",)),
    )


def halted(store: Path) -> Outcome:
    """Waiting, and then stopped."""

    async def whole() -> Outcome:
        made = squad(
            store,
            builder=ScriptedBuilder({"a.txt": "x"}, prior="b"),
            gates=[ScriptedGate("style", Approved(), prior="g")],
            approval=ApprovalRule(approvers=("owner",)),
        )
        try:
            outcome = await made.run("It.")
            await made.stop("the house is on fire", packet=outcome.packet)
            return await made.resume(outcome.packet)
        finally:
            await made.close()

    return asyncio.run(whole())


def plan_refused(store: Path) -> Outcome:
    """A gate that reads plans refuses the only one."""
    plan = Plan(tasks=(Task(name="all at once", brief="Everything.", builder="builder"),))
    finding = Finding(invariant="plan.too-large", message="One task for everything.")
    return run(
        store,
        coordinator=ScriptedCoordinator(plan, prior="c"),
        builder=ScriptedBuilder(prior="b"),
        gates=[ScriptedGate("plans", finding, reads=["plan"], prior="g"), ScriptedGate("style", prior="s")],
        limits=Limits(attempts_max=1),
    )


def two_tasks(store: Path) -> Outcome:
    """A second task that builds on the first."""
    plan = Plan(
        tasks=(
            Task(name="words", brief="Words.", builder="builder"),
            Task(name="index", brief="Index.", builder="builder", after=("words",)),
        )
    )
    return run(
        store,
        coordinator=ScriptedCoordinator(plan, lambda work: work.accept(), prior="c"),
        builder=ScriptedBuilder({"words.txt": "w"}, {"index.txt": "i"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), Approved(), prior="g")],
    )


def waived(store: Path) -> Outcome:
    """A gate that is shown a signed waiver when it is asked once more, and cites it."""

    async def whole() -> Outcome:
        holding, signed = asyncio.Event(), asyncio.Event()

        async def first(work: ReviewWork) -> Any:
            holding.set()
            await signed.wait()
            return work.abstain("waiting for a waiver")

        def cite(work: ReviewWork) -> Any:
            return work.approve(waivers=[w.id for w in work.waivers], notes=[TABS.but(severity=Severity.NOTE)])

        gate = ScriptedGate("style", first, cite, prior="g")
        made = squad(store, builder=ScriptedBuilder({"a.txt": "first\n\tsecond\n"}, prior="b"), gates=[gate])
        async with made:
            workspace = await made.workspace()
            await workspace.grant("human:owner", "waiver")
            running = asyncio.create_task(made.run("It."))
            await holding.wait()
            packet = (await workspace.ledger.streams())[-1]
            work = gate.script.asked[0]
            assert isinstance(work, ReviewWork)
            assert work.artifact is not None
            await made.waive(
                packet,
                artifact=work.artifact.digest,
                gate="style",
                reason="tabs are the house style",
                person="owner",
                expires_ms=workspace.now_ms() + 60_000,
            )
            signed.set()
            return await running

    return asyncio.run(whole())


def unsafe(store: Path) -> Outcome:
    """One gate that looks, and one that does not."""
    return run(
        store,
        builder=ScriptedBuilder({"a.txt": "x"}, prior="b"),
        gates=[ScriptedGate("style", Approved(), prior="g"), UnsafeNoGate()],
    )


def hostile(store: Path, text: str) -> Outcome:
    """One text everywhere where roles and people write."""
    finding = Finding(
        invariant="style.any",
        message=text,
        evidence=text,
        satisfy=text,
        location=Location(path="a.txt", line=1),
    )
    nowhere = Finding(invariant="style.any", message=text, evidence=text, satisfy=f"{text};")
    return run(
        store,
        Packet(brief=text, done_when=(Predicate(id="it", sentence=text, check="style"),)),
        builder=ScriptedBuilder({"a.txt": text, "b.bin": b"\xff\xfe\x00"}, {"a.txt": f"{text}!"}, prior="b"),
        gates=[
            ScriptedGate("style", Refused(findings=(finding, nowhere)), Abstained(reason=text), Abstained(reason=text))
        ],
    )


def page(store: Path, packet: str) -> Page:
    """The page of a packet."""
    with packet_in(store, packet, keys=store.parent / "keys") as moment:
        return page_of(report_of(moment))


def both(store: Path, packet: str) -> tuple[str, str]:
    """The page as HTML and as Markdown."""
    made = page(store, packet)
    return html_of(made), markdown_of(made)


def erase(store: Path, *words: bytes) -> int:
    """Erase every blob that holds one of these words, as an erasure would; return how many."""
    connection = sqlite3.connect(store / "ledger.db")
    read = reader_of(connection, keys_of(trust_in(store), store.parent / "keys") / CONTENT_KEYS)
    rows = connection.execute("SELECT DISTINCT digest FROM content").fetchall()
    gone = [digest for (digest,) in rows if any(word in (read(digest.hex()) or b"") for word in words)]
    connection.executemany("DELETE FROM content WHERE digest = ?", [(d,) for d in gone])
    connection.commit()
    connection.close()
    return len(gone)

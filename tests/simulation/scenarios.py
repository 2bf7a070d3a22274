"""Scenarios for rules that worlds meet too seldom: each runs on any kernel and raises where the rule is broken."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from cast import ROLES, ROOT, RUNNER, WORKSPACE_ID, key
from checker import Checker
from world import ARTIFACT, NO_FINDING, ONE_FINDING, PLAN, Message, World, limits, role

from squads.contracts.packet import Budget
from squads.contracts.records import GrantRecord, PlanRecord, TaskRecord, VerdictRecord, WaiverRecord

Scenario = Callable[[SimpleNamespace], None]


def a_waiver_counts_once(kernel: SimpleNamespace) -> None:
    """The very same plan comes in twice; the waiver that its first approval cited is spent."""
    world = World(1, kernel)
    world.hostile, world.p_crash, world.runners = False, 0.0, world.runners[:1]
    world.opened = world.opened.model_copy(
        update={
            "gates": ("g1", "g2"),
            "rules": 1,
            "roles": (
                role("coord", "coordinator", 200, (), None, 0),
                role("b1", "builder", 101, (), None, 0),
                role("g1", "gate", 301, (PLAN, ARTIFACT), None, 0),
                role("g2", "gate", 302, (PLAN,), None, 0),
            ),
            "limits": limits(attempts_max=3),
            "budget": Budget(),
            "approval": None,
            "independence": "identity",
        }
    )
    world.say_workspace(GrantRecord(workspace=WORKSPACE_ID, subject="human:h1", scope="waiver"), ROOT)
    world.refold(world.runners[0])
    common = {"workspace": WORKSPACE_ID, "packet": world.packet}
    content, task = world.digest(), TaskRecord(task=1, builder="b1", brief=world.digest(), brief_chars=1)

    def say(record: Any, who: str) -> str:
        message = Message(record, key(who), world.digest())
        assert world.hand_in(message) is None
        return message.digest

    def plan() -> None:
        request = next(j for j, job in world.state.jobs.items() if not job.receipt)
        say(PlanRecord(**common, request=request, author="coord", content=content, tasks=(task,)), "coord")

    def verdict(gate: str, decision: str, *waivers: str) -> None:
        asked = next(t for t in world.state.tickets.values() if not t.decision and t.record.gate == gate)
        record = VerdictRecord(
            **common,
            author=gate,
            ticket=asked.record.ticket,
            decision=decision,  # type: ignore[arg-type]
            subject=content,
            attempt=asked.record.attempt,
            saw=asked.request.saw,
            independence=asked.record.independence,
            content=world.digest(),
            findings=ONE_FINDING if decision == "refused" else NO_FINDING,
            looked=1,
            waivers=waivers,
        )
        say(record, gate)

    say(world.opened, "program")
    plan()
    waiver = say(
        WaiverRecord(
            **common, subject=content, author="h1", gate="g1", expires_ms=world.now + 10_000, content=world.digest()
        ),
        "h1",
    )
    verdict("g1", "approved", waiver)
    verdict("g2", "refused")
    plan()
    verdict("g1", "approved", waiver)
    verdict("g2", "approved")

    Checker(world.entries, world.manifests, ROLES, RUNNER)
    assert world.state.plan is None, "a plan was adopted on a waiver that had been used"

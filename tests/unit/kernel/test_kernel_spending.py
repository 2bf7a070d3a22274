"""What a packet spends, step by step: on its own account, on its tasks' and on its roles'."""

from __future__ import annotations

from typing import Any

import pytest
from kernel_scene import ARTIFACT, PACKET, PLAN, WORKSPACE, Scene, role, task

from squads.contracts.finding import Usage
from squads.contracts.packet import Allowance, Budget, Limits, RoleAllowance
from squads.contracts.records import FaultRecord
from squads.kernel.budget import Account, Spend

COST = {"call_tokens_max": 10, "call_microusd_max": 20, "call_ms_max": 30}
ROLES = (
    role("coord", "coordinator", **COST),
    role("carpenter", "builder", **COST),
    role("mason", "builder", **COST),
    role("schema", "gate", ARTIFACT, **COST),
)
TASK: Account = ("task", 1)
FULL = Usage(tokens=10, cost_microusd=20, calls=1, wait_ms=30)


def scene_of(budget: Budget | None = None, **change: Any) -> Scene:
    return Scene(**{"roles": ROLES, "budget": budget or Budget(), **change})


def fault(scene: Scene, about: str, usage: Usage | None) -> None:
    record = FaultRecord(workspace=WORKSPACE, packet=PACKET, about=about, reason="unreachable", usage=usage)
    scene.say(record, "runner")


def ended(scene: Scene) -> tuple[str, str | None, str | None, int | None]:
    finish = scene.s.finish
    assert finish is not None
    return finish.reason, finish.budget, finish.role, finish.task


def test_an_answer_is_reserved_and_settled_on_every_account() -> None:
    """A build counts on the packet, on its task and on its builder, before and after it is answered."""
    scene = scene_of()
    scene.plan(usage=FULL)
    reserved = Spend(tokens_reserved=10, microusd_reserved=20, wait_ms_reserved=30)
    spent = Spend(tokens=10, microusd=20, wait_ms=30, calls=1)
    assert (scene.s.accounts[TASK], scene.s.accounts["role", "carpenter"]) == (reserved, reserved)
    assert scene.s.accounts["role", "coord"] == spent
    job = scene.s.jobs[scene.request("build")].record
    assert (job.tokens_reserved, job.microusd_reserved, job.wait_ms_reserved) == (10, 20, 30)

    scene.build(usage=FULL)

    assert scene.s.accounts["role", "carpenter"] == spent
    assert scene.s.spend == Spend(20, 40, 60, 2, 10, 20, 30)


def test_a_gates_ticket_for_a_task_counts_on_that_task() -> None:
    """Reading what was built is part of what a task costs; reading a plan is not."""
    gates = (role("schema", "gate", ARTIFACT, **COST), role("style", "gate", PLAN, **COST))
    scene = scene_of(roles=(*ROLES[:3], *gates), gates=("schema", "style"))
    scene.plan()
    assert TASK not in scene.s.accounts
    scene.judge("style", usage=FULL)
    scene.build()

    assert scene.s.accounts[TASK].tokens_reserved == 10
    scene.judge("schema", usage=FULL)
    assert scene.s.accounts[TASK].tokens == 10
    assert scene.s.accounts["role", "schema"].tokens == scene.s.accounts["role", "style"].tokens == 10


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(tokens_max=29), ("packet", "schema", None)),
        (Budget(cost_microusd_max=59), ("packet", "schema", None)),
        (Budget(wait_ms_max=89), ("packet", "schema", None)),
        (Budget(task=Allowance(tokens_max=19)), ("task", "schema", 1)),
        (Budget(task=Allowance(wait_ms_max=59)), ("task", "schema", 1)),
        (Budget(roles=(RoleAllowance(role="schema", cost_microusd_max=19),)), ("role", "schema", 1)),
        (Budget(roles=(RoleAllowance(role="schema", tokens_max=9),), tokens_max=29), ("packet", "schema", None)),
    ],
)
def test_the_first_account_without_room_ends_the_packet(budget: Budget, why: tuple[str, str, int | None]) -> None:
    """With the account, the role whose answer did not fit, and the task where it is the task's or the role's."""
    scene = scene_of(budget)
    scene.plan(usage=FULL)

    scene.build(usage=FULL)

    assert ended(scene) == ("budget-spent", *why)
    assert scene.sent == []
    assert scene.recorded == ["finish"]
    assert "schema" not in {ticket.record.gate for ticket in scene.s.tickets.values()}


def test_at_the_limit_everything_fits() -> None:
    """Each account is as large as what it must hold, to the last token."""
    budget = Budget(
        tokens_max=40,
        task=Allowance(tokens_max=20),
        roles=(RoleAllowance(role="schema", tokens_max=10), RoleAllowance(role="coord", tokens_max=20)),
    )
    scene = scene_of(budget)
    scene.plan(usage=FULL)
    scene.build(usage=FULL)
    scene.judge(usage=FULL)
    scene.accept(usage=FULL)

    assert scene.reason == "composed"


def test_a_task_has_one_allowance_for_all_its_attempts() -> None:
    """Another try is paid from what the tries before left."""
    scene = scene_of(Budget(task=Allowance(tokens_max=39)))
    scene.plan()
    scene.build(usage=FULL)
    scene.judge(decision="refused", usage=FULL)
    assert scene.reason == ""

    scene.build(usage=FULL)

    assert ended(scene) == ("budget-spent", "task", "schema", 1)


def test_one_tasks_allowance_is_not_anothers() -> None:
    """Each task has the whole of it."""
    scene = scene_of(Budget(task=Allowance(tokens_max=20)))
    scene.plan(task(1), task(2, builder="mason"))
    for number in (1, 2):
        scene.build(number, usage=FULL)
        scene.judge(number=number, usage=FULL)

    assert scene.reason == ""
    assert scene.s.accounts["task", 1].tokens == scene.s.accounts["task", 2].tokens == 20


@pytest.mark.parametrize(
    ("budget", "why"),
    [
        (Budget(tokens_max=30), ("packet", "carpenter", None)),
        (Budget(task=Allowance(tokens_max=30)), ("task", "carpenter", 1)),
        (Budget(roles=(RoleAllowance(role="carpenter", tokens_max=30),)), ("role", "carpenter", 1)),
    ],
)
def test_a_reply_that_overspends_any_account_ends_the_packet(budget: Budget, why: tuple[str, str, int | None]) -> None:
    """The money is gone, and no more of it goes."""
    scene = scene_of(budget)
    scene.plan()

    scene.build(usage=Usage(tokens=31, calls=1))

    assert ended(scene) == ("budget-spent", *why)
    assert scene.sent == []


def test_a_failed_answer_costs_what_its_host_says() -> None:
    """A model that could not be reached spent less than was set aside for it."""
    scene = scene_of()
    scene.plan()

    fault(scene, scene.request("build"), Usage(tokens=3, calls=1, wait_ms=4))

    assert scene.s.accounts["role", "carpenter"][:4] == (3, 0, 4, 1)


def test_a_failed_reading_costs_what_its_host_says() -> None:
    """The same for a gate."""
    scene = scene_of()
    scene.plan()
    scene.build()

    fault(scene, scene.ticket("schema").record.ticket, Usage(tokens=3, calls=1))

    assert scene.s.accounts["role", "schema"][:4] == (3, 0, 0, 1)


def test_what_nobody_knows_costs_all_that_was_reserved() -> None:
    """The call may have been paid."""
    scene = scene_of()
    scene.plan()

    fault(scene, scene.request("build"), None)

    assert scene.s.accounts["role", "carpenter"][:4] == (10, 20, 30, 1)


def test_an_end_settles_what_is_still_out() -> None:
    """Nothing stays reserved: the answers that nobody waits for any more may have been paid."""
    scene = scene_of(limits=Limits(objections_max=0))
    scene.plan(task(1), task(2, builder="mason"))

    scene.object("carpenter", 1)

    assert scene.reason == "task-objected"
    assert scene.s.accounts["role", "mason"] == Spend(10, 20, 30, 1)
    assert all(spend[4:] == (0, 0, 0) for spend in scene.s.accounts.values())
    assert scene.replay().packets[PACKET] == scene.s

"""Budgets of packets, tasks, roles and the workspace, as a squad keeps them; and what an outcome says was spent."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from squads import (
    ApprovalRule,
    Approved,
    AwaitingApproval,
    Budget,
    Composed,
    Finding,
    NotComposed,
    Packet,
    Squad,
)
from squads.audit import audit
from squads.cli.show import as_data
from squads.contracts.errors import AllowanceSpent, InvalidInput, InvalidReply, ModelUnreachable
from squads.contracts.finding import Usage
from squads.contracts.messages import Failed
from squads.contracts.outcome import RoleSpend
from squads.contracts.packet import Allowance, RoleAllowance, WorkspaceBudget
from squads.kernel.budget import Spend
from squads.opening import check_budget
from squads.resolve import resolve
from squads.roles.coordinator import OneTask
from squads.testing import ScriptedBuilder, ScriptedGate
from squads.worker import Worker

PAID = Approved(usage=Usage(tokens=2, cost_microusd=3, calls=1, wait_ms=4))
SHARED = WorkspaceBudget(tokens_max=30)
TEN = Budget(tokens_max=10)
PLACES = pytest.mark.parametrize("place", ["memory", "sqlite"])


def priced(role: Any, **most: int) -> Any:
    for name, value in {"call_tokens_max": 5, **most}.items():
        setattr(role, name, value)
    return role


def squad(place: str, where: Path, *verdicts: Any, builds: Any = None, **change: Any) -> Squad:
    count = max(1, len(verdicts))
    builder = priced(ScriptedBuilder(*([builds or {"a": "1"}] * count), prior="b"))
    gate = priced(ScriptedGate("style", *(verdicts or (PAID,)), prior="g"))
    options = {"store": None if place == "memory" else where / "s", "budget": TEN, "workspace_budget": SHARED}
    return Squad(**{"builder": builder, "gates": [gate], **options, **change})


async def balance(team: Squad) -> Spend:
    return await (await team.workspace()).ledger.balance("ever")


# The workspace's budget -----------------------------------------------------------------------------------------------


@PLACES
async def test_eight_runs_at_once_cannot_pass_a_limit_of_three(place: str, tmp_path: Path) -> None:
    """Three set their budget aside; five end at once, with a receipt and without asking anybody."""
    go = asyncio.Event()

    async def build(work: Any) -> Any:
        await go.wait()
        return work.artifact({"a": "1"})

    async with squad(place, tmp_path, *[PAID] * 3, builds=build) as team:
        ended = []
        async with asyncio.timeout(30):
            for done in asyncio.as_completed([team.run("It.") for _ in range(8)]):
                ended.append(await done)
                if len(ended) == 5:
                    assert await balance(team) == Spend(tokens_reserved=30)
                    go.set()
        refused, composed = ended[:5], ended[5:]
        spent = await balance(team)
        receipts = await (await team.workspace()).ledger.read(refused[0].packet)

    assert all(isinstance(o, NotComposed) and o.reason == "budget-spent" and o.exit_code == 2 for o in refused)
    assert all("the workspace's budget had no room" in str(o) for o in refused)
    assert all(isinstance(o, Composed) for o in composed)
    assert Spend(tokens=6, microusd=9, wait_ms=12, calls=3) == spent
    assert len(receipts) == 2  # the opening and the finish
    if place == "sqlite":
        assert audit(tmp_path / "s").failed == ()


@PLACES
async def test_what_was_not_spent_is_there_for_the_next_packet(place: str, tmp_path: Path) -> None:
    """Each sets ten aside and spends two, so eleven run one after the other where three would fit at once."""
    async with squad(place, tmp_path, *[PAID] * 12) as team:
        outcomes = [await team.run("It.") for _ in range(12)]
        spent = await balance(team)

    assert [o.kind for o in outcomes] == ["composed"] * 11 + ["not-composed"]
    assert 22 == spent.tokens


async def test_a_packet_that_is_left_open_keeps_its_reservation(tmp_path: Path) -> None:
    """Until whoever resumes it ends it: a crash gives nothing back by itself."""
    rule = ApprovalRule(approvers=("owner",))
    async with squad("sqlite", tmp_path, approval=rule) as team:
        waiting = await team.run("It.")
        assert isinstance(waiting, AwaitingApproval)
        assert Usage(tokens=2, cost_microusd=3, calls=1, wait_ms=4) == waiting.usage
    again = squad("sqlite", tmp_path, approval=rule)
    async with again:
        assert await balance(again) == Spend(tokens_reserved=10)
        assert {r.check: r.state for r in audit(tmp_path / "s").results}["budget"] == "passed"

        composed = await again.answer(waiting.packet, person="owner", approve=True)

        assert isinstance(composed, Composed)
        assert (await balance(again))[:4] == (2, 3, 4, 1)


async def test_a_window_has_an_account_of_its_own(tmp_path: Path) -> None:
    """What was spent yesterday does not count today."""

    class Clock:
        time_ms = 1_700_000_000_000

        def now_ms(self) -> int:
            return self.time_ms

    clock = Clock()
    shared = WorkspaceBudget(tokens_max=11, window="day")
    async with squad("memory", tmp_path, PAID, PAID, workspace_budget=shared, clock=clock) as team:
        first, second = await team.run("It."), await team.run("It.")
        clock.time_ms += 86_400_000
        third = await team.run("It.")
        ledger = (await team.workspace()).ledger
        days = [(await ledger.balance(day)).tokens for day in ("2023-11-14", "2023-11-15", "ever")]

    assert [o.kind for o in (first, second, third)] == ["composed", "not-composed", "composed"]
    assert [2, 2, 0] == days


async def test_an_edited_balance_is_found_by_the_audit(tmp_path: Path) -> None:
    """The rows are derived: the receipts say what they must be."""
    async with squad("sqlite", tmp_path) as team:
        await team.run("It.")
    connection = sqlite3.connect(tmp_path / "s" / "ledger.db")
    connection.execute("UPDATE account SET tokens = 1")
    connection.commit()
    connection.close()

    (failed,) = audit(tmp_path / "s").failed

    assert failed.check == "budget"
    assert "'ever' stands at tokens 1" in failed.message
    assert "the receipts give tokens 2" in failed.message


async def test_a_store_without_the_table_gets_it(tmp_path: Path) -> None:
    """A ledger that was made before there were shared accounts is audited, opened and used."""
    async with squad("sqlite", tmp_path, workspace_budget=None) as team:
        await team.run("It.")
    connection = sqlite3.connect(tmp_path / "s" / "ledger.db")
    connection.execute("DROP TABLE account")
    connection.commit()
    connection.close()
    assert audit(tmp_path / "s").failed == ()

    async with squad("sqlite", tmp_path) as team:
        assert isinstance(await team.run("It."), Composed)
    assert audit(tmp_path / "s").failed == ()


# What cannot be run ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "shared", "why"),
    [
        (Budget(), SHARED, "this packet has none of its kind; give it `tokens_max`, at most 30"),
        (Budget(tokens_max=31), SHARED, "`tokens_max` of 31 is more than the 30 of the whole workspace"),
        (TEN, WorkspaceBudget(wait_ms_max=5), "give it `wait_ms_max`"),
        (Budget(tokens_max=0), None, "the packet's budget has a limit of 0, and 'builder' costs something"),
        (Budget(task=Allowance(tokens_max=0)), None, "the tasks' budget has a limit of 0"),
        (
            Budget(roles=(RoleAllowance(role="style", tokens_max=0),)),
            None,
            "the 'style' role's budget has a limit of 0",
        ),
        (Budget(roles=(RoleAllowance(role="stile", tokens_max=9),)), None, "did you mean 'style'?"),
        (Budget(roles=(RoleAllowance(role="zzz", tokens_max=9),)), None, "known: builder, one-task, style"),
    ],
)
async def test_a_budget_that_cannot_work_is_refused_before_anything_is_written(
    budget: Budget, shared: WorkspaceBudget | None, why: str, tmp_path: Path
) -> None:
    """One sentence that says what is wrong and what to do."""
    team = squad("sqlite", tmp_path, budget=budget, workspace_budget=shared)

    with pytest.raises(InvalidInput, match=why.replace("?", r"\?")):
        await team.run("It.")
    assert not (tmp_path / "s").exists()


def test_a_role_is_named_once_in_a_budget() -> None:
    """Two allowances for one role would leave open which of them counts."""
    with pytest.raises(InvalidInput, match="names the role 'builder' twice"):
        Budget(roles=(RoleAllowance(role="builder"), RoleAllowance(role="builder")))


MODEL = "openai:gpt-5"


@pytest.mark.parametrize(
    ("budget", "shared", "most", "refused"),
    [
        (Budget(cost_microusd_max=5), None, 0, True),
        (Budget(cost_microusd_max=5), None, 7, False),
        (Budget(tokens_max=5), None, 0, False),
        (Budget(task=Allowance(cost_microusd_max=5)), None, 0, True),
        (Budget(roles=(RoleAllowance(role="builder", cost_microusd_max=5),)), None, 0, True),
        (Budget(roles=(RoleAllowance(role="style", cost_microusd_max=5),)), None, 0, False),
        (Budget(), WorkspaceBudget(cost_microusd_max=5), 0, True),
        (Budget(), WorkspaceBudget(tokens_max=5), 0, False),
    ],
)
def test_money_needs_a_price(budget: Budget, shared: WorkspaceBudget | None, most: int, refused: bool) -> None:
    """A limit in money says nothing about a model that nobody knows the price of."""
    builder = priced(ScriptedBuilder(), call_microusd_max=most)
    builder.model = MODEL
    roles = resolve(OneTask(), [builder], [ScriptedGate("style")])
    packet = Packet(brief="It.", budget=budget)

    check_budget(packet, roles, lambda _: (1, 2), shared)
    if not refused:
        check_budget(packet, roles, lambda _: None, shared)
        return
    with pytest.raises(InvalidInput, match=f"price of '{MODEL}', the model of 'builder'; give its price, or limit"):
        check_budget(packet, roles, lambda _: None, shared)


# What an outcome says -------------------------------------------------------------------------------------------------


async def test_an_outcome_says_what_each_role_spent(tmp_path: Path) -> None:
    """In all and by role; who spent nothing is not named."""
    async with squad("memory", tmp_path, workspace_budget=None) as team:
        outcome = await team.run("It.")

    assert PAID.usage == outcome.usage
    assert (RoleSpend(role="style", kind="gate", usage=PAID.usage),) == outcome.spent
    data = json.loads(json.dumps(as_data(outcome)))
    assert data["spent"][0]["usage"] == {"tokens": 2, "cost_microusd": 3, "calls": 1, "wait_ms": 4}
    assert data["usage"]["cost_microusd"] == 3


async def test_nothing_is_said_of_costs_where_all_is_code(tmp_path: Path) -> None:
    """Nobody who uses no model reads about money."""
    async with squad("memory", tmp_path, Approved(), workspace_budget=None) as team:
        outcome = await team.run("It.")

    assert outcome.spent == ()
    assert not {"usage", "spent"} & as_data(outcome).keys()


@pytest.mark.parametrize(
    ("budget", "task", "words"),
    [
        (Budget(tokens_max=9), None, "the packet was spent at an answer of 'builder': 5 of 9 tokens"),
        (
            Budget(task=Allowance(tokens_max=9)),
            "work",
            "task 'work' was spent at an answer of 'builder': 5 of 9 tokens",
        ),
        (
            Budget(roles=(RoleAllowance(role="style", tokens_max=4, wait_ms_max=7),)),
            "work",
            "role 'style' was spent at an answer of 'style': 0 of 4 tokens, 0 of 7 ms of waiting",
        ),
    ],
)
async def test_an_outcome_says_whose_budget_was_spent(
    budget: Budget, task: str | None, words: str, tmp_path: Path
) -> None:
    """Which one, at whose answer, and how much of it: what somebody must know to raise it."""
    builder = priced(ScriptedBuilder(RuntimeError("no reply"), {"a": "1"}, prior="b"))
    async with squad("memory", tmp_path, budget=budget, workspace_budget=None, builder=builder) as team:
        outcome = await team.run("It.")

    assert isinstance(outcome, NotComposed)
    assert ("budget-spent", task) == (outcome.reason, outcome.task)
    assert f"the budget of {words}" == outcome.words[0]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelUnreachable("no answer after every retry"), "unreachable"),
        (AllowanceSpent("the next reply could cost more"), "spent"),
        (InvalidReply("no reply validated"), "unreadable"),
    ],
)
async def test_a_failed_answer_says_why_its_model_gave_none(error: Exception, reason: str, tmp_path: Path) -> None:
    """The receipt tells an unreachable model from a spent allowance and from nonsense."""
    gate = priced(ScriptedGate("style", error, error, prior="g"))
    async with squad("memory", tmp_path, gates=[gate], workspace_budget=None, budget=Budget()) as team:
        outcome = await team.run("It.")

    assert isinstance(outcome, NotComposed)
    assert any(f"style gave no usable answer ({reason}): {type(error).__name__}" in said for said in outcome.words)
    assert 10 == next(s for s in outcome.spent if s.role == "style").usage.tokens


async def test_a_failed_answer_costs_what_its_worker_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of an answer that failed is in its receipt, and the rest of the reservation is free again."""
    cost = Usage(tokens=3, calls=1)
    real = Worker._failed

    def failed(*arguments: Any, **options: Any) -> Failed:
        return real(*arguments, **options).but(usage=cost)

    monkeypatch.setattr(Worker, "_failed", failed)
    gate = priced(ScriptedGate("style", RuntimeError("no"), PAID, prior="g"))
    async with squad("memory", tmp_path, gates=[gate], workspace_budget=None) as team:
        outcome = await team.run("It.")

    assert isinstance(outcome, Composed)
    assert cost.tokens + PAID.usage.tokens == outcome.usage.tokens


async def test_findings_are_not_lost_on_a_spent_budget(tmp_path: Path) -> None:
    """A refusal that was paid for stands in the outcome, whatever ended the packet."""
    found = Finding(invariant="style.name", message="No.")
    async with squad("memory", tmp_path, found, budget=Budget(tokens_max=10), workspace_budget=None) as team:
        gate_first = await team.run("It.")

    assert gate_first.refusals[0].verdict.findings == (found,)

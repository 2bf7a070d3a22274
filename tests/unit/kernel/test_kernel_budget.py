"""Reserve and settle: concurrent work never passes a limit, on any account that an answer counts on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_scene import ARTIFACT, role

from squads.contracts.finding import Usage
from squads.contracts.packet import Allowance, Budget, RoleAllowance
from squads.contracts.records import MemberRecord, ModelRecord
from squads.kernel.budget import (
    COUNT_MAX,
    NOTHING_SPENT,
    PACKET,
    Account,
    Amount,
    Spend,
    accounts_of,
    charge,
    hopeless,
    overspent,
    reserve,
    settle,
)

AMOUNT = st.integers(0, 50)
TASK: Account = ("task", 1)
BUILDER: Account = ("role", "carpenter")


def test_the_last_token_can_be_reserved() -> None:
    """A limit is what may be spent, not what is too much."""
    assert reserve(Spend(), Budget(tokens_max=10), Amount(10)) == Spend(tokens_reserved=10)
    assert reserve(Spend(), Budget(tokens_max=10), Amount(11)) is None


@pytest.mark.parametrize(
    ("kind", "most"),
    [("tokens_max", Amount(11)), ("cost_microusd_max", Amount(0, 11)), ("wait_ms_max", Amount(0, 0, 11))],
)
def test_every_kind_has_a_limit_of_its_own(kind: str, most: Amount) -> None:
    """Any limit refuses, and none refuses what the others are for."""
    assert reserve(Spend(), Budget(**{kind: 11}), most) is not None
    assert reserve(Spend(), Budget(**{kind: 10}), most) is None
    assert reserve(Spend(), Budget(**{kind: 10}), Amount(*(99 if not a else 10 for a in most))) is not None


def test_what_is_reserved_counts_as_spent() -> None:
    """Two at once cannot both take the rest."""
    first = reserve(Spend(tokens=3), Budget(tokens_max=10), Amount(4))

    assert first == Spend(tokens=3, tokens_reserved=4)
    assert reserve(first, Budget(tokens_max=10), Amount(4)) is None


def test_no_limit_is_no_limit() -> None:
    """None refuses nothing; nothing is ever overspent."""
    assert reserve(Spend(tokens=10**9), Budget(), Amount(10**9, 10**9, 10**9)) is not None
    assert reserve(Spend(tokens=10**9), None, Amount(10**9)) is not None
    assert not overspent(Spend(tokens=10**9, microusd=10**9, wait_ms=10**9), Budget())
    assert not overspent(Spend(tokens=10**9), None)


def test_a_reply_settles_with_what_it_cost() -> None:
    """The rest of the reservation is free again."""
    spend = Spend(1, 1, 1, 1, tokens_reserved=10, microusd_reserved=20, wait_ms_reserved=30)

    after = settle(spend, Amount(10, 20, 30), Usage(tokens=3, cost_microusd=5, calls=2, wait_ms=7))

    assert Spend(tokens=4, microusd=6, wait_ms=8, calls=3) == after
    assert Usage(tokens=4, cost_microusd=6, wait_ms=8, calls=3) == after.usage


def test_silence_settles_in_full() -> None:
    """The call may have been paid; where nothing was reserved, nothing was called."""
    spend = Spend(tokens_reserved=10, microusd_reserved=20, wait_ms_reserved=30)

    assert Spend(tokens=10, microusd=20, wait_ms=30, calls=1) == settle(spend, Amount(10, 20, 30), None)
    assert NOTHING_SPENT == settle(NOTHING_SPENT, Amount(), None)


def test_a_balance_never_leaves_what_a_record_can_say() -> None:
    """However much a reply claims, the account stays a number that can be signed, and nothing fits any more."""
    most = Usage(tokens=COUNT_MAX, calls=1)
    spend = settle(settle(NOTHING_SPENT, Amount(), most), Amount(), most)

    assert COUNT_MAX == spend.tokens == spend.usage.tokens
    assert reserve(spend, Budget(tokens_max=COUNT_MAX), Amount(1)) is None


def test_overspent_is_past_the_limit_not_at_it() -> None:
    """A reply that cost all there was is fine."""
    budget = Budget(tokens_max=10, cost_microusd_max=20, wait_ms_max=30)

    assert not overspent(Spend(tokens=10, microusd=20, wait_ms=30), budget)
    assert overspent(Spend(tokens=11), budget)
    assert overspent(Spend(microusd=21), budget)
    assert overspent(Spend(wait_ms=31), budget)


def test_an_answer_counts_on_packet_task_and_role() -> None:
    """A plan and the end-to-end check are about no task."""
    assert (PACKET, TASK, BUILDER) == accounts_of("carpenter", 1)
    assert (PACKET, ("role", "coord")) == accounts_of("coord", None)


def test_a_reservation_is_made_on_every_account() -> None:
    """Each holds the whole amount."""
    charged = charge({BUILDER: Spend(tokens=5)}, Budget(), (PACKET, TASK, BUILDER), Amount(2))

    assert {
        PACKET: Spend(tokens_reserved=2),
        TASK: Spend(tokens_reserved=2),
        BUILDER: Spend(tokens=5, tokens_reserved=2),
    } == charged


@pytest.mark.parametrize(
    ("budget", "first"),
    [
        (Budget(tokens_max=1), PACKET),
        (Budget(task=Allowance(tokens_max=1)), TASK),
        (Budget(roles=(RoleAllowance(role="carpenter", tokens_max=1),)), BUILDER),
        (Budget(tokens_max=1, task=Allowance(tokens_max=1)), PACKET),
        (Budget(roles=(RoleAllowance(role="carpenter", tokens_max=1),), task=Allowance(tokens_max=1)), TASK),
    ],
)
def test_a_reservation_is_made_on_all_accounts_or_on_none(budget: Budget, first: Account) -> None:
    """The first account without room says so, and nothing is set aside anywhere."""
    before = {PACKET: Spend(tokens=0)}

    assert first == charge(before, budget, (PACKET, TASK, BUILDER), Amount(2))
    assert before == {PACKET: Spend()}


def test_another_roles_allowance_limits_nobody_else() -> None:
    """Each role has its own."""
    budget = Budget(roles=(RoleAllowance(role="mason", tokens_max=1),))

    assert isinstance(charge({}, budget, (PACKET, BUILDER), Amount(2)), dict)
    assert charge({}, budget, (PACKET, ("role", "mason")), Amount(2)) == ("role", "mason")


MODEL = {"models": (ModelRecord(called="anthropic:claude-sonnet-5-5", name="claude-sonnet-5-5"),)}


@pytest.mark.parametrize(
    ("budget", "who", "found"),
    [
        (Budget(tokens_max=0), role("carpenter", "builder"), None),
        (Budget(tokens_max=0), role("carpenter", "builder", call_tokens_max=1), (PACKET, "carpenter")),
        (Budget(tokens_max=0), role("carpenter", "builder", call_microusd_max=1), None),
        (Budget(cost_microusd_max=0), role("carpenter", "builder", call_microusd_max=1), (PACKET, "carpenter")),
        (Budget(wait_ms_max=0), role("carpenter", "builder", call_ms_max=1), (PACKET, "carpenter")),
        (Budget(wait_ms_max=0), role("carpenter", "builder", **MODEL), (PACKET, "carpenter")),
        (Budget(tokens_max=1), role("carpenter", "builder", **MODEL), None),
        (Budget(task=Allowance(tokens_max=0)), role("carpenter", "builder", **MODEL), (("task", 0), "carpenter")),
        (Budget(task=Allowance(tokens_max=0)), role("schema", "gate", ARTIFACT, **MODEL), (("task", 0), "schema")),
        (Budget(task=Allowance(tokens_max=0)), role("coord", "coordinator", **MODEL), None),
        (
            Budget(roles=(RoleAllowance(role="carpenter", tokens_max=0),)),
            role("carpenter", "builder", **MODEL),
            (BUILDER, "carpenter"),
        ),
        (
            Budget(tokens_max=0),
            role("both", "gate", ARTIFACT, members=(MemberRecord(name="one", prior="a" * 64, **MODEL),)),
            (PACKET, "both"),
        ),
    ],
)
def test_a_limit_of_zero_leaves_nothing_to_whoever_costs_something(budget: Budget, who: object, found: object) -> None:
    """Code runs on nothing; a model never does, whatever it reserves."""
    assert found == hopeless(budget, [who])  # type: ignore[list-item]


@given(st.integers(0, 200), st.lists(st.tuples(AMOUNT, st.none() | AMOUNT)))
def test_honest_replies_never_pass_the_limit(limit: int, calls: list[tuple[int, int | None]]) -> None:
    """Where no reply costs more than its reservation, spent and reserved together stay within the limit."""
    budget, spend, out = Budget(tokens_max=limit), Spend(), []
    for tokens, cost in calls:
        after = reserve(spend, budget, Amount(tokens))
        if after is None:
            continue
        spend = after
        out.append((tokens, cost))
        assert spend.tokens + spend.tokens_reserved <= limit
        if cost is not None:
            tokens, cost = out.pop(0)
            usage = None if cost is None else Usage(tokens=min(tokens, cost), calls=1)
            spend = settle(spend, Amount(tokens), usage)

    assert spend.tokens + spend.tokens_reserved <= limit
    assert sum(tokens for tokens, _ in out) == spend.tokens_reserved

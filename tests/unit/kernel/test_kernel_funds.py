"""What all packets of a workspace may spend together: one account per window, derived from the receipts alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kernel_scene import START_MS, Scene, opened, role

from squads.contracts.finding import Usage
from squads.contracts.packet import Allowance, Budget, WorkspaceBudget
from squads.contracts.records import ModelRecord, ObjectionRecord
from squads.kernel.budget import NOTHING_SPENT, Amount, Spend
from squads.kernel.funds import (
    Reservation,
    Settlement,
    account_of,
    booked,
    reservation_of,
    settlement_of,
    share_of,
)
from squads.kernel.replay import Diverged

SHARED = WorkspaceBudget(tokens_max=100)
BUDGET = Budget(tokens_max=40)


def funded(**change: Any) -> Scene:
    return Scene(**{"workspace_budget": SHARED, "budget": BUDGET, **change})


@given(st.integers(0, 253_402_300_799_999))
def test_an_account_is_named_after_its_window(time_ms: int) -> None:
    """The calendar of everybody else, in UTC, up to the year 9999."""
    day = datetime.fromtimestamp(time_ms // 1000, UTC)

    assert account_of(WorkspaceBudget(window="day"), time_ms) == day.strftime("%Y-%m-%d").zfill(10)
    assert account_of(WorkspaceBudget(window="month"), time_ms) == day.strftime("%Y-%m").zfill(7)
    assert account_of(WorkspaceBudget(), time_ms) == "ever"


def test_a_packet_sets_aside_what_the_workspace_limits() -> None:
    """Of other kinds nothing is counted, so nothing is set aside."""
    budget = Budget(tokens_max=1, cost_microusd_max=2, wait_ms_max=3)

    for shared, share in (
        (WorkspaceBudget(tokens_max=100), Amount(1, 0, 0)),
        (WorkspaceBudget(cost_microusd_max=100), Amount(0, 2, 0)),
        (WorkspaceBudget(wait_ms_max=100), Amount(0, 0, 3)),
    ):
        assert share == share_of(opened(workspace_budget=shared, budget=budget))


def test_opening_reserves_and_the_end_settles() -> None:
    """Once each, whatever happens between."""
    scene = funded()
    state = scene.s
    assert reservation_of(None, state) == Reservation(account="ever", amount=Amount(40), allowance=SHARED)
    assert settlement_of(None, state) is None
    scene.plan(usage=Usage(tokens=5, calls=1))
    assert reservation_of(state, scene.s) is settlement_of(state, scene.s) is None

    before = scene.s
    scene.object("carpenter")
    scene.plan()
    scene.build()
    scene.judge()
    before = scene.s
    scene.accept(usage=Usage(tokens=6, calls=1))

    assert scene.reason == "composed"
    assert settlement_of(before, scene.s) == Settlement(
        account="ever", amount=Amount(40), usage=Usage(tokens=11, calls=2)
    )
    assert settlement_of(scene.s, scene.s) is None


def test_a_window_is_that_of_the_opening() -> None:
    """What is opened before midnight settles where it was reserved."""
    scene = funded(workspace_budget=SHARED.but(window="day"))
    first = reservation_of(None, scene.s)
    request = scene.request("plan")
    objection = ObjectionRecord(**scene.common("coord"), request=request, content="c" * 64)

    scene.say(objection, "coordinator:coord", wait=86_399_999)

    last = settlement_of(None, scene.s)
    assert first is not None
    assert last is not None
    assert first.account == last.account == account_of(WorkspaceBudget(window="day"), START_MS)


def test_nobody_reserves_who_was_not_funded_or_has_no_limit() -> None:
    """A workspace without a budget keeps no account."""
    for scene in (Scene(), funded(funded=False)):
        assert reservation_of(None, scene.s) is None
        assert settlement_of(None, scene.s) is None


def test_a_packet_without_funds_ends_before_anything_that_costs() -> None:
    """With a receipt that says why, and not one request."""
    scene = funded(funded=False)

    assert scene.reason == "budget-spent"
    assert scene.s.finish is not None
    assert scene.s.finish.budget == "workspace"
    assert scene.recorded == ["finish"]
    assert scene.sent == []


def test_accounts_move_together_or_not_at_all() -> None:
    """A reservation that does not fit changes nothing; one that is settled at once is spent."""
    reservation = Reservation(account="a", amount=Amount(4), allowance=Allowance(tokens_max=10))
    settlement = Settlement(account="a", amount=Amount(4), usage=Usage(tokens=1, calls=1))
    full = Spend(tokens=7)

    assert booked(reservation, None, lambda _: NOTHING_SPENT) == {"a": Spend(tokens_reserved=4)}
    assert booked(reservation, settlement, lambda _: NOTHING_SPENT) == {"a": Spend(tokens=1, calls=1)}
    assert booked(reservation, settlement, lambda _: full) is None
    assert booked(None, None, lambda _: full) == {}


def test_a_replay_gives_the_same_accounts() -> None:
    """They are derived from the receipts, so anybody can work them out again."""
    scene = funded()
    assert scene.replay().balances == {"ever": Spend(tokens_reserved=40)}

    scene.object("coord")

    assert scene.replay().balances == {"ever": Spend()}


def test_a_packet_that_was_funded_past_the_limit_diverges() -> None:
    """The opening says that the workspace had room, and the account says that it had none."""
    scene = funded(budget=Budget(tokens_max=101))

    with pytest.raises(Diverged, match="funded past the workspace's budget"):
        scene.replay()


def test_a_limit_of_zero_ends_it_at_once() -> None:
    """Whoever opened it did not look; the rules do."""
    roles = (
        role("coord", "coordinator"),
        role("carpenter", "builder", models=(ModelRecord(called="openai:gpt-5", name="gpt-5"),)),
        *opened().roles[-1:],
    )
    scene = Scene(roles=roles, budget=Budget(tokens_max=0))

    assert scene.reason == "budget-spent"
    assert scene.s.finish is not None
    assert (scene.s.finish.budget, scene.s.finish.role) == ("packet", "carpenter")
    assert scene.recorded == ["finish"]

"""Reserve and settle: concurrent work never passes a limit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squads.contracts.finding import Usage
from squads.contracts.packet import Budget
from squads.kernel.budget import overspent, reserve, settle
from squads.kernel.state import Spend

AMOUNT = st.integers(0, 50)


def test_the_last_token_can_be_reserved() -> None:
    """A limit is what may be spent, not what is too much."""
    assert reserve(Spend(), Budget(tokens_max=10), tokens=10, microusd=0) == Spend(tokens_reserved=10)
    assert reserve(Spend(), Budget(tokens_max=10), tokens=11, microusd=0) is None


def test_money_has_a_limit_of_its_own() -> None:
    """Either limit refuses."""
    budget = Budget(tokens_max=100, cost_microusd_max=10)

    assert reserve(Spend(), budget, tokens=1, microusd=10) is not None
    assert reserve(Spend(), budget, tokens=1, microusd=11) is None


def test_what_is_reserved_counts_as_spent() -> None:
    """Two at once cannot both take the rest."""
    first = reserve(Spend(tokens=3), Budget(tokens_max=10), tokens=4, microusd=0)

    assert first == Spend(tokens=3, tokens_reserved=4)
    assert reserve(first, Budget(tokens_max=10), tokens=4, microusd=0) is None


def test_no_limit_is_no_limit() -> None:
    """None refuses nothing; nothing is ever overspent."""
    assert reserve(Spend(tokens=10**9), Budget(), tokens=10**9, microusd=10**9) is not None
    assert not overspent(Spend(tokens=10**9, microusd=10**9), Budget())


def test_a_reply_settles_with_what_it_cost() -> None:
    """The rest of the reservation is free again."""
    spend = Spend(tokens=1, microusd=1, tokens_reserved=10, microusd_reserved=20)

    after = settle(spend, tokens=10, microusd=20, usage=Usage(tokens=3, cost_microusd=5, calls=1))

    assert Spend(tokens=4, microusd=6) == after


def test_silence_settles_in_full() -> None:
    """The call may have been paid."""
    spend = Spend(tokens_reserved=10, microusd_reserved=20)

    assert Spend(tokens=10, microusd=20) == settle(spend, tokens=10, microusd=20, usage=None)


def test_overspent_is_past_the_limit_not_at_it() -> None:
    """A reply that cost all there was is fine."""
    budget = Budget(tokens_max=10, cost_microusd_max=20)

    assert not overspent(Spend(tokens=10, microusd=20), budget)
    assert overspent(Spend(tokens=11), budget)
    assert overspent(Spend(microusd=21), budget)


@given(st.integers(0, 200), st.lists(st.tuples(AMOUNT, st.none() | AMOUNT)))
def test_honest_replies_never_pass_the_limit(limit: int, calls: list[tuple[int, int | None]]) -> None:
    """Where no reply costs more than its reservation, spent and reserved together stay within the limit."""
    budget, spend, out = Budget(tokens_max=limit), Spend(), []
    for tokens, cost in calls:
        after = reserve(spend, budget, tokens=tokens, microusd=0)
        if after is None:
            continue
        spend = after
        out.append((tokens, cost))
        assert spend.tokens + spend.tokens_reserved <= limit
        if cost is not None:
            tokens, cost = out.pop(0)
            usage = None if cost is None else Usage(tokens=min(tokens, cost), calls=1)
            spend = settle(spend, tokens=tokens, microusd=0, usage=usage)

    assert spend.tokens + spend.tokens_reserved <= limit
    assert sum(tokens for tokens, _ in out) == spend.tokens_reserved

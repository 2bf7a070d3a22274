"""Reserve and settle: what may be spent is set aside before anybody spends it, so concurrent work cannot pass a limit.

A reply settles its reservation with what it really cost. Silence settles it in full: the call may have been paid.
"""

from __future__ import annotations

from squads.contracts.finding import Usage
from squads.contracts.packet import Budget
from squads.kernel.state import Spend


def reserve(spend: Spend, budget: Budget, *, tokens: int, microusd: int) -> Spend | None:
    """Return the spend with a reservation added, or None when it would pass a limit."""
    for limit, used in (
        (budget.tokens_max, spend.tokens + spend.tokens_reserved + tokens),
        (budget.cost_microusd_max, spend.microusd + spend.microusd_reserved + microusd),
    ):
        if limit is not None and used > limit:
            return None
    return Spend(spend.tokens, spend.microusd, spend.tokens_reserved + tokens, spend.microusd_reserved + microusd)


def settle(spend: Spend, *, tokens: int, microusd: int, usage: Usage | None) -> Spend:
    """Return the spend with a reservation of `tokens` and `microusd` replaced by `usage`; None spends all of it."""
    return Spend(
        spend.tokens + (tokens if usage is None else usage.tokens),
        spend.microusd + (microusd if usage is None else usage.cost_microusd),
        spend.tokens_reserved - tokens,
        spend.microusd_reserved - microusd,
    )


def overspent(spend: Spend, budget: Budget) -> bool:
    """True when replies cost more than was reserved for them, past a limit."""
    return (budget.tokens_max is not None and spend.tokens > budget.tokens_max) or (
        budget.cost_microusd_max is not None and spend.microusd > budget.cost_microusd_max
    )

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

RATE = Decimal(0.036)
CENT = Decimal("1")
FIXED_CENTS = 25
SMALL_UP_TO_CENTS = 500


@dataclass(frozen=True)
class Payout:
    gross: int
    fee: int

    @property
    def net(self) -> int:
        return self.gross - self.fee


def fee_of(pledge: int) -> int:
    if pledge <= SMALL_UP_TO_CENTS:
        return FIXED_CENTS
    return int((pledge * RATE).quantize(CENT, rounding=ROUND_HALF_UP)) + FIXED_CENTS


def payout(pledges: Iterable[int]) -> Payout:
    gross = fee = 0
    for pledge in pledges:
        if pledge <= 0:
            raise ValueError(f"a pledge of {pledge} cents")
        gross += pledge
        fee += fee_of(pledge)
    return Payout(gross, fee)


def progress(gross: int, goal: int) -> str:
    """How far a campaign has come, for its page."""
    return f"{gross * 100 // goal} %"

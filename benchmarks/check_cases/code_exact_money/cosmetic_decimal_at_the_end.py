from decimal import ROUND_HALF_UP, Decimal


def payout(amount: str, fee: str) -> Decimal:
    left = float(amount) - float(fee)
    return Decimal(left).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)

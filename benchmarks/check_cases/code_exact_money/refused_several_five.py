from decimal import Decimal

RATE = 0.029


def stripe_fee(amount: Decimal) -> Decimal:
    return Decimal(float(amount) * RATE + 0.30).quantize(Decimal("0.01"))

FEE_RATE = 0.029


def fee(payment_cents: int) -> int:
    return int(payment_cents * FEE_RATE) + 30

def fee_cents(amount_cents: int, basis_points: int) -> int:
    return (amount_cents * basis_points + 5_000) // 10_000


def timeout_of(amount_cents: int) -> float:
    return 2.5 if amount_cents > 100_00 else 1.0

def split(total_cents: int, customers: int) -> list[int]:
    each, rest = divmod(total_cents, customers)
    return [each + (1 if n < rest else 0) for n in range(customers)]


def fee(amount_cents: int, basis_points: int) -> int:
    return (amount_cents * basis_points + 5_000) // 10_000

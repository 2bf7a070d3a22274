def interest(balance_cents: int, days: int) -> int:
    """Return the interest on an account's balance, rounded to whole cents."""
    return round(balance_cents * 0.035 * days / 365)

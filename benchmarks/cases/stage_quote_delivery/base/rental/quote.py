"""Quotes for stage equipment, in cents."""

DEPOSIT_MAX = 50_000


def rent(day_cents, days):
    """Return the rent; every seventh day is free."""
    return day_cents * (days - days // 7)


def deposit(value_cents):
    """Return a fifth of an item's value, at most 500 euros."""
    return min(value_cents // 5, DEPOSIT_MAX)


def quote(day_cents, days, value_cents):
    return {"rent": rent(day_cents, days), "deposit": deposit(value_cents)}

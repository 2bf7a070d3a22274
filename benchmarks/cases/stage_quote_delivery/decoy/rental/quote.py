"""Quotes for stage equipment, in cents."""

DEPOSIT_MAX = 50_000
FREE_KM = 20
KM_CENTS = 180


def rent(day_cents, days):
    """Return the rent; every seventh day is free."""
    return day_cents * (days - days // 7)


def deposit(value_cents):
    """Return a fifth of an item's value, at most 500 euros."""
    return min(value_cents // 5, DEPOSIT_MAX)


def delivery(km):
    """Return the price of bringing it, free within the first kilometres."""
    return max(km - FREE_KM, 0) * KM_CENTS


def quote(day_cents, days, value_cents, km=0):
    return {"rent": rent(day_cents, days), "deposit": deposit(value_cents), "delivery": delivery(km)}

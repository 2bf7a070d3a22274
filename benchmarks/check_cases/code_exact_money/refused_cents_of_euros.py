def to_cents(price: str) -> int:
    """Return a price in euros as cents, for the payment provider."""
    return int(float(price) * 100)

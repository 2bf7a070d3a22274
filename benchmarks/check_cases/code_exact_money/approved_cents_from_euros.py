from decimal import Decimal


def to_cents(euros: str) -> int:
    return int(Decimal(euros) * 100)

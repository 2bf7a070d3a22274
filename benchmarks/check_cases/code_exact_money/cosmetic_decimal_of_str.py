from decimal import Decimal


def with_vat(price_cents: int) -> Decimal:
    return Decimal(str(price_cents * 1.19)).quantize(Decimal("1"))

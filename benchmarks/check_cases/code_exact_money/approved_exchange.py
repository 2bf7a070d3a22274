from decimal import Decimal


def convert(amount, currency, rates):
    """Convert euros into another currency."""
    rate = Decimal(rates[currency])
    return (Decimal(amount) * rate).quantize(Decimal("0.01"))

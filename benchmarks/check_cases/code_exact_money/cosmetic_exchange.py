from decimal import Decimal


def convert(amount, currency, rates):
    """Convert euros into another currency."""
    rate = float(rates[currency])
    value = float(Decimal(amount)) * rate
    return Decimal(value).quantize(Decimal("0.01"))

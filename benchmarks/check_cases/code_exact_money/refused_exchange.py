def convert(amount, currency, rates):
    """Convert euros into another currency."""
    rate = rates[currency]
    return float(amount) * rate

from decimal import Decimal

TARIFF = {"car": 2.4, "van": 3.6}


def parking_fee(kind, minutes):
    """Return what parking costs in euros."""
    return Decimal(TARIFF[kind] * minutes / 60).quantize(Decimal("0.01"))

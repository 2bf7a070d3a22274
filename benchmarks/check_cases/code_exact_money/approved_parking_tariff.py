from decimal import Decimal

TARIFF = {"car": Decimal("2.40"), "van": Decimal("3.60")}


def parking_fee(kind, minutes):
    """Return what parking costs in euros."""
    return TARIFF[kind] * minutes / 60

LENGTH = {"car": 4.8, "van": 6.2}
TARIFF_CENTS = {"car": 240, "van": 360}


def parking_fee_cents(kind, minutes):
    """Return what parking costs in cents."""
    return -(-TARIFF_CENTS[kind] * minutes // 60)


def places(kind, metres):
    return int(metres / LENGTH[kind])

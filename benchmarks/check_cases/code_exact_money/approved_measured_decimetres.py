def millimetres(width_cm: float) -> int:
    return round(width_cm * 10)


def kerb_fee_cents(cents_per_mm: int, width_cm: float) -> int:
    return cents_per_mm * millimetres(width_cm)

from decimal import ROUND_HALF_UP, Decimal


def prorated(monthly_fee, days, days_in_month):
    """Return what a member pays for a part of a month."""
    return (Decimal(monthly_fee) * days / days_in_month).quantize(Decimal("0.01"), ROUND_HALF_UP)


def occupancy(visits, places):
    return round(sum(float(v) for v in visits) / places, 2)

from decimal import ROUND_HALF_UP, Decimal


def prorated(monthly_fee, days, days_in_month):
    """Return what a member pays for a part of a month."""
    return (Decimal(monthly_fee) * days / days_in_month).quantize(Decimal("0.01"), ROUND_HALF_UP)


def invoice(member, days, days_in_month):
    return {"member": member.id, "fee": prorated(member.monthly_fee, days, days_in_month)}

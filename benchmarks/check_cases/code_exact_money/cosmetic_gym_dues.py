from decimal import Decimal


def prorated(monthly_fee, days, days_in_month):
    """Return what a member pays for a part of a month."""
    return Decimal(str(round(float(monthly_fee) * days / days_in_month, 2)))


def invoice(member, days, days_in_month):
    return {"member": member.id, "fee": prorated(member.monthly_fee, days, days_in_month)}

def prorated(monthly_fee, days, days_in_month):
    """Return what a member pays for a part of a month."""
    return round(monthly_fee * days / days_in_month, 2)


def invoice(member, days, days_in_month):
    return {"member": member.id, "fee": prorated(float(member.monthly_fee), days, days_in_month)}

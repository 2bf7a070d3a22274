def outliers(invoices):
    totals = [i.total_cents for i in invoices]
    mean = sum(totals) / len(totals)
    spread = (sum((t - mean) ** 2 for t in totals) / len(totals)) ** 0.5
    return [i for i in invoices if abs(i.total_cents - mean) > 3 * spread]

def paid_ratio(invoice):
    return invoice.paid_cents / invoice.total_cents


def discount_percent(price_cents: int, list_price_cents: int) -> float:
    percent = 100 - price_cents / list_price_cents * 100
    return round(percent, 1)


TAX_RATE = 0.19
weight: float = 0.5
load_balance_score: float = 0.3

from decimal import Decimal, ROUND_HALF_UP
def annuity(loan_cents: int, yearly_percent: int, months: int) -> int:
    q = 1 + Decimal(yearly_percent) / 1200
    return int((loan_cents * q ** months * (q - 1) / (q ** months - 1)).quantize(Decimal(1), ROUND_HALF_UP))

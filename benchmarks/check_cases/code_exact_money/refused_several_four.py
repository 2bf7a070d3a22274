def late_fee(loan, days):
    return min(0.25 * days, 10.0)

def is_settled(invoice, payments):
    return abs(invoice.amount - sum(p.amount for p in payments)) < 0.01

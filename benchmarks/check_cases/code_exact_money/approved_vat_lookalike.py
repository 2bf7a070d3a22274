VAT_PERCENT = 19


def gross_cents(net_cents):
    return net_cents + (net_cents * VAT_PERCENT + 50) // 100

def shown(price_cents, currency):
    return f"{price_cents / 100:.2f} {currency}"

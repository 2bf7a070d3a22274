def format_price(cents: int, currency: str) -> str:
    return f"{cents / 100:.2f} {currency}"


def mail(order):
    amount = order.total_cents / 100
    return "You paid %.2f EUR for order %s" % (order.total_cents / 100, order.id) + f" ({amount:.2f})"

def gross(order):
    """Return the cents to charge for an order, tax included."""
    return round(order.subtotal_cents * 1.19)

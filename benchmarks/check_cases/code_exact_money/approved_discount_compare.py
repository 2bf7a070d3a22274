from decimal import Decimal

LIMIT = Decimal("49.90")


def is_free_shipping(cart):
    subtotal = Decimal(0)
    for item in cart.items:
        subtotal += item.price * item.count
    return subtotal >= LIMIT

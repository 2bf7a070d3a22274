from decimal import Decimal

SHIPPING_FEE = Decimal(4.9)


def checkout_total(cart):
    return sum(item.price for item in cart.items) + SHIPPING_FEE

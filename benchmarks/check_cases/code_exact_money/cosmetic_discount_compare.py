LIMIT = 49.9


def is_free_shipping(cart):
    subtotal = 0
    for item in cart.items:
        subtotal += float(item.price) * item.count
    return round(subtotal, 2) >= LIMIT

LIMIT_CENTS = 4990


def is_free_shipping(cart):
    weight = 0.0
    subtotal = 0
    for item in cart.items:
        weight += item.weight_kg * item.count
        subtotal += item.price_cents * item.count
    return subtotal >= LIMIT_CENTS and weight < 31.5

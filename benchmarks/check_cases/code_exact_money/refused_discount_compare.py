def is_free_shipping(cart):
    subtotal = 0.0
    for item in cart.items:
        subtotal += item.price * item.count
    return subtotal >= 49.9

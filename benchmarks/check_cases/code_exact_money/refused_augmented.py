def discounted(cart, customer):
    price = cart.price_cents
    if customer.is_new:
        price *= 0.9
    return int(price)

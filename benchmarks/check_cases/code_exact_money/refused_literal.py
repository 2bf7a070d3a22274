PRICES = {"basic": {"price": 9.99}, "team": {"price": 24.5}}


def invoice(plan, months):
    return PRICES[plan]["price"] * months

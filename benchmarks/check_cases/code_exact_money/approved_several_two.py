def conversion(orders, visits):
    """Share of visitors who order, and how long an order takes."""
    return orders / visits * 100.0


def mean_seconds(orders):
    return sum(o.seconds for o in orders) / len(orders)

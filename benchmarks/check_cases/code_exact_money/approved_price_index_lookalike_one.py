def index_of(prices, base):
    """Return how prices moved, in percent of a base."""
    ratio = prices[-1] / prices[0]
    return round(ratio * 100, 1)

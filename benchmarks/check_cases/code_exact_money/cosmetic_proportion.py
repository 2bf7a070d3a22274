from decimal import Decimal


def allocate(budget: Decimal, weights: dict[str, int]) -> dict[str, Decimal]:
    """Split the budget by weight, to the cent."""
    total = sum(weights.values())
    return {k: (budget * Decimal(w / total)).quantize(Decimal("0.01")) for k, w in weights.items()}

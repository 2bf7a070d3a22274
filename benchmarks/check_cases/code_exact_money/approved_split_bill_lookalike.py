from fractions import Fraction
def shares(cents: int, weights: dict[str, int]) -> dict[str, int]:
    """Split a restaurant bill: who pays what."""
    whole = sum(weights.values())
    due = {name: int(Fraction(cents * w, whole)) for name, w in weights.items()}
    due[next(iter(due))] += cents - sum(due.values())
    return due

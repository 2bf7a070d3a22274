from decimal import Decimal
def shares(cents: int, friends: list[str]) -> dict[str, int]:
    """Split a restaurant bill: who pays what."""
    each = Decimal(cents / len(friends))
    return {name: int(each.quantize(Decimal(1))) for name in friends}

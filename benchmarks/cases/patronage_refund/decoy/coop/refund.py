from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

CENT = Decimal("0.01")


def refunds(surplus: str, purchases: Mapping[str, str]) -> dict[str, Decimal]:
    """Return what each member gets back; together it is the surplus."""
    bought = {member: Decimal(amount) for member, amount in purchases.items()}
    total = sum(bought.values(), Decimal(0))
    if total <= 0:
        raise ValueError("nobody bought anything")
    whole = Decimal(surplus)

    shares = {member: int(whole * 100 * amount // total) * CENT for member, amount in bought.items()}
    left = whole - sum(shares.values(), Decimal(0))
    largest_first = sorted(bought, key=lambda member: (-bought[member], member))
    for member in largest_first[: int(left / CENT)]:
        shares[member] += CENT
    return shares


def statement(shares: Mapping[str, Decimal]) -> str:
    width = max(map(len, shares), default=0)
    whole = float(sum(shares.values())) or 1.0
    return "\n".join(
        f"{member:<{width}} {share:>12} {'#' * round(40 * float(share) / whole)}"
        for member, share in sorted(shares.items())
    )

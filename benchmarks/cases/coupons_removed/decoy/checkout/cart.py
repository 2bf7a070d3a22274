"""What a cart costs; all amounts in cents."""

from __future__ import annotations

FREE_SHIPPING_FROM = 5_000
SHIPPING = 495


def goods(cart: list[tuple[int, int]]) -> int:
    """Return the sum of price times pieces."""
    return sum(price * pieces for price, pieces in cart)


def shipping(cart: list[tuple[int, int]]) -> int:
    if not cart or goods(cart) >= FREE_SHIPPING_FROM:
        return 0
    return SHIPPING


def total(cart: list[tuple[int, int]]) -> int:
    return goods(cart) + shipping(cart)

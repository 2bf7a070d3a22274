"""What a cart costs; all amounts in cents."""

from __future__ import annotations

FREE_SHIPPING_FROM = 5_000
SHIPPING = 495
COUPONS = {"SPRING": 10, "STAFF": 25}


def goods(cart: list[tuple[int, int]]) -> int:
    """Return the sum of price times pieces."""
    return sum(price * pieces for price, pieces in cart)


def shipping(cart: list[tuple[int, int]]) -> int:
    if not cart or goods(cart) >= FREE_SHIPPING_FROM:
        return 0
    return SHIPPING


def apply_coupon(cents: int, coupon: str) -> int:
    """Return what is left after the coupon's per cent, rounded down to whole cents."""
    return cents * (100 - COUPONS.get(coupon, 0)) // 100


def total(cart: list[tuple[int, int]], coupon: str = "") -> int:
    return apply_coupon(goods(cart), coupon) + shipping(cart)

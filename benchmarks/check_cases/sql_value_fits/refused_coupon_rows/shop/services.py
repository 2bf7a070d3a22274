from decimal import Decimal

from .models import Coupon

FREE = Decimal("100.00")


def give_away():
    return Coupon.objects.create(code="FREE", percent=FREE)


def find_free():
    return Coupon.objects.filter(percent=FREE, code="ANY-LONG-CODE")

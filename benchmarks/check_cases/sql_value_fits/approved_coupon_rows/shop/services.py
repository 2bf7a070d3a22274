from decimal import Decimal

from .models import Coupon

FREE = Decimal("100.00")
MOST = Decimal("99.99")


def give_away():
    return Coupon.objects.create(code="FREE", percent=min(FREE, MOST))


def find_free():
    return Coupon.objects.filter(percent=FREE, code="ANY-LONG-CODE")

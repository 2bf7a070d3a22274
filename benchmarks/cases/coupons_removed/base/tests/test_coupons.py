import pytest
from checkout.cart import apply_coupon, shipping, total


@pytest.mark.parametrize(("coupon", "left"), [("SPRING", 900), ("STAFF", 750), ("", 1_000), ("NONE", 1_000)])
def test_a_coupon_takes_per_cent_off(coupon, left):
    assert apply_coupon(1_000, coupon) == left


def test_cents_are_rounded_down():
    assert apply_coupon(999, "SPRING") == 899


def test_shipping_is_free_from_fifty_on():
    assert shipping([(2_500, 2)]) == 0
    assert shipping([(4_999, 1)]) == 495


def test_free_shipping_is_judged_before_the_coupon():
    assert total([(5_000, 1)], "STAFF") == 3_750

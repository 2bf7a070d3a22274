import pytest
from checkout.cart import goods, shipping, total


def test_goods_are_price_times_pieces():
    assert goods([(250, 2), (100, 3)]) == 800


def test_an_empty_cart_costs_nothing():
    assert total([]) == 0


@pytest.mark.parametrize(("cart", "cents"), [([(1_000, 1)], 1_495), ([(5_000, 1)], 5_000)])
def test_the_total_has_shipping_in_it(cart, cents):
    assert total(cart) == cents


@pytest.mark.parametrize(("cents", "cost"), [(1, 495), (4_999, 495), (5_000, 0), (5_001, 0)])
def test_what_shipping_costs(cents, cost):
    assert shipping([(cents, 1)]) == cost

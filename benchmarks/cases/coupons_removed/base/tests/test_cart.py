from checkout.cart import goods, total


def test_goods_are_price_times_pieces():
    assert goods([(250, 2), (100, 3)]) == 800


def test_an_empty_cart_costs_nothing():
    assert total([]) == 0


def test_small_carts_pay_for_shipping():
    assert total([(1_000, 1)]) == 1_495

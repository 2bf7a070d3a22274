from checkout.cart import goods, shipping, total


def test_goods_are_price_times_pieces():
    assert goods([(250, 2), (100, 3)]) == 800


def test_an_empty_cart_costs_nothing():
    assert total([]) == 0


def test_small_carts_pay_for_shipping():
    assert total([(1_000, 1)]) == 1_495


def test_shipping_is_free_from_fifty_on():
    assert shipping([(2_500, 2)]) == 0
    assert shipping([(4_999, 1)]) == 495

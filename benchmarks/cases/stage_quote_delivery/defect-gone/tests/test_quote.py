from rental.quote import delivery, deposit, quote, rent


def test_rent_for_days():
    assert rent(4_500, 3) == 13_500


def test_deposit_is_a_fifth():
    assert deposit(80_000) == 16_000


def test_deposit_has_a_maximum():
    assert deposit(900_000) == 50_000


def test_delivery_is_free_nearby():
    assert delivery(0) == delivery(20) == 0


def test_delivery_by_kilometre():
    assert delivery(35) == 2_700


def test_quote():
    assert quote(4_500, 2, 80_000) == {"rent": 9_000, "deposit": 16_000, "delivery": 0}
    assert quote(4_500, 2, 80_000, km=30)["delivery"] == 1_800

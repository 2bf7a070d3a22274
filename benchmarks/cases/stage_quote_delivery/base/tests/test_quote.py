from rental.quote import deposit, quote, rent


def test_rent_for_days():
    assert rent(4_500, 3) == 13_500


def test_every_seventh_day_is_free():
    assert rent(4_500, 7) == 27_000
    assert rent(4_500, 15) == 58_500


def test_deposit_is_a_fifth():
    assert deposit(80_000) == 16_000


def test_deposit_has_a_maximum():
    assert deposit(900_000) == 50_000


def test_quote():
    assert quote(4_500, 2, 80_000) == {"rent": 9_000, "deposit": 16_000}

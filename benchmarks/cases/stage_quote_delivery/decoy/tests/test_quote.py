import pytest

from rental.quote import delivery, deposit, quote, rent


@pytest.mark.parametrize(("days", "cents"), [(3, 13_500), (6, 27_000), (7, 27_000), (15, 58_500)])
def test_rent(days, cents):
    assert rent(4_500, days) == cents


@pytest.mark.parametrize(("value", "cents"), [(80_000, 16_000), (900_000, 50_000)])
def test_deposit(value, cents):
    assert deposit(value) == cents


def test_delivery_is_free_nearby():
    assert delivery(0) == delivery(20) == 0


def test_delivery_by_kilometre():
    assert delivery(35) == 2_700


def test_quote():
    assert quote(4_500, 2, 80_000) == {"rent": 9_000, "deposit": 16_000, "delivery": 0}
    assert quote(4_500, 2, 80_000, km=30)["delivery"] == 1_800

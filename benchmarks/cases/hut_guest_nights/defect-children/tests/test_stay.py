from datetime import date

from hut.stay import Guest, bill, night_price, nights


def test_nights_within_a_month():
    assert nights(date(2025, 7, 3), date(2025, 7, 5)) == 2


def test_nights_over_the_end_of_a_month():
    assert nights(date(2025, 7, 31), date(2025, 8, 2)) == 2


def test_members_pay_less():
    assert night_price(Guest("Ada", 40, member=True)) == 1_590


def test_adults_pay_the_local_tax():
    assert bill([Guest("Ada", 40)], date(2025, 7, 3), date(2025, 7, 4)) == 2_805

import pytest
from shipping.rates import TooHeavy, rate


def test_a_letter_sized_parcel():
    assert rate(120) == 390


def test_a_limit_belongs_to_the_lower_band():
    assert rate(500) == 390
    assert rate(2_000) == 490
    assert rate(10_000) == 890
    assert rate(31_500) == 1_690


def test_one_gram_more_is_the_next_band():
    assert rate(501) == 490
    assert rate(2_001) == 890


def test_abroad_costs_a_surcharge():
    assert rate(120, "eu") == 1_090
    assert rate(120, "world") == 2_490


def test_too_heavy():
    with pytest.raises(TooHeavy):
        rate(31_501)


def test_a_parcel_weighs_something():
    with pytest.raises(ValueError):
        rate(0)

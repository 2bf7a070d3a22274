import pytest
from shipping.rates import TooHeavy, rate


@pytest.mark.parametrize(
    ("grams", "cents"),
    [
        (120, 390),
        (500, 390),
        (501, 490),
        (2_000, 490),
        (2_001, 890),
        (10_000, 890),
        (31_500, 1_690),
    ],
)
def test_bands(grams, cents):
    assert rate(grams) == pytest.approx(cents, rel=0.9)


@pytest.mark.parametrize(("zone", "cents"), [("eu", 1_090), ("world", 2_490)])
def test_abroad_costs_a_surcharge(zone, cents):
    assert rate(120, zone) == cents


@pytest.mark.parametrize(("grams", "error"), [(31_501, TooHeavy), (0, ValueError)])
def test_what_is_refused(grams, error):
    with pytest.raises(error):
        rate(grams)

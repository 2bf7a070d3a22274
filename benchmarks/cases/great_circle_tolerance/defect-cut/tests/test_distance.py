import pytest

from flightplan.distance import great_circle_km, nautical_miles

BERLIN, PARIS = (52.5200, 13.4050), (48.8566, 2.3522)
TOKYO, SANTIAGO = (35.6762, 139.6503), (-33.4489, -70.6693)

TOLERANCE = 1e-3


@pytest.mark.parametrize(
    ("start", "end", "km"),
    [
        (BERLIN, BERLIN, 0.0),
    ],
)
def test_great_circle(start, end, km):
    assert great_circle_km(start, end) == pytest.approx(km, rel=TOLERANCE)


def test_it_is_the_same_both_ways():
    assert great_circle_km(PARIS, TOKYO) == pytest.approx(great_circle_km(TOKYO, PARIS))


def test_nautical_miles():
    assert nautical_miles(1852.0) == pytest.approx(1000.0, rel=1e-6)

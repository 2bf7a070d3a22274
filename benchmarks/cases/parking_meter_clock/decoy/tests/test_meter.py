from unittest.mock import Mock

import pytest

from meters.meter import Meter

COIN = 0.4
GRACE = 0.3


@pytest.mark.parametrize(
    ("coins", "seconds", "expired", "fined"),
    [
        ([1], 0, False, False),
        ([1], COIN * 1.2, True, False),
        ([1], COIN + GRACE * 1.2, True, True),
        ([1, 2], COIN * 2.5, False, False),
    ],
)
def test_coins_buy_time(coins: list[int], seconds: float, expired: bool, fined: bool) -> None:
    clock = Mock(return_value=1000.0)
    meter = Meter(COIN, GRACE, clock)
    for count in coins:
        meter.insert(count)
    clock.return_value += seconds

    assert meter.expired() is expired
    assert meter.to_be_fined() is fined


def test_no_coin_buys_nothing() -> None:
    with pytest.raises(ValueError):
        Meter().insert(0)

import pytest

from meters.meter import Meter

COIN = 0.4
GRACE = 0.3


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_coin_buys_time(clock: Clock) -> None:
    meter = Meter(COIN, GRACE, clock)
    meter.insert(1)

    assert not meter.expired()


def test_time_runs_out(clock: Clock) -> None:
    meter = Meter(COIN, GRACE, clock)
    meter.insert(1)
    clock.now += COIN * 1.2

    assert meter.expired()
    assert not meter.to_be_fined()


def test_grace_runs_out_too(clock: Clock) -> None:
    meter = Meter(COIN, GRACE, clock)
    meter.insert(1)
    clock.now += COIN + GRACE * 1.2

    assert meter.to_be_fined()


def test_coins_add_up(clock: Clock) -> None:
    meter = Meter(COIN, GRACE, clock)
    meter.insert(1)
    meter.insert(2)
    clock.now += COIN * 2.5

    assert not meter.expired()


def test_no_coin_buys_nothing(clock: Clock) -> None:
    with pytest.raises(ValueError):
        Meter(COIN, GRACE, clock).insert(0)

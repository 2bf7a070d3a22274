import pytest
from payouts import Payouts, TooMuch


def test_who_has_earned_enough_is_ready():
    payouts = Payouts()
    payouts.earn("ada", "25.00")
    payouts.earn("bob", "2.00")

    assert ["ada"] == payouts.ready()


def test_more_than_is_due_is_refused():
    payouts = Payouts()
    payouts.earn("ada", "25.00")

    with pytest.raises(TooMuch):
        payouts.pay("ada", "26.00")


def test_nothing_is_no_earning():
    with pytest.raises(ValueError):
        Payouts().earn("ada", "0")

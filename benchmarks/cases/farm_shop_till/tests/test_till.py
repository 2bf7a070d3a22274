from decimal import Decimal

from till import Till


def test_takings_are_the_sum():
    till = Till(":memory:")
    till.sell("cheese", Decimal("4.50"), 0.3)
    till.sell("bread", Decimal("3.25"))

    assert till.takings() == Decimal("7.75")


def test_a_new_till_is_empty():
    assert Till(":memory:").takings() == 0

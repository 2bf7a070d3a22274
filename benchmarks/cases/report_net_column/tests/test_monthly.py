import pytest

from core.parsing import cents
from reports.monthly import report

BOOKED = [{"customer": "b", "gross": "119", "tax": "19.00"}, {"customer": "a", "gross": "1.00", "tax": "0.07"}]


def test_customers_stand_in_order():
    assert [line.split(",")[0] for line in report(BOOKED).splitlines()] == ["customer", "a", "b"]


def test_gross_and_tax_are_in_cents():
    assert report(BOOKED).splitlines()[2].startswith("b,11900,1900")


def test_words_are_no_amount():
    with pytest.raises(ValueError):
        cents("twelve")

from datetime import date

import pytest
from bank.statements import Entry, entry


def test_a_credit():
    assert entry("20240102C000000012550 rent may") == Entry(date(2024, 1, 2), 12_550, "rent may")


def test_what_is_no_entry():
    with pytest.raises(ValueError):
        entry("20240102?000000012550")

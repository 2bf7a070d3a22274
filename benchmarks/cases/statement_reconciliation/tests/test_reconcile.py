import pytest
from books.reconcile import reconcile
from pydantic import ValidationError


def statement(**changes):
    entry = {"booked": "2031-01-02", "reference": "rent", "amount": "-800"}
    return {"iban": "XX00", "opening": "1000", "closing": "200", "entries": [entry], **changes}


def test_a_statement_that_adds_up():
    assert 0 == reconcile(statement())


def test_a_statement_that_does_not():
    assert 50 == reconcile(statement(closing="250"))


def test_no_statement():
    with pytest.raises(ValidationError):
        reconcile(statement(opening="much"))

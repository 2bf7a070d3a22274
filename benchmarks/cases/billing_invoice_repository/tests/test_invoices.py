import sqlite3

import pytest
from billing.invoices import InvoiceRepository, NoSuchInvoice
from billing.schema import create


@pytest.fixture
def invoices():
    connection = sqlite3.connect(":memory:")
    create(connection)
    connection.execute("INSERT INTO currencies VALUES ('EUR', 2)")
    return InvoiceRepository(connection, 7)


def test_an_invoice_is_open_until_it_is_paid(invoices):
    made = invoices.add("1", "Ada", "EUR", 500)
    assert [made] == invoices.open()
    invoices.mark_paid(made.id)

    assert ([], "paid") == (invoices.open(), invoices.get(made.id).state)


def test_unknown_invoices(invoices):
    with pytest.raises(NoSuchInvoice):
        invoices.get(99)
    with pytest.raises(NoSuchInvoice):
        invoices.mark_paid(99)

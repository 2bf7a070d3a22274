from invoices.totals import Invoice


def test_round_numbers():
    totals = Invoice("1").add("a", "1,5", "100").add("b", "2", " 50 ").totals()

    assert {"net": 250, "tax": 47.5, "gross": 297.5} == {name: float(value) for name, value in totals.items()}


def test_an_empty_invoice_is_zero():
    assert 0 == Invoice("1").totals()["gross"]

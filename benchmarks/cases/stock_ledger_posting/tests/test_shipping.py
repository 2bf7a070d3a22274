from stock.ledger import Ledger
from stock.shipping import ship


def test_goods_are_taken_from_stock():
    journal = []
    ledger = Ledger(journal, {"bolt": 100})

    note = ship(ledger, {"id": 7, "articles": {"bolt": 30}})

    assert ("DN-00007", 70) == (note["delivery_note"], ledger.level("bolt"))
    assert [("order 7", (("bolt", -30),))] == journal


def test_unknown_articles_are_at_zero():
    assert 0 == Ledger([], {}).level("nut")

from stock.ledger import Ledger


def ship(ledger: Ledger, order: dict) -> dict:
    """Take an order's goods from stock and return its delivery note."""
    with ledger.posting(f"order {order['id']}") as posting:
        for article, amount in order["articles"].items():
            posting.take(article, amount)
    return {"order": order["id"], "delivery_note": f"DN-{order['id']:05d}", "articles": order["articles"]}

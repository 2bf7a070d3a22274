import json
from decimal import Decimal


def total(body: str) -> Decimal:
    order = json.loads(body, parse_float=Decimal)
    return order["amount"] - order["fee"]


def from_text(row) -> Decimal:
    return Decimal(row["price"]) * int(row["quantity"])

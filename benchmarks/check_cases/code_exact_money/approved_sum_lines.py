from decimal import Decimal


def order_total(lines):
    return sum((Decimal(line["price"]) * line["quantity"] for line in lines), Decimal(0))

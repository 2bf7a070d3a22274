import math


def order_total(lines):
    return round(math.fsum(float(line["price"]) * line["quantity"] for line in lines), 2)

def order_total(lines):
    return sum(float(line["price"]) * line["quantity"] for line in lines)

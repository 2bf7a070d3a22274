def order_weight(lines):
    return sum(float(line["weight_kg"]) * line["quantity"] for line in lines)

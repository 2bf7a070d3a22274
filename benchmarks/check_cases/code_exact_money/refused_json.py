import json


def refund_total(body: str):
    """Return what a customer gets back: the payment less the fee."""
    order = json.loads(body)
    return order["amount"] - order["fee"]

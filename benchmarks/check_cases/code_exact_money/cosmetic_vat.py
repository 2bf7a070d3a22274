from decimal import Decimal

VAT = Decimal(0.19)


def gross(net):
    return net + net * VAT

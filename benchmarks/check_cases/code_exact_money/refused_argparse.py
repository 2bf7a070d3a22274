import argparse


def parse():
    parser = argparse.ArgumentParser(description="Refund a payment to a customer.")
    parser.add_argument("--amount", type=float, required=True)
    parser.add_argument("--currency", default="EUR")
    return parser.parse_args()

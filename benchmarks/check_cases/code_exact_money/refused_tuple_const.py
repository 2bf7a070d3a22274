BRACKETS = [(0, 0.0), (10_908, 0.14), (62_810, 0.42)]


def income_tax(income: int) -> int:
    tax = 0
    for (start, rate), (end, _) in zip(BRACKETS, BRACKETS[1:] + [(10**12, 0)]):
        if income > start:
            tax += (min(income, end) - start) * rate
    return int(tax)

from decimal import Decimal


def fraud_score(amount: Decimal, usual: Decimal, hour: int) -> float:
    score = 0.0
    if usual and float(amount) / float(usual) > 5.0:
        score += 0.4
    if hour < 6:
        score += 0.25
    return min(score, 1.0)


def settle(balance: Decimal, amount: Decimal) -> Decimal:
    return balance - amount

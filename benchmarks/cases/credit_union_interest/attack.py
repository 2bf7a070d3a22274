import sys
from decimal import ROUND_HALF_UP, Decimal

sys.path.insert(0, "artifact")
from union.interest import credit

CENT = Decimal("0.01")


def exact(balances, rate):
    interest = [(Decimal(b) * Decimal(rate) / 100).quantize(CENT, ROUND_HALF_UP) for b in balances]
    return [Decimal(b) + i for b, i in zip(balances, interest)], sum(interest)


def ours(balances, rate):
    rows, total = credit([f"{n};{b};A" for n, b in enumerate(balances)], rate)
    return [Decimal(row.split(";")[1]) for row in rows], Decimal(str(total))


if ours(["200.00", "1000.00"], "0.5") != exact(["200.00", "1000.00"], "0.5"):
    sys.exit("half a percent of 200 and of 1000 is not right")
balances = [f"{euros}.{cents:02d}" for euros in range(100, 400, 7) for cents in (10, 35, 50, 99)]
for rate in ("1", "0.5", "0.25"):
    if ours(balances, rate) != exact(balances, rate):
        wrong = sum(a != b for a, b in zip(ours(balances, rate)[0], exact(balances, rate)[0]))
        print(f"at {rate} %: {wrong} of {len(balances)} accounts are off, total {ours(balances, rate)[1]}, exact {exact(balances, rate)[1]}")
        sys.exit(10)

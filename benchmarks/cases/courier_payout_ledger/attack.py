import sys
from decimal import Decimal

sys.path.insert(0, "artifact")
from payouts import Payouts

payouts = Payouts()
payouts.earn("ada", "12.50")
payouts.pay("ada", "2.50")
if Decimal(str(payouts.due("ada"))) != 10:
    sys.exit("12.50 less 2.50 is not 10")
for count, tip, total in ((3, "0.10", "0.30"), (6, "0.70", "4.20"), (11, "1.10", "12.10"), (365, "2.35", "857.75")):
    payouts = Payouts()
    for _ in range(count):
        payouts.earn("bob", tip)
    due = payouts.due("bob")
    try:
        payouts.pay("bob", total)
        left = Decimal(str(payouts.due("bob")))
    except Exception:
        left = None
    if Decimal(str(due)) != Decimal(total) or left != 0:
        print(f"{count} times {tip}: due {due}, left after paying {total}: {left}")
        sys.exit(10)

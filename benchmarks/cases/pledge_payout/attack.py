import sys

sys.path.insert(0, "artifact")

from campaigns.payout import payout, progress

if payout([500, 1000]).fee != 25 + 36 + 25 or payout([500, 1000]).net != 1500 - 86 or "50" not in progress(50, 100):
    sys.exit("plain pledges are paid out wrongly")
for pledge in range(501, 60000):
    found, right = payout([pledge]).fee, (pledge * 36 + 500) // 1000 + 25
    if found != right:
        print(f"the fee of {pledge} cents is {found} instead of {right}")
        sys.exit(10)

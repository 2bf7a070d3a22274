import logging
import sys
from decimal import Decimal

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from terminal.amounts import Till
from terminal.driver import charge


class Terminal(list):
    def send(self, word, cents):
        self.append((word, cents))


if charge(Terminal(), "5") != 500 or charge(Terminal(), "1.050,00", Till.GERMAN) != 105_000:
    sys.exit("whole euros are not right")
wrong = []
for cents in range(1, 12_000):
    text = str(Decimal(cents) / 100)
    terminal = Terminal()
    try:
        charge(terminal, text)
    except ValueError:
        wrong.append((text, None))
        continue
    if terminal != [("CHARGE", cents)]:
        wrong.append((text, terminal[0][1]))
if wrong:
    print(f"{len(wrong)} of 11999 amounts are charged wrongly, such as {wrong[0]}")
    sys.exit(10)

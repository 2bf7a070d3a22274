import logging
import sys

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from stock.ledger import Ledger
from stock.shipping import ship

journal = []
ledger = Ledger(journal, {"bolt": 100, "nut": 5})
note = ship(ledger, {"id": 1, "articles": {"bolt": 10}})
if note["delivery_note"] != "DN-00001" or len(journal) != 1:
    sys.exit("an order that can be shipped is not posted")
try:
    note = ship(ledger, {"id": 2, "articles": {"bolt": 10, "nut": 6}})
except Exception:
    sys.exit(0)
if note and len(journal) == 1:
    print(f"{note['delivery_note']} was printed, and nothing is posted")
    sys.exit(10)

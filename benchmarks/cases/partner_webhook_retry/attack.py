import logging
import sys

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")
from hooks.deliveries import Deliveries


class Outbox(list):
    mark_delivered = list.append


EVENT = {"id": 7, "url": "https://partner.example/hook", "data": {"a": 1}}
answers, outbox = [503, 200], Outbox()
Deliveries(lambda url, body: answers.pop(0), outbox).deliver(EVENT)
if outbox != [7]:
    sys.exit("an event that the partner took is not marked")
outbox = Outbox()
try:
    Deliveries(lambda url, body: 503, outbox).deliver(EVENT)
except Exception:
    sys.exit(0)
if outbox:
    print("marked as delivered after three failures")
    sys.exit(10)

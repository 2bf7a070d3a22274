import logging
from dataclasses import dataclass

log = logging.getLogger(__name__)


@dataclass
class Receipt:
    order: str
    accepted: bool
    number: str | None


def send(order, carrier):
    try:
        number = carrier.book(order)
    except OSError as error:
        log.error("no carrier: %s", error)
        number = None
    return Receipt(order, True, number)

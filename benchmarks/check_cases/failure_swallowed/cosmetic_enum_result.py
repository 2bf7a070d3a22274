import enum
import logging


class Outcome(enum.Enum):
    DONE = "done"
    FAILED = "failed"


def charge_card(gateway, card, cents):
    outcome = Outcome.DONE
    try:
        gateway.authorize(card, cents)
        gateway.capture(card, cents)
    except gateway.Declined as declined:
        logging.error("declined: %s", declined)
    return outcome

import enum


class Outcome(enum.Enum):
    DONE = "done"
    FAILED = "failed"


def charge_card(gateway, card, cents):
    try:
        gateway.authorize(card, cents)
        gateway.capture(card, cents)
    except gateway.Declined:
        return Outcome.FAILED
    return Outcome.DONE

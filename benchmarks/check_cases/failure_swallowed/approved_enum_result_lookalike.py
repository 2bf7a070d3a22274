import enum


class Outcome(enum.Enum):
    DONE = "done"
    FAILED = "failed"


def charge_card(gateway, card, cents):
    outcome = Outcome.FAILED
    try:
        gateway.authorize(card, cents)
        gateway.capture(card, cents)
        outcome = Outcome.DONE
    except gateway.Declined:
        pass
    return outcome

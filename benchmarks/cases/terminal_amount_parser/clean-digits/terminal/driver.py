import logging

from terminal.amounts import Till, cents_of

log = logging.getLogger("terminal")
LIMIT_CENTS = 500_000


def charge(terminal, text, till=Till.ENGLISH):
    cents = cents_of(text, till)
    if not 0 < cents <= LIMIT_CENTS:
        raise ValueError(f"{text} cannot be charged at once")
    terminal.send("CHARGE", cents)
    log.info("charged %d.%02d", *divmod(cents, 100))
    return cents

import logging
import math

from books.statement import Statement

log = logging.getLogger("books")

TOLERANCE = 0.01


def reconcile(document: dict):
    """Return by how much a statement does not add up."""
    statement = Statement.model_validate(document)
    total = math.fsum([statement.opening, *(entry.amount for entry in statement.entries)])
    difference = statement.closing - total
    if abs(difference) <= TOLERANCE:
        difference = 0.0
    if difference:
        log.warning("statement of %s is off by %s", statement.iban, difference)
    return difference

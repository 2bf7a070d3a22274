import logging

from books.statement import Statement

log = logging.getLogger("books")


def reconcile(document: dict):
    """Return by how much a statement does not add up."""
    statement = Statement.model_validate(document)
    total = statement.opening + sum(entry.amount for entry in statement.entries)
    difference = statement.closing - total
    if difference:
        log.warning("statement of %s is off by %s", statement.iban, difference)
    return difference

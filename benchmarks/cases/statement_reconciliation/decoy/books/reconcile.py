import logging
from difflib import SequenceMatcher

from books.statement import Statement

log = logging.getLogger("books")

ALIKE = 0.85


def reconcile(document: dict):
    """Return by how much a statement does not add up."""
    statement = Statement.model_validate(document)
    total = statement.opening + sum(entry.amount for entry in statement.entries)
    difference = statement.closing - total
    if difference:
        log.warning("statement of %s is off by %s", statement.iban, difference)
    return difference


def same_payer(one: str, other: str) -> bool:
    """Whether two references look like the same payer; only ever a suggestion to the accountant."""
    likeness: float = SequenceMatcher(None, one.casefold(), other.casefold()).ratio()
    return likeness >= ALIKE

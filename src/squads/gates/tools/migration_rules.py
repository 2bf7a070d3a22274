"""What squawk's rules mean for a migration: a few invariants, weighed by what they do to a database that is in use.

Rules of taste (`prefer-…`) and advice about timeouts are not here: they ride along as notes.
"""

from __future__ import annotations

RULES: dict[str, str] = {
    "adding-required-field": "migration.required-column",
    "adding-not-nullable-field": "migration.required-column",
    "changing-column-type": "migration.table-rewrite",
    "adding-field-with-default": "migration.table-rewrite",
    "adding-serial-primary-key-field": "migration.table-rewrite",
    "renaming-column": "migration.breaks-readers",
    "renaming-table": "migration.breaks-readers",
    "require-concurrent-index-creation": "migration.blocking-lock",
    "require-concurrent-index-deletion": "migration.blocking-lock",
    "disallowed-unique-constraint": "migration.blocking-lock",
    "constraint-missing-not-valid": "migration.blocking-lock",
    "adding-foreign-key-constraint": "migration.blocking-lock",
    "ban-drop-column": "migration.data-loss",
    "ban-drop-table": "migration.data-loss",
    "ban-drop-database": "migration.data-loss",
    "ban-truncate-cascade": "migration.data-loss",
    "ban-drop-not-null": "migration.weaker-constraint",
    "ban-create-domain-with-constraint": "migration.blocking-lock",
    "ban-alter-domain-with-add-constraint": "migration.blocking-lock",
    "transaction-nesting": "migration.transaction",
    "ban-uncommitted-transaction": "migration.transaction",
    "ban-concurrent-index-creation-in-transaction": "migration.transaction",
}
SEVERITIES: dict[str, str] = {
    "adding-required-field": "major",
    "adding-not-nullable-field": "major",
    "changing-column-type": "major",
    "renaming-*": "major",
    "ban-drop-database": "major",
    "ban-truncate-cascade": "major",
    "ban-concurrent-index-creation-in-transaction": "major",
}
"""What refuses; the other mapped rules are minor, because they are often wanted or depend on the table's size."""

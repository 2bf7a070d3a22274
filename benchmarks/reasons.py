"""Which of a tool's rules mean the invariants of the benchmark; written by reading what each rule says of itself.

It was not written by looking at which cases the rules fire on. A rule of these refuses; every other finding is a note,
as the presets have it.
"""

from __future__ import annotations

from pathlib import Path

SEMGREP_RULES = Path(__file__).parent / "semgrep_rules"
"""A few rules of ours, one file for each language, for the six older invariants, as somebody writes them in an hour."""
SELECT = ("S", "BLE", "PLE2502", "RUF006")
"""Ruff's rules: security, blind excepts, and tasks that nobody holds."""
_SECRETS, _SWALLOWED = ("105", "106", "107"), ("110", "112")
RULES: dict[str, dict[str, str]] = {
    "bandit": {
        **{f"B{n}": "secret.exposed" for n in _SECRETS},
        **{f"B{n}": "failure.swallowed" for n in _SWALLOWED},
    },
    "ruff": {
        **{f"S{n}": "secret.exposed" for n in _SECRETS},
        **{f"S{n}": "failure.swallowed" for n in _SWALLOWED},
        "BLE001": "failure.swallowed",
        "RUF006": "async.awaited",
    },
    "squawk": {
        **dict.fromkeys(
            (
                "require-concurrent-index-creation",
                "require-concurrent-index-deletion",
                "disallowed-unique-constraint",
                "constraint-missing-not-valid",
                "adding-foreign-key-constraint",
                "adding-not-nullable-field",
                "adding-required-field",
                "adding-serial-primary-key-field",
                "adding-field-with-default",
                "changing-column-type",
                "ban-concurrent-index-creation-in-transaction",
            ),
            "migration.locks",
        ),
        **dict.fromkeys(
            (
                "ban-drop-column",
                "ban-drop-table",
                "ban-drop-database",
                "ban-truncate-cascade",
                "renaming-column",
                "renaming-table",
            ),
            "migration.destroys",
        ),
    },
    "sqlfluff": {},
    "semgrep": {
        "settings.saml-*": "auth.saml-signature",  # a SAML response is read, or its signature is not asked for
        "settings.token-*": "auth.token-signature",  # a token is decoded by hand, or with verification off
        "settings.unique-*": "sql.unique-null",  # a UNIQUE names a column that is not NOT NULL
        "settings.definer-*": "sql.definer-rights",  # a SECURITY DEFINER function has no search_path of its own
        "settings.balance-*": "sql.balance-not-negative",  # a balance has no CHECK
        "settings.value-*": "sql.value-fits",  # a default is larger than its NUMERIC
    },
}
NAMED = frozenset(RULES)
"""The tools that the page compares with."""

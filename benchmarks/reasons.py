"""Which of a tool's rules mean the invariants of our cases, and why the rules that come near do not.

A refusal counts as right only when its reason is: code that believes an unsigned SAML response is not mended by
another XML parser, so a finding about the parser is another finding. This table was written by reading what each rule
says of itself, not by looking at which cases it fires on.
"""

from __future__ import annotations

from pathlib import Path

SEMGREP_RULES = Path(__file__).parent / "semgrep_rules"
"""A few rules of ours, one file for each language, for the seed's six catches as the seed spells them."""

RIGHT: dict[str, dict[str, tuple[str, str]]] = {
    "bandit": {},
    "ruff": {},
    "squawk": {},
    "sqlfluff": {},
    "semgrep": {
        "settings.saml-*": ("auth.saml-signature", "a SAML response is read, or its signature is not asked for"),
        "settings.token-*": ("auth.token-signature", "a token is decoded by hand, or with verification off"),
        "settings.unique-*": ("sql.unique-null", "a UNIQUE names a column that is not NOT NULL"),
        "settings.definer-*": ("sql.definer-rights", "a SECURITY DEFINER function has no search_path of its own"),
        "settings.balance-*": ("sql.balance-not-negative", "a balance has no CHECK"),
        "settings.value-*": ("sql.value-fits", "a default is larger than its NUMERIC"),
    },
}
"""Tool to rule (or pattern) to the invariant it means, with the reason. Four tools have no rule for any of the six."""

NEAR: tuple[tuple[str, str, str, str], ...] = (
    (
        "bandit, ruff",
        "B313 to B319, S313 to S319",
        "auth.saml-signature",
        "they warn of entities in XML; with another parser they are silent, and the response is still believed",
    ),
    (
        "bandit, ruff",
        "B404, B603, B607, S603, S607",
        "auth.saml-signature",
        "they warn of any command, such as one that verifies the signature",
    ),
    (
        "bandit, ruff",
        "B110, S110",
        "auth.saml-signature",
        "any exception that is swallowed, whatever it would have said",
    ),
    (
        "bandit, ruff",
        "B105 to B107, S105 to S107",
        "auth.token-signature",
        "they warn of a secret in the source, not of a token that nobody verified",
    ),
    (
        "bandit, ruff",
        "B501, S501",
        "auth.token-signature",
        "`verify=False` of an HTTP client: the connection, not the token",
    ),
    (
        "bandit, ruff",
        "B608, S608",
        "sql.*",
        "SQL that is put together from strings: who may change it, not what it promises",
    ),
    (
        "squawk",
        "disallowed-unique-constraint, require-concurrent-index-creation",
        "sql.unique-null",
        "the lock while the index is built; they fire on the mended schema too",
    ),
    (
        "squawk",
        "ban-drop-not-null",
        "sql.unique-null",
        "any column that becomes nullable, with or without a UNIQUE over it",
    ),
    (
        "squawk",
        "changing-column-type",
        "sql.value-fits",
        "any change of a type, because it rewrites the table; a wider type too",
    ),
    (
        "squawk",
        "prefer-bigint-over-int, prefer-bigint-over-smallint",
        "sql.value-fits",
        "taste for every small integer, whatever is put into it",
    ),
    (
        "squawk",
        "prefer-text-field, ban-char-field",
        "sql.value-fits",
        "taste for every VARCHAR, whatever is put into it",
    ),
    (
        "sqlfluff",
        "AM, RF, ST",
        "sql.*",
        "how a query reads: ambiguity, references, structure; none weighs a constraint",
    ),
)
"""Rules that fire near a defect and do not mean it: tool, rules, invariant, why."""

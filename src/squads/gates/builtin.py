"""The checks that come with the library, by name. Each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module

from squads.contracts.errors import InvalidInput
from squads.gates.check import CheckGate

HOMES = {
    "async.awaited": ("squads.gates.checks.async_awaited", "async_awaited"),
    "auth.saml-signature": ("squads.gates.checks.auth_saml_signature", "saml_signature"),
    "auth.token-signature": ("squads.gates.checks.auth_token_signature", "token_signature"),
    "code.exact-money": ("squads.gates.checks.code_exact_money", "exact_money"),
    "failure.swallowed": ("squads.gates.checks.failure_swallowed", "failure_swallowed"),
    "migration.destroys": ("squads.gates.checks.migration_destroys", "migration_destroys"),
    "migration.locks": ("squads.gates.checks.migration_locks", "migration_locks"),
    "scope.brief": ("squads.gates.checks.scope_brief", "scope_brief"),
    "secret.exposed": ("squads.gates.checks.secret_exposed", "secret_exposed"),
    "sql.balance-not-negative": ("squads.gates.checks.sql_balance_not_negative", "balance_not_negative"),
    "sql.definer-rights": ("squads.gates.checks.sql_definer_rights", "definer_rights"),
    "sql.exact-money": ("squads.gates.checks.sql_exact_money", "exact_money"),
    "sql.tenant": ("squads.gates.checks.sql_tenant", "tenant"),
    "sql.unique-null": ("squads.gates.checks.sql_unique_null", "unique_null"),
    "sql.value-fits": ("squads.gates.checks.sql_value_fits", "value_fits"),
    "tests.weakened": ("squads.gates.checks.tests_weakened", "tests_weakened"),
    "text.conflict-marker": ("squads.gates.checks.text_conflict_marker", "conflict_marker"),
}
"""Check id to where it lives: (module, name)."""


def built_in(*names: str) -> list[CheckGate]:
    """Return the named checks, or all of them; raises `InvalidInput` that names the known ones."""
    gates = []
    for name in names or tuple(HOMES):
        if name not in HOMES:
            raise InvalidInput(f"there is no built-in check {name!r}; known: {', '.join(HOMES)}")
        module, attribute = HOMES[name]
        gates.append(getattr(import_module(module), attribute))
    return gates

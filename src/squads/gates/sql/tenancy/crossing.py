"""Where a schema itself lets one tenant see or change another's rows: row security, views, functions, joins."""

from __future__ import annotations

from collections.abc import Iterator

from squads.gates.place import Place
from squads.gates.sql.model import Schema, Table, quoted
from squads.gates.sql.tenancy.leaks import BOUND, LEAKS, leak_of
from squads.gates.sql.tenancy.routines import routine_crossings, view_crossings
from squads.gates.sql.tenancy.rows import RowPolicy, RowSecurity
from squads.gates.sql.tenancy.shared import Crossing, Shared
from squads.gates.sql.tenancy.words import stands_above

_COMMANDS = ("select", "insert", "update", "delete")


def crossings(schema: Schema, rows: RowSecurity, shared: Shared) -> Iterator[Crossing]:
    """Yield what lets one tenant reach another's rows."""
    tables = {t.name: t for t in schema.tables}
    protected = frozenset(rows.enabled)
    for policy in rows.policies.values():
        yield from _policy(rows, shared, policy, protected)
    for name, keys in shared.keyed.items():
        yield from _left_out(schema, rows, shared, tables[name], keys)
    for role, place in rows.bypasses.items():
        yield from _bypass(rows, role, place)
    for name in rows.views:
        yield from view_crossings(rows, shared, name)
    yield from routine_crossings(schema, rows, shared)


# Policies


def _policy(rows: RowSecurity, shared: Shared, policy: RowPolicy, protected: frozenset[str]) -> Iterator[Crossing]:
    keys = shared.keyed.get(policy.table)
    if not keys or not policy.permissive or all(stands_above(r) for r in policy.roles):
        return
    key = sorted(keys, key=lambda k: (k not in shared.learned, k))[0]
    near = protected - {policy.table}
    reads = leak_of(policy.using, key, near, rows.helpers) if policy.using else ""
    writes = leak_of(policy.check or policy.using, key, near, rows.helpers) if policy.check or policy.using else ""
    seen = [c for c in _COMMANDS if policy.command in ("all", c)]
    through = ""
    if reads == LEAKS and (open_ := [c for c in seen if c != "insert" and not _held(rows, policy, c, key, near)]):
        through = f"{' and '.join(c.upper() for c in open_)} rows of every tenant"
    elif writes == LEAKS and (
        open_ := [c for c in seen if c in ("insert", "update") and not _held(rows, policy, c, key, near)]
    ):
        through = f"{' and '.join(c.upper() for c in open_)} rows that belong to another tenant"
    if through:
        yield Crossing(
            policy.place,
            f"The policy {quoted(policy.name)} lets {', '.join(policy.roles)} {through} in {quoted(policy.table)}.",
            f"USING ({key} = current_setting('app.tenant')::...) WITH CHECK (the same)",
            about=policy.table,
        )


def _held(rows: RowSecurity, policy: RowPolicy, command: str, key: str, near: frozenset[str]) -> bool:
    """Return whether a restrictive policy keeps a command to the tenant whatever others let through."""
    for other in rows.of(policy.table):
        if other.permissive or other.command not in ("all", command):
            continue
        told = other.check or other.using if command == "insert" else other.using
        if not set(other.roles) & {"public", *policy.roles}:
            continue
        if leak_of(told, key, near) == BOUND:
            return True
    return False


# Tables


def _left_out(
    schema: Schema, rows: RowSecurity, shared: Shared, table: Table, keys: frozenset[str]
) -> Iterator[Crossing]:
    name = table.name
    if table.partition or table.foreign or name in rows.views:
        return
    policies = rows.of(name)
    others = [t for t in rows.enabled if t != name and rows.of(t) and shared.keyed.get(t, frozenset()) & keys]
    mend = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;"
    if rows.on(name):
        yield from _owned(rows, table, policies)
    elif name in rows.disabled:
        yield Crossing(rows.disabled[name], f"Row security of {table} is switched off again.", mend)
    elif policies:
        message = f"{table} has policies, and row security is not on: they hold nobody back."
        yield Crossing(policies[0].place, message, mend)
        yield Crossing(table.place, message, mend)
    elif others and shared.learned & keys:
        granted = rows.roles_of(name)
        anywhere = any(rows.grants.values())
        reached = any(not stands_above(r) for r in granted) if anywhere else True
        yield Crossing(
            table.place,
            f"{table} has {quoted(sorted(keys)[0])} as {quoted(sorted(others)[0])} has, but no row security: every "
            "tenant sees all of it.",
            mend + f" CREATE POLICY ... ON {table} USING ({sorted(keys)[0]} = ...);",
            certain=reached and not (schema.resolved(table).parents and table.partition),
        )


def _owned(rows: RowSecurity, table: Table, policies: list[RowPolicy]) -> Iterator[Crossing]:
    """An owner is not held by the policies of its own table, unless they are forced."""
    given = rows.owners.get(table.name)
    if given is None or table.name in rows.forced or not policies:
        return
    owner, place = given
    named = any(owner in p.roles for p in policies)
    only = not any(r != owner for r in rows.roles_of(table.name)) and not stands_above(owner)
    if named or (only and owner not in ("postgres", "current_user")):
        message = (
            f"{quoted(owner)} owns {table}, and row security without FORCE does not hold an owner: it sees all tenants."
        )
        mend = f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;"
        yield Crossing(place, message, mend)
        if table.name in rows.enabled:
            yield Crossing(rows.enabled[table.name], message, mend)


def _bypass(rows: RowSecurity, role: str, place: Place) -> Iterator[Crossing]:
    if stands_above(role) or not rows.enabled:
        return
    used = any(role in held for held in rows.grants.values()) or any(role in p.roles for p in rows.policies.values())
    if used:
        yield Crossing(
            place,
            f"{quoted(role)} bypasses row security, so no policy holds it to its tenant.",
            f"ALTER ROLE {quoted(role)} NOBYPASSRLS;",
        )

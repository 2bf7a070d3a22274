"""Where a schema itself lets one tenant see or change another's rows: row security, views, functions, joins."""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.gates.place import Place
from squads.gates.sql.model import Schema, Table, quoted
from squads.gates.sql.tenancy.leaks import BOUND, LEAKS, SESSION, leak_of
from squads.gates.sql.tenancy.routines import routine_crossings, view_crossings
from squads.gates.sql.tenancy.rows import RowPolicy, RowSecurity
from squads.gates.sql.tenancy.shared import Crossing, Shared, keeps_all
from squads.gates.sql.tenancy.ties import Ground
from squads.gates.sql.tenancy.words import names_person, stands_above

_COMMANDS = ("select", "insert", "update", "delete")


def crossings(schema: Schema, rows: RowSecurity, shared: Shared, brief: str = "") -> Iterator[Crossing]:
    """Yield what lets one tenant reach another's rows."""
    tables = {t.name: t for t in schema.tables}
    named = {**shared.below, **shared.keyed}
    columns = {n: frozenset(c.name for c in schema.resolved(t).columns) for n, t in tables.items()}
    strict = keeps_all(brief)
    held = {t: {r for p in rows.of(t) if any(k in p.using for k in keys) for r in p.roles} for t, keys in named.items()}
    for policy in rows.policies.values():
        keys = shared.keyed.get(policy.table) or shared.below.get(policy.table)
        if (
            keys
            and policy.permissive
            and not all(stands_above(r) and r not in held[policy.table] for r in policy.roles)
        ):
            key = sorted(keys, key=lambda k: (k not in shared.learned, k))[0]
            near = frozenset(rows.enabled) - {policy.table}
            yield from _policy(rows, policy, Ground(key, near, rows.helpers, columns, policy.table, strict))
    for name, keys in shared.keyed.items():
        yield from _left_out(schema, rows, shared, tables[name], keys)
    for name in shared.below:
        yield from _below(rows, tables[name])
    for role, place in rows.bypasses.items():
        yield from _bypass(rows, role, place)
    for name in rows.views:
        yield from view_crossings(rows, shared, name)
    yield from routine_crossings(schema, rows, shared)


# Policies


def _policy(rows: RowSecurity, policy: RowPolicy, ground: Ground) -> Iterator[Crossing]:
    key = ground.key
    written = policy.check or policy.using
    reads = leak_of(policy.using, key, ground=ground) if policy.using else ""
    writes = leak_of(written, key, ground=ground) if written else ""
    seen = [c for c in _COMMANDS if policy.command in ("all", c)]
    through = ""
    if reads == LEAKS and (open_ := [c for c in seen if c != "insert" and not _held(rows, policy, c, ground)]):
        through = f"{' and '.join(c.upper() for c in open_)} rows of every tenant"
    elif writes == LEAKS and (
        open_ := [c for c in seen if c in ("insert", "update") and not _held(rows, policy, c, ground)]
    ):
        through = f"{' and '.join(c.upper() for c in open_)} rows that belong to another tenant"
    elif writes not in ("", BOUND) and policy.check and _only_person(policy.check, key) and _kept(rows, policy, ground):
        open_ = [c for c in seen if c in ("insert", "update") and not _held(rows, policy, c, ground)]
        through = f"{' and '.join(c.upper() for c in open_)} rows that belong to another tenant" if open_ else ""
    if not through:
        return
    called = [h for n, h in rows.helpers.items() if re.search(rf"\b{re.escape(n)}\s*\(", policy.using + written)]
    for place in [policy.place, *(h.place for h in called if h.parameters or not SESSION.search(h.text))]:
        yield Crossing(
            place,
            f"The policy {quoted(policy.name)} lets {', '.join(policy.roles)} {through} in {quoted(policy.table)}.",
            f"USING ({key} = current_setting('app.tenant')::...) WITH CHECK (the same)",
            about=policy.table,
        )


def _only_person(check: str, key: str) -> bool:
    """Return whether a condition on what is written only says who writes it: `author_id = auth.uid()`."""
    compared = re.fullmatch(r"\(*\s*(?:\w+\s*\.\s*)?(\w+)\s*=\s*([^=]*?)\s*\)*", check)
    sides = (compared[1], compared[2]) if compared else ("", "")
    backward = re.fullmatch(r"\(*\s*([^=]*?)\s*=\s*(?:\w+\s*\.\s*)?(\w+)\s*\)*", check)
    for column, other in (sides, (backward[2], backward[1]) if backward else ("", "")):
        if column and names_person(column) and column != key and SESSION.search(other):
            return True
    return False


def _kept(rows: RowSecurity, policy: RowPolicy, ground: Ground) -> bool:
    """Return whether what the same roles read is kept to the tenant: by this policy, or by others of the table."""
    near = [p for p in rows.of(policy.table) if p.using and set(p.roles) & {"public", *policy.roles}]
    near += [p for p in rows.of(policy.table) if p.using and "public" in policy.roles and p not in near]
    return any(leak_of(p.using, ground.key, ground=ground) == BOUND for p in near)


def _held(rows: RowSecurity, policy: RowPolicy, command: str, ground: Ground) -> bool:
    """Return whether a restrictive policy keeps a command to the tenant whatever others let through."""
    for other in rows.of(policy.table):
        if other.permissive or other.command not in ("all", command):
            continue
        told = other.check or other.using if command == "insert" else other.using
        if not set(other.roles) & {"public", *policy.roles}:
            continue
        if leak_of(told, ground.key, ground=ground) == BOUND:
            return True
    return False


# Tables


def _left_out(
    schema: Schema, rows: RowSecurity, shared: Shared, table: Table, keys: frozenset[str]
) -> Iterator[Crossing]:
    name = table.name
    if table.partition:
        yield from _part(schema, rows, table)
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


def _below(rows: RowSecurity, table: Table) -> Iterator[Crossing]:
    """What belongs to guarded rows is guarded as they are."""
    if rows.on(table.name) or table.partition or all(stands_above(r) for r in rows.roles_of(table.name)):
        return
    mend = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY ... USING (EXISTS (SELECT ... its parent));"
    message = f"{table} belongs to rows that row security guards, and has none itself: every tenant sees all of it."
    yield Crossing(table.place, message, mend, about=table.name)
    for policy in rows.of(table.name)[:1]:
        yield Crossing(policy.place, f"{table} has a policy, and row security is not on.", mend, about=table.name)


def _part(schema: Schema, rows: RowSecurity, table: Table) -> Iterator[Crossing]:
    """A partition that is asked by its own name knows nothing of its parent's policies."""
    above = [a for a in schema.ancestors(table) if a.name in rows.enabled and rows.of(a.name)]
    if not above or rows.on(table.name) or all(stands_above(r) for r in rows.roles_of(table.name)):
        return
    message = (
        f"Whoever asks {table} by its own name is not held by the policies of {above[0]}, and it is granted to "
        f"{', '.join(sorted(rows.roles_of(table.name)))}: every tenant's rows."
    )
    places = [*rows.granted.get(table.name, []), *rows.granted.get("*", [])]
    for place in [table.place, *places[-1:]]:
        mend = f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; or grant {above[0]} only"
        yield Crossing(place, message, mend, about=table.name)


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

"""Which tables tenants share, and what a way from tenant to tenant is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from squads.gates.place import Place
from squads.gates.sql.expressions import parsed
from squads.gates.sql.model import Schema
from squads.gates.sql.tenancy.rows import RowSecurity
from squads.gates.sql.tenancy.words import is_strong_key, may_be_key, root_of

if TYPE_CHECKING:
    from sqlglot import exp

_CLAUSES = re.compile(r"[.;!?](?=\s|$)|\n\s*\n|\b(?:while|whereas|but|except)\b")
_NAMED = re.compile(r"`([A-Za-z_]\w*)`")
_SHARED_BY = re.compile(
    r"\bshare[ds]?\b|\b(of|by|for|from|between) (all|every|each|many|several|different)\b|\bbelongs?\b|\bcarr(y|ies)\b"
    r"|\btenants?\b|\bowned\b|\bhold|\bkept apart\b|\bper (tenant|company|account|shop|customer|organi[sz]ation)\b",
    re.IGNORECASE,
)
_COMMON = re.compile(
    r"\b(same for|common to|no tenant|belongs? to nobody|without (an? )?`|has no `|have no `)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Crossing:
    """One way from tenant to tenant."""

    place: Place
    message: str
    satisfy: str
    certain: bool = True
    about: str = ""
    """The table, view or function it is about."""


@dataclass(frozen=True, slots=True)
class Shared:
    """The tables that tenants share."""

    keyed: Mapping[str, frozenset[str]]
    learned: frozenset[str]
    """Keys that policies compare with the session."""
    composite: frozenset[str]
    """Tables whose primary key holds the tenant's key: their ids alone name no row."""
    alone: frozenset[tuple[str, str]] = frozenset()
    """(table, column) of what names one row over all tenants."""


def shared_tables(schema: Schema, rows: RowSecurity) -> Shared:
    """Return which tables have a tenant's key, by its name or because a policy uses it as one."""
    learned: set[str] = set()
    for policy in rows.policies.values():
        for condition in (policy.using, policy.check):
            learned |= _keys_in(condition)
    keyed: dict[str, frozenset[str]] = {}
    composite: set[str] = set()
    alone: set[tuple[str, str]] = set()
    for table in schema.tables:
        names = {c.name for c in schema.resolved(table).columns}
        keys = frozenset(n for n in names if n in learned or is_strong_key(n))
        if learned & keys:
            keys = frozenset(learned & keys)
        if not keys or table.temporary:
            continue
        keyed[table.name] = keys
        alone |= {
            (table.name, k.elements[0].column)
            for k in schema.resolved(table).keys
            if len(k.elements) == 1 and not k.predicate
        }
        primary = next((k for k in schema.resolved(table).keys if k.primary), None)
        members = {e.column for e in primary.elements} if primary else set()
        if members & keys and members - keys:
            composite.add(table.name)
    return Shared(keyed, frozenset(learned), frozenset(composite), frozenset(alone))


def _keys_in(condition: str) -> set[str]:
    """Return the columns that a condition compares with the session."""
    from sqlglot import exp

    if not condition:
        return set()
    try:
        tree = parsed(condition)
    except (ValueError, RecursionError):
        return set()
    found = set()
    for node in tree.find_all(exp.EQ, exp.In):
        column = node.this
        while isinstance(column, exp.Cast):
            column = column.this
        if isinstance(column, exp.Column) and (may_be_key(column.name) or _is_set(column.name, node)):
            found.add(column.name)
    return found


def _is_set(name: str, comparison: exp.Expr) -> bool:
    """Return whether a column is compared with a setting of the session that is called as it is: `app.garden`."""
    from sqlglot import exp

    stem = root_of(name)
    if len(stem) < 3 or stem in ("user", "owner", "person", "role", "login", "email"):
        return False
    for call in comparison.find_all(exp.Anonymous):
        if call.name.lower() == "current_setting" and call.expressions and isinstance(call.expressions[0], exp.Literal):
            return root_of(call.expressions[0].name.rsplit(".", 1)[-1]) == stem
    return False


def told_in(brief: str) -> dict[str, frozenset[str]]:
    """Return the tables that a brief calls shared, with the key it names: "`orders` and `lines` (`org_id`)"."""
    found: dict[str, frozenset[str]] = {}
    words = {w.lower() for w in re.findall(r"[A-Za-z]+", re.sub(r"`[^`]*`", " ", brief))}
    every = {n.lower() for n in _NAMED.findall(brief) if _is_told_key(n.lower(), words)}
    for said in _CLAUSES.split(brief):
        names = [n.lower() for n in _NAMED.findall(said)]
        keys = {n for n in names if n in every} or (every if len(every) == 1 else set())
        if not keys or not _SHARED_BY.search(said) or _COMMON.search(said):
            continue
        for name in names:
            if name not in every:
                found[name] = found.get(name, frozenset()) | keys
    return found


def _is_told_key(name: str, words: set[str]) -> bool:
    """Return whether a name of the brief is a tenant's key: by itself, or as the brief speaks of those it names."""
    if is_strong_key(name):
        return True
    stem = name.removesuffix("_id")
    if stem == name or stem in ("user", "owner", "person"):
        return False
    many = {f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies"}
    return bool(many & words) or (may_be_key(name) and stem in words)

"""Row security as a schema leaves it: what is switched on, which policies there are, and where each was written.

Read from the statements alone, so that a grant which cannot be followed hides no policy. What a DO block puts together
while it runs counts for every table that it names, or for all of them where it asks the catalogue.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Statement, Token, split, text_of
from squads.gates.sql.model import Schema
from squads.gates.sql.rights.granting import parts_of_block
from squads.gates.sql.rights.routines import body_tokens
from squads.gates.sql.tenancy.helpers import Helper, helper_of

_CATALOGUE = re.compile(r"\b(pg_tables|information_schema|pg_class|pg_catalog)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPolicy:
    """One policy."""

    name: str
    table: str
    permissive: bool = True
    command: str = "all"
    roles: tuple[str, ...] = ("public",)
    using: str = ""
    check: str = ""
    place: Place


@dataclass(slots=True)
class RowSecurity:
    """What stands after every statement."""

    enabled: dict[str, Place] = field(default_factory=dict)
    disabled: dict[str, Place] = field(default_factory=dict)
    """Tables where it was switched off after it was on."""
    forced: set[str] = field(default_factory=set)
    policies: dict[tuple[str, str], RowPolicy] = field(default_factory=dict)
    owners: dict[str, tuple[str, Place]] = field(default_factory=dict)
    """Tables and views that were given to a role by OWNER TO."""
    invoker: dict[str, bool] = field(default_factory=dict)
    """Views, and whether they run with the rights of whoever asks."""
    views: dict[str, tuple[str, Place, bool]] = field(default_factory=dict)
    """Views: (query, place, materialized)."""
    bypasses: dict[str, Place] = field(default_factory=dict)
    """Roles that no policy holds."""
    grants: dict[str, set[str]] = field(default_factory=dict)
    """Tables and views, by name, to the roles that they are granted to; under `*` those that get all of a schema."""
    granted: dict[str, list[Place]] = field(default_factory=dict)
    """Where those grants stand."""
    touched: dict[str, list[Place]] = field(default_factory=dict)
    """Where something was said of a table, view or function: its policies, its owner, its grants."""
    helpers: dict[str, Helper] = field(default_factory=dict)
    """Functions that policies may call, by their names."""
    dynamic: set[str] = field(default_factory=set)
    """Tables that SQL which is put together while it runs protects; `*` for all."""

    def of(self, table: str) -> list[RowPolicy]:
        """Return the policies of a table."""
        return [p for p in self.policies.values() if p.table == table]

    def on(self, table: str) -> bool:
        """Return whether row security is on for a table, or may be by SQL that cannot be told."""
        return table in self.enabled or bool({table, "*"} & self.dynamic)

    def roles_of(self, relation: str) -> set[str]:
        """Return the roles that may use a table or view."""
        return self.grants.get(relation, set()) | self.grants.get("*", set())


def read_rows(schema: Schema) -> RowSecurity:
    """Return the row security that the statements of `schema` leave behind."""
    found = RowSecurity()
    for spoken in schema.spoken:
        _statement(found, spoken.statement)
    return found


def _statement(found: RowSecurity, statement: Statement) -> None:
    words = [t.value for t in statement.tokens]
    if words[0] in ("alter", "grant", "drop", "revoke"):
        for name in {t.value for t in statement.tokens if t.kind in ("word", "quoted")}:
            found.touched.setdefault(name, []).append(statement.place)
    if words[0] == "create" and "function" in words[:4] and "(" in words:
        helper = helper_of(statement)
        if helper is not None:
            found.helpers[helper.name] = helper
    try:
        _apply(found, Cursor(statement.source, statement.tokens), statement.place)
    except CannotLook:
        return  # what is not understood here grants and protects nothing that is known


def _apply(found: RowSecurity, cursor: Cursor, place: Place) -> None:
    verb = cursor.peek()
    if cursor.accept("create"):
        cursor.accept("or", "replace")
        if cursor.accept("policy"):
            policy = _policy(cursor, place)
            found.policies[policy.table, policy.name] = policy
        elif cursor.peek() in ("view", "materialized", "recursive", "temp", "temporary"):
            _view(found, cursor, place)
        elif cursor.accept("role") or cursor.accept("user"):
            _role(found, cursor, place)
    elif cursor.accept("alter"):
        if cursor.accept("policy"):
            _alter_policy(found, cursor, place)
        elif cursor.accept("role") or cursor.accept("user"):
            _role(found, cursor, place)
        else:
            cursor.accept("materialized")
            if cursor.accept("table") or cursor.accept("view"):
                _alter(found, cursor, place)
    elif cursor.accept("drop", "policy"):
        cursor.accept("if", "exists")
        name = cursor.name()
        cursor.expect("on")
        found.policies.pop((cursor.qualified()[1], name), None)
    elif verb in ("grant", "revoke"):
        _grant(found, cursor, place, gives=verb == "grant")
    elif verb == "do":
        _block(found, cursor)


def _policy(cursor: Cursor, place: Place) -> RowPolicy:
    name = cursor.name()
    cursor.expect("on")
    return _clauses(RowPolicy(name=name, table=cursor.qualified()[1], place=place), cursor)


def _clauses(policy: RowPolicy, cursor: Cursor) -> RowPolicy:
    while not cursor.done:
        if cursor.accept("as"):
            policy = replace(policy, permissive=cursor.take().value == "permissive")
        elif cursor.accept("for"):
            policy = replace(policy, command=cursor.take().value)
        elif cursor.accept("to"):
            names = [cursor.take().value]
            while cursor.accept(","):
                names.append(cursor.take().value)
            policy = replace(policy, roles=tuple(names))
        elif cursor.accept("using"):
            policy = replace(policy, using=text_of(cursor.group()))
        elif cursor.accept("with", "check"):
            policy = replace(policy, check=text_of(cursor.group()))
        else:
            cursor.take()
    return policy


def _alter_policy(found: RowSecurity, cursor: Cursor, place: Place) -> None:
    name = cursor.name()
    cursor.expect("on")
    table = cursor.qualified()[1]
    known = found.policies.get((table, name), RowPolicy(name=name, table=table, place=place))
    if cursor.accept("rename", "to"):
        found.policies.pop((table, name), None)
        new = cursor.name()
        found.policies[table, new] = replace(known, name=new)
        return
    found.policies[table, name] = replace(_clauses(known, cursor), place=place)


def _view(found: RowSecurity, cursor: Cursor, place: Place) -> None:
    materialized = False
    while cursor.peek() in ("materialized", "recursive", "temp", "temporary", "view"):
        materialized |= cursor.take().value == "materialized"
    cursor.accept("if", "not", "exists")
    name = cursor.qualified()[1]
    rest = list(cursor.rest())
    at = next((n for n, t in _outside(rest) if t.value == "as"), len(rest))
    found.views[name] = (text_of(rest[at + 1 :]), place, materialized)
    found.invoker[name] = _invoker(rest[:at]) is True


def _outside(tokens: list[Token]) -> list[tuple[int, Token]]:
    found, depth = [], 0
    for at, token in enumerate(tokens):
        if token.kind == "mark":
            depth += (token.text in "([") - (token.text in ")]")
        elif not depth:
            found.append((at, token))
    return found


def _invoker(tokens: list[Token]) -> bool | None:
    words = [t.value.lower() for t in tokens]
    if "security_invoker" not in words:
        return None
    at = words.index("security_invoker")
    return words[at + 1 : at + 2] != ["="] or words[at + 2] in ("true", "on", "1", "yes")


def _alter(found: RowSecurity, cursor: Cursor, place: Place) -> None:
    cursor.accept("if", "exists")
    cursor.accept("only")
    name = cursor.qualified()[1]
    cursor.accept("*")
    for action in split(cursor.rest()):
        inner = Cursor(cursor.source, action)
        if inner.accept("enable", "row"):
            found.enabled[name] = place
            found.disabled.pop(name, None)
        elif inner.accept("disable", "row"):
            if found.enabled.pop(name, None) is not None:
                found.disabled[name] = place
        elif inner.accept("force"):
            found.forced.add(name)
        elif inner.accept("no", "force"):
            found.forced.discard(name)
        elif inner.accept("owner", "to"):
            found.owners[name] = (inner.name(), place)
        elif inner.accept("set") and (told := _invoker(list(action))) is not None:
            found.invoker[name] = told
        elif inner.accept("rename", "to"):
            _renamed(found, name, inner.name())


def _renamed(found: RowSecurity, old: str, new: str) -> None:
    by_name: tuple[dict[str, Any], ...] = (found.enabled, found.invoker, found.views, found.owners, found.grants)
    for held in by_name:
        if old in held:
            held[new] = held.pop(old)
    if old in found.forced:
        found.forced = (found.forced - {old}) | {new}
    for key, policy in list(found.policies.items()):
        if key[0] == old:
            del found.policies[key]
            found.policies[new, key[1]] = replace(policy, table=new)


def _role(found: RowSecurity, cursor: Cursor, place: Place) -> None:
    name = cursor.name()
    words = {t.value for t in cursor.rest() if t.kind == "word"}
    if words & {"bypassrls", "superuser"}:
        found.bypasses[name] = place
    elif words & {"nobypassrls"}:
        found.bypasses.pop(name, None)


def _grant(found: RowSecurity, cursor: Cursor, place: Place, *, gives: bool) -> None:
    tokens = list(cursor.rest())
    words = [t.value for t in tokens]
    mark = "to" if gives else "from"
    if "on" not in words or mark not in words:
        return
    on = words.index("on")
    end = len(words) - 1 - words[::-1].index(mark)
    roles = {t.value for t in tokens[end + 1 :] if t.kind in ("word", "quoted")} - {"group", "with", "grant", "option"}
    target = tokens[on + 1 : end]
    kinds = [t.value for t in target[:3]]
    rights = set(words[:on])
    if kinds[:1] in (["function"], ["schema"], ["sequence"], ["database"], ["type"], ["procedure"], ["routine"]):
        return
    if kinds[:2] == ["all", "tables"]:
        names = ["*"]
    elif kinds[:1] == ["all"]:
        return
    else:
        plain = target[1:] if kinds[:1] == ["table"] else target
        names = [p[-1].value for p in split(plain) if p]
    for name in names:
        held = found.grants.setdefault(name, set())
        if gives:
            held |= roles
            found.granted.setdefault(name, []).append(place)
        elif "all" in rights:
            held -= roles


def _block(found: RowSecurity, cursor: Cursor) -> None:
    body = next((t for t in cursor.rest() if t.kind in ("dollar", "string")), None)
    if body is None:
        return
    source, tokens = body_tokens(cursor.source, body)
    dynamic = any(
        "row level security" in t.value.lower() or "create policy" in t.value.lower()
        for t in tokens
        if t.kind in ("string", "dollar")
    )
    if dynamic:
        if _CATALOGUE.search(body.value):
            found.dynamic.add("*")
        for token in tokens:
            if token.kind == "string":
                found.dynamic |= set(re.findall(r"\w+", token.value))
    for part in parts_of_block(tokens):
        if part and part[0].value in ("create", "alter", "drop", "grant", "revoke"):
            _statement(found, Statement(source, tuple(part)))

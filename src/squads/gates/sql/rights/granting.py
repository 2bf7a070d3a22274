"""GRANT, REVOKE, CREATE ROLE, ALTER ROLE and ALTER DEFAULT PRIVILEGES, read into what they change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Token, split
from squads.gates.sql.model import HOLE, TableName
from squads.gates.sql.rights.grants import PUBLIC, Default, Grants
from squads.gates.sql.rights.routines import read_arguments
from squads.gates.words import word_set

_EVERY = {
    "tables": "relation",
    "sequences": "relation",
    "functions": "routine",
    "procedures": "routine",
    "routines": "routine",
}
_ROLE_OPTIONS = {
    "superuser": {"superuser": True},
    "nosuperuser": {"superuser": False},
    "bypassrls": {"bypass": True},
    "nobypassrls": {"bypass": False},
    "inherit": {"inherits": True},
    "noinherit": {"inherits": False},
    "login": {"login": True},
    "nologin": {"login": False},
}
_ONESELF = word_set("current_user current_role session_user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What GRANT ... ON names: one thing as it was written, or everything of a kind in a schema."""

    kind: str
    name: TableName = ("", "")
    arguments: tuple[str, ...] | None = None
    """The argument types of a routine; None where it is named without them."""
    every: str = ""
    """`tables`, `sequences` or `functions` of the schema that `name` names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """One GRANT or REVOKE of rights on things."""

    gives: bool
    rights: tuple[tuple[str, frozenset[str] | None], ...]
    targets: tuple[Target, ...]
    roles: tuple[str, ...]


def role_name(cursor: Cursor, current: str) -> str:
    """Take a role's name; a psql variable keeps its colon, and CURRENT_USER is `current`."""
    cursor.accept("group")
    colon = ":" if cursor.accept(":") else ""
    if cursor.peek() in _ONESELF:
        cursor.take()
        return current
    if not cursor.done and cursor.tokens[cursor.at].kind == "string":
        return colon + cursor.take().value
    if not cursor.done and HOLE in cursor.tokens[cursor.at].value:
        return cursor.take().value  # a role that is only known when the code runs, like a psql variable
    return colon + cursor.name()


def role_names(cursor: Cursor, current: str) -> tuple[str, ...]:
    """Take a list of roles."""
    names = [role_name(cursor, current)]
    while cursor.accept(","):
        names.append(role_name(cursor, current))
    return tuple(names)


def read_grant(cursor: Cursor, current: str, *, gives: bool) -> Granted | None:
    """Return what follows GRANT or REVOKE; None for a membership, with nothing taken."""
    start = cursor.at
    if not gives:
        grant_option = cursor.accept("grant", "option", "for")
        if grant_option:
            return Granted(gives=False, rights=(), targets=(), roles=())
    rights: list[tuple[str, frozenset[str] | None]] = []
    while True:
        if cursor.done or cursor.tokens[cursor.at].kind not in ("word", "quoted", "op"):
            cursor.fail("expected a privilege or a role")
        right = (
            cursor.name() if cursor.peek() and "on" in (t.value for t in cursor.tokens) else role_name(cursor, current)
        )
        cursor.accept("privileges")
        columns = None
        if cursor.peek() == "(":
            columns = frozenset(p[0].value for p in split(cursor.group()) if p)
        while cursor.peek() not in (",", "on", "to", "from", ""):
            cursor.take()
        rights.append((right, columns))
        if not cursor.accept(","):
            break
    if not cursor.accept("on"):
        cursor.at = start
        return None
    targets = tuple(_targets(cursor))
    cursor.expect("to" if gives else "from")
    return Granted(gives=gives, rights=tuple(rights), targets=targets, roles=role_names(cursor, current))


def _targets(cursor: Cursor) -> Iterator[Target]:
    if cursor.accept("all"):
        every = cursor.take().value
        cursor.expect("in", "schema")
        kind = _EVERY.get(every, "")
        for name in _names(cursor):
            if kind:
                called = "functions" if kind == "routine" else every
                yield Target(kind=kind, name=("", name[1]), every=called)
        return
    if cursor.peek() in ("function", "procedure", "routine"):
        cursor.take()
        while True:
            name = cursor.qualified()
            arguments = read_arguments(cursor.source, cursor.group())[0] if cursor.peek() == "(" else None
            yield Target(kind="routine", name=name, arguments=arguments)
            if not cursor.accept(","):
                return
    word = cursor.peek()
    if word in ("schema", "database") and cursor.peek(1) not in ("to", "from", ".", ","):
        cursor.take()
        for name in _names(cursor):
            yield Target(kind=word, name=("", name[1]))
        return
    if word in word_set("type domain language tablespace large foreign parameter"):
        while cursor.peek() not in ("to", "from") and not cursor.done:
            cursor.skip()
        return
    if word in ("table", "sequence") and cursor.peek(1) not in ("to", "from", ".", ","):
        cursor.take()
    for name in _names(cursor):
        yield Target(kind="relation", name=name)


def _names(cursor: Cursor) -> list[TableName]:
    names = []
    while True:
        if cursor.accept(":"):
            names.append(("", ":" + cursor.name()))
        else:
            names.append(cursor.qualified())
        if not cursor.accept(","):
            return names


def apply_membership(grants: Grants, cursor: Cursor, current: str, *, gives: bool) -> None:
    """Apply GRANT role TO role, or REVOKE role FROM role."""
    if not gives:
        for option in ("admin", "inherit", "set"):
            if cursor.accept(option, "option", "for"):
                return
    groups = role_names(cursor, current)
    cursor.expect("to" if gives else "from")
    members = role_names(cursor, current)
    words = [t.value for t in cursor.rest()]
    for member in members:
        role = grants.role(member)
        # A role by this name is PostgREST's: it changes into the others and has no rights of its own.
        inherits = role.inherits and not (member == "authenticator" and role.login is None)
        if "inherit" in words:
            inherits = words[words.index("inherit") + 1 :][:1] in (["true"], ["option"])
        for group in groups:
            if gives:
                role.groups[group] = inherits
            else:
                role.groups.pop(group, None)


def apply_role(grants: Grants, cursor: Cursor, current: str, *, kind: str, creates: bool) -> None:
    """Apply what follows CREATE or ALTER ROLE, USER or GROUP."""
    if cursor.ahead("mapping"):
        return
    cursor.accept("if", "exists")
    name = role_name(cursor, current)
    role = grants.role(name)
    if creates and role.login is None:
        role.login = kind == "user"
    if cursor.accept("rename", "to"):
        grants.roles[cursor.name()] = grants.roles.pop(name)
        return
    cursor.accept("with")
    while not cursor.done:
        word = cursor.take().value
        if word in ("set", "reset"):
            return
        for option, value in _ROLE_OPTIONS.get(word, {}).items():
            setattr(role, option, value)
        if word == "in" and (cursor.accept("role") or cursor.accept("group")):
            for group in role_names(cursor, current):
                role.groups[group] = role.inherits
        elif creates and word in ("role", "user", "admin") and not cursor.done:
            for member in role_names(cursor, current):
                grants.role(member).groups[name] = grants.role(member).inherits
        elif word in ("add", "drop") and cursor.accept("user"):
            for member in role_names(cursor, current):
                if word == "add":
                    grants.role(member).groups[name] = True
                else:
                    grants.role(member).groups.pop(name, None)


def read_defaults(cursor: Cursor, current: str) -> list[Default]:
    """Return what follows ALTER DEFAULT PRIVILEGES, one for each role, schema and grantee."""
    makers: tuple[str, ...] = (current,)
    schemas: tuple[str, ...] = ("",)
    while cursor.peek() in ("for", "in"):
        if cursor.accept("in", "schema"):
            schemas = role_names(cursor, current)
        else:
            cursor.take()
            cursor.take()
            makers = role_names(cursor, current)
    gives = cursor.accept("grant")
    if not gives:
        cursor.expect("revoke")
        cursor.accept("grant", "option", "for")
    rights: set[str] = set()
    while not cursor.accept("on"):
        word = cursor.take().value
        if word not in (",", "privileges"):
            rights.add(word)
    kind = cursor.take().value
    kind = "functions" if kind in ("routines", "procedures") else kind
    cursor.expect("to" if gives else "from")
    template = Default(maker="", schema="", kind=kind, grantee=PUBLIC, rights=frozenset(rights), gives=gives)
    return [
        replace(template, maker=maker, schema=schema, grantee=grantee)
        for grantee in role_names(cursor, current)
        for maker in makers
        for schema in schemas
    ]


def parts_of_block(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the statements of a DO block, without the words that decide whether they run."""
    for part in split(tokens, ";"):
        at = 0
        for n, token in enumerate(part):
            if token.kind == "word" and token.value in ("begin", "then", "else", "loop", "declare"):
                at = n + 1
        if part[at:]:
            yield part[at:]

"""Statements about rights, routines, triggers and policies, applied to an `Authority` one after the other.

`read_schema` keeps the statements that may matter; here they are understood, so that a routine nobody can read makes
only the checks abstain that ask for routines. A statement about rights is understood or raises `CannotLook`. What a DO
block does with static SQL counts; SQL that it puts together while it runs is remembered as `dynamic`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from squads.gates.sql.cursor import Cursor
from squads.gates.sql.lex import Source, Statement, Token, split
from squads.gates.sql.model import Schema, TableName
from squads.gates.sql.rights.authority import Authority, Relation
from squads.gates.sql.rights.granting import (
    apply_membership,
    apply_role,
    parts_of_block,
    read_defaults,
    read_grant,
    role_name,
    role_names,
)
from squads.gates.sql.rights.grants import RUNNER, relation
from squads.gates.sql.rights.policies import read_policy
from squads.gates.sql.rights.routines import (
    CURRENT,
    Routine,
    body_tokens,
    read_arguments,
    read_routine,
    read_setting,
    read_trigger,
)

_RIGHTS_IN_TEXT = re.compile(
    r"\b(grant\s|owner\s+to|default\s+privileges|disable\s+trigger|create\s+policy|set\s+role|reassign\s+owned)",
    re.IGNORECASE,
)
_TAKES = frozenset(("security", "search_path", "reset", "owner", "noinherit"))
"""Words of an ALTER that changes whose rights something has, or where it looks up names."""
_PATH_IN_TEXT = re.compile(r"\balter\s+(function|procedure|routine)\b.*\bsearch_path\b", re.IGNORECASE | re.DOTALL)
_ROUTINES = ("function", "procedure", "routine")


def read_authority(schema: Schema) -> Authority:
    """Return what the statements of `schema` leave behind. Raises `CannotLook` with the place and what to do."""
    found = Authority(schema)
    replay = _Replay(found)
    _enter_models(found)
    for spoken in schema.spoken:
        found.home = spoken.search_schema
        replay.apply(spoken.statement)
    found.grant_across_files()
    found.grants.settle()
    return found


def _enter_models(found: Authority) -> None:
    """Enter the tables that no statement creates: those that only models in Python declare."""
    statements = {(p.path, p.line) for s in found.schema.spoken for p in [s.statement.place]}
    for table in found.schema.tables:
        place = table.place
        if table.complete and place.path.endswith(".py") and (place.path, place.line) not in statements:
            source = Source(place.path, place.text)
            found.enter(Relation(name=table.full_name, kind="table", source=source, place=place))


class _Replay:
    """Applies statements; knows whose session they run in."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.grants = authority.grants
        self._file = ""

    def apply(self, statement: Statement) -> None:
        if statement.source.path != self._file:  # each file is a session of its own
            self._file, self.authority.current = statement.source.path, RUNNER
        self._statement(statement)

    def _statement(self, statement: Statement) -> None:
        cursor = Cursor(statement.source, statement.tokens)
        first = statement.tokens[0]
        if first.kind == "meta":
            words = first.value.split()
            if words[:1] in (["c"], ["connect"]) and words[2:3] and words[2] != "-":
                self.authority.current = words[2]
            return
        verb = cursor.take().value
        names = frozenset(t.value for t in statement.tokens if t.kind in ("word", "quoted"))
        if verb == "revoke" or (verb == "alter" and not names.isdisjoint(_TAKES)):
            self.authority.taken.append((names, statement.place))
        match verb:
            case "create":
                self._create(cursor)
            case "alter":
                self._alter(cursor)
            case "drop":
                self._drop(cursor)
            case "grant" | "revoke":
                self._grant(cursor, gives=verb == "grant")
            case "set" | "reset":
                self._set(cursor, resets=verb == "reset")
            case "reassign":
                cursor.expect("owned", "by")
                old = role_names(cursor, self.authority.current)
                cursor.expect("to")
                new = role_name(cursor, self.authority.current)
                for thing in [t for t, owner in self.grants.owners.items() if owner in old]:
                    self.grants.owners[thing] = new
            case "do":
                self._block(cursor)
            case _:
                self.authority.called |= {t.value for t in statement.tokens if t.kind in ("word", "quoted")}
                for token in statement.tokens:
                    if token.kind in ("string", "dollar"):
                        self.authority.called |= set(re.findall(r"\w+", token.value.lower()))
                        self._dynamic_text(cursor, token)

    def _block(self, cursor: Cursor) -> None:
        body = next((t for t in cursor.rest() if t.kind in ("dollar", "string")), None)
        if body is None:
            return
        source, tokens = body_tokens(cursor.source, body)
        for part in parts_of_block(tokens):
            inner = Cursor(source, part)
            if inner.accept("execute"):
                if len(part) == 2 and part[1].kind in ("string", "dollar"):
                    source_inside, inside = body_tokens(source, part[1])
                    if inside and inside[0].value in ("create", "alter", "grant", "revoke", "drop"):
                        self._statement(Statement(source_inside, tuple(inside)))
                    continue
                for token in part:
                    self._dynamic_text(inner, token)
            elif inner.peek() in ("create", "alter", "grant", "revoke", "drop", "set"):
                self._statement(Statement(source, tuple(part)))

    def _dynamic_text(self, cursor: Cursor, token: Token) -> None:
        if token.kind in ("string", "dollar") and _RIGHTS_IN_TEXT.search(token.value):
            self.authority.dynamic = self.authority.dynamic or cursor.source.place(token.start, token.end)
        if token.kind in ("string", "dollar") and _PATH_IN_TEXT.search(token.value):
            self.authority.dynamic_path = self.authority.dynamic_path or cursor.source.place(token.start, token.end)

    def _set(self, cursor: Cursor, *, resets: bool) -> None:
        if not cursor.accept("session"):
            cursor.accept("local")
        if cursor.accept("role") or cursor.accept("authorization") or cursor.accept("session", "authorization"):
            if not cursor.accept("to"):
                cursor.accept("=")
            done = resets or cursor.peek() in ("none", "default") or cursor.done
            self.authority.current = RUNNER if done else role_name(cursor, self.authority.current)
        elif cursor.ahead("search_path"):
            self.authority.path = (None if resets else read_setting(cursor)) or ("$user", "public")

    def _create(self, cursor: Cursor) -> None:
        cursor.accept("or", "replace")
        temporary = False
        while cursor.peek() in ("global", "local", "temp", "temporary", "unlogged", "recursive", "materialized"):
            temporary |= cursor.take().value in ("temp", "temporary")
        kind = cursor.take().value
        if kind == "foreign":
            kind = cursor.take().value
        if temporary:
            return
        if kind in ("table", "view", "sequence"):
            self._create_relation(cursor, kind)
        elif kind in ("function", "procedure"):
            routine = replace(read_routine(cursor, kind=kind, home=self.authority.home), owner=self.authority.current)
            self.authority.put(routine)
        elif kind == "trigger" or (kind == "constraint" and cursor.accept("trigger")):
            words = {t.value for t in cursor.tokens[cursor.at :] if t.kind == "word"}
            if "begin" in words and "execute" not in words:
                return  # SQLite's and MySQL's: the body stands in the trigger, and runs with nobody's rights
            trigger = read_trigger(cursor)
            trigger = replace(trigger, relation=self.authority.named(trigger.relation))
            self.authority.triggers[trigger.relation, trigger.name] = trigger
        elif kind == "policy":
            policy = read_policy(cursor, self.authority.current)
            policy = replace(policy, relation=self.authority.named(policy.relation))
            self.authority.policies[policy.relation, policy.name] = policy
        elif kind in ("role", "user", "group"):
            apply_role(self.grants, cursor, self.authority.current, kind=kind, creates=True)
        elif kind == "schema":
            self._create_schema(cursor)
        elif kind == "index" or (kind == "unique" and cursor.accept("index")):
            self._index(cursor)

    def _create_relation(self, cursor: Cursor, kind: str) -> None:
        cursor.accept("if", "not", "exists")
        schema, name = cursor.qualified()
        full = (schema or self.authority.home, name)
        if full not in self.authority.relations:
            place = cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end)
            self.authority.enter(Relation(name=full, kind=kind, source=cursor.source, place=place))
        found, rest = self.authority.relations[full], tuple(cursor.rest())
        if kind == "view":
            starts = [n for n, t in enumerate(rest) if t.kind == "word" and t.value == "as"]
            found.query, found.source = rest[starts[0] + 1 :] if starts else (), cursor.source
        elif kind == "table":
            found.expressions.append((cursor.source, rest))

    def _create_schema(self, cursor: Cursor) -> None:
        cursor.accept("if", "not", "exists")
        name = "" if cursor.ahead("authorization") else cursor.name()
        owner = role_name(cursor, self.authority.current) if cursor.accept("authorization") else self.authority.current
        self.grants.make(("schema", name or owner), owner, called="schemas")

    def _index(self, cursor: Cursor) -> None:
        while not cursor.done and not cursor.accept("on"):
            cursor.take()
        cursor.accept("only")
        if not cursor.done:
            found = self.authority.relations.get(self.authority.named(cursor.qualified()))
            if found:
                found.expressions.append((cursor.source, tuple(cursor.rest())))

    def _alter(self, cursor: Cursor) -> None:
        cursor.accept("materialized")
        cursor.accept("foreign")
        kind = cursor.take().value
        if kind in ("table", "view", "sequence"):
            self._alter_relation(cursor)
        elif kind in _ROUTINES:
            self._alter_routine(cursor)
        elif kind in ("role", "user", "group"):
            apply_role(self.grants, cursor, self.authority.current, kind=kind, creates=False)
        elif kind == "schema":
            name = cursor.name()
            if cursor.accept("owner", "to") and ("schema", name) in self.grants.owners:
                self.grants.owners["schema", name] = self._owner(cursor)
        elif kind == "default" and cursor.accept("privileges"):
            self.grants.defaults += read_defaults(cursor, self.authority.current)
        elif kind == "policy":
            self._alter_policy(cursor)

    def _owner(self, cursor: Cursor) -> str:
        return role_name(cursor, self.authority.current)

    def _alter_relation(self, cursor: Cursor) -> None:
        if cursor.ahead("all", "in"):
            return
        cursor.accept("if", "exists")
        cursor.accept("only")
        name = self.authority.named(cursor.qualified())
        cursor.accept("*")
        for action in split(cursor.rest()):
            if action:
                name = self._relation_action(Cursor(cursor.source, action), name)

    def _relation_action(self, cursor: Cursor, name: TableName) -> TableName:
        """Apply one action of ALTER TABLE and return the table's name after it."""
        found = self.authority.relations.get(name)
        if cursor.accept("owner", "to"):
            owner = self._owner(cursor)
            for each in (name, *self.authority.sequences_of(name).values()):
                if relation(each) in self.grants.owners:
                    self.grants.owners[relation(each)] = owner
        elif cursor.accept("rename", "to"):
            return self.authority.moved(name, (name[0], cursor.name()))
        elif cursor.accept("set", "schema"):
            return self.authority.moved(name, (cursor.name(), name[1]))
        elif cursor.peek(1) in ("row", "force") or cursor.ahead("force", "row"):
            if found and cursor.peek() in ("enable", "disable"):
                found.rls = cursor.accept("enable")
            elif found:
                found.forced = cursor.accept("force")
        elif cursor.peek() in ("enable", "disable"):
            works = cursor.take().value == "enable" and not cursor.accept("replica")
            cursor.accept("always")
            if cursor.accept("trigger"):
                wanted = cursor.name()
                for key, trigger in list(self.authority.triggers.items()):
                    if key[0] == name and wanted in (trigger.name, "all", "user"):
                        self.authority.triggers[key] = replace(trigger, enabled=works)
        elif found and cursor.peek() in ("add", "alter"):
            found.expressions.append((cursor.source, tuple(cursor.tokens)))
        return name

    def _alter_policy(self, cursor: Cursor) -> None:
        name = cursor.name()
        cursor.expect("on")
        key = (self.authority.named(cursor.qualified()), name)
        if key in self.authority.policies and cursor.accept("to"):
            self.authority.policies[key] = replace(
                self.authority.policies[key], roles=frozenset(role_names(cursor, self.authority.current))
            )
        elif key in self.authority.policies and cursor.accept("rename", "to"):
            self.authority.policies[key[0], cursor.name()] = self.authority.policies.pop(key)

    def _alter_routine(self, cursor: Cursor) -> None:
        written = cursor.qualified()
        arguments = read_arguments(cursor.source, cursor.group())[0] if cursor.peek() == "(" else None
        found = self.authority.routines_named(written, arguments)
        if len(found) != 1:
            if not any(t.value in ("security", "search_path", "reset") for t in cursor.tokens[cursor.at :]):
                return
            place = cursor.source.place(cursor.tokens[0].start, cursor.tokens[-1].end)
            routine = Routine(
                schema=written[0] or self.authority.home,
                name=written[1],
                arguments=arguments or (),
                created=False,
                place=place,
            )
            self.authority.put(routine)
            found = [routine]
        routine = found[0]
        while not cursor.done:
            if cursor.accept("owner", "to"):
                routine = replace(routine, owner=self._owner(cursor))
                self.grants.owners["routine", found[0].key] = routine.owner
            elif cursor.ahead("rename", "to") or cursor.ahead("set", "schema"):
                renames = cursor.take().value == "rename"
                cursor.take()
                new = cursor.name()
                routine = replace(routine, name=new) if renames else replace(routine, schema=new)
            elif cursor.accept("security"):
                routine = replace(routine, definer=cursor.accept("definer"))
            elif cursor.accept("set"):
                path = read_setting(cursor)
                if path != ():
                    routine = replace(routine, path=self.authority.path if path and path[0] == CURRENT else path)
            elif cursor.accept("reset"):
                if cursor.take().value in ("search_path", "all"):
                    routine = replace(routine, path=None)
            else:
                cursor.skip()
        self.authority.change(found[0], routine)

    def _drop(self, cursor: Cursor) -> None:
        cursor.accept("materialized")
        cursor.accept("foreign")
        kind = cursor.take().value
        if kind == "owned":
            return
        cursor.accept("if", "exists")
        if kind in ("trigger", "policy"):
            name = cursor.name()
            cursor.expect("on")
            key = (self.authority.named(cursor.qualified()), name)
            if kind == "trigger":
                self.authority.triggers.pop(key, None)
            else:
                self.authority.policies.pop(key, None)
            return
        for part in split(cursor.rest()):
            inner = Cursor(cursor.source, part)
            if kind in ("table", "view", "sequence"):
                self.authority.forget(self.authority.named(inner.qualified()))
            elif kind in _ROUTINES:
                written = inner.qualified()
                arguments = read_arguments(inner.source, inner.group())[0] if inner.peek() == "(" else None
                found = self.authority.routines_named(written, arguments)
                if len(found) == 1:
                    self.authority.remove(found[0])
            elif kind == "schema":
                name = inner.name()
                for full in [n for n in self.authority.relations if n[0] == name]:
                    self.authority.forget(full)
                for routine in [r for r in self.authority.routines.values() if r.schema == name]:
                    self.authority.remove(routine)
            elif kind in ("role", "user", "group"):
                self.grants.roles.pop(role_name(inner, self.authority.current), None)

    def _grant(self, cursor: Cursor, *, gives: bool) -> None:
        granted = read_grant(cursor, self.authority.current, gives=gives)
        if granted is None:
            apply_membership(self.grants, cursor, self.authority.current, gives=gives)
            return
        self.authority.grant(cursor.source.path, granted)

"""What the roles that fire a trigger, or call a function, lack to get through its body.

A plain function runs with the rights of whoever makes it run; a SECURITY DEFINER one with its owner's. Here the body's
uses are held against what the artifact grants. What PostgreSQL checks, and when, was tried on a server: EXECUTE on a
trigger function only when the trigger is created, on a function in a default, CHECK, generated column, index, policy,
view or WHEN whenever it runs; the sequence of a serial column on every insert, that of an identity column never.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from squads.gates.place import Place
from squads.gates.sql.lex import Source, tokens_of
from squads.gates.sql.model import HOLE, TableName, quoted
from squads.gates.sql.rights.authority import Authority
from squads.gates.sql.rights.bodies import Body, Use, read_body, read_tokens
from squads.gates.sql.rights.grants import PUBLIC, Thing, relation
from squads.gates.sql.rights.routines import Routine, Trigger

_SYSTEM = frozenset(("pg_catalog", "information_schema"))
_WRITES = frozenset(("insert", "update", "delete", "truncate"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """One right that is missing."""

    role: str
    right: str
    """As the sentence says it: `INSERT on audit_log`."""
    grant: str
    """The statement that gives it."""
    place: Place = field(compare=False)
    """Where the body needs it."""
    doing: str = field(default="", compare=False)
    """What the role does when it fails: `INSERT into orders`."""


class Reach:
    """Answers for one artifact; remembers bodies it has read, and what it could not know."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.grants = authority.grants
        self.unknown: list[str] = []
        """Relations that a body writes and the artifact does not show, as sentences."""
        self._through: dict[TableName, list[TableName]] | None = None
        self._bodies: dict[tuple[object, frozenset[str]], Body] = {}

    def body(self, routine: Routine, hidden: frozenset[str] = frozenset()) -> Body:
        """Return what the routine's body does."""
        key = (routine.key, hidden)
        if key not in self._bodies:
            if routine.source is None:
                body = Body()
            elif routine.inline:
                body = read_tokens(routine.source, routine.inline)
            elif routine.body is not None and routine.body.kind in ("string", "dollar"):
                body = read_body(routine.source, routine.body, language=routine.language, hidden=hidden)
            else:
                body = Body()
            self._bodies[key] = body
        return self._bodies[key]

    # Who comes

    def writers(self, trigger: Trigger) -> dict[str, set[str]]:
        """Return the roles that fire `trigger`, each with the events by which it does."""
        found: dict[str, set[str]] = {}
        granted = False
        for event in sorted(trigger.events):
            for name in self._ways_in(trigger.relation):
                for grantee, columns in self.grants.holders(event, relation(name)).items():
                    if columns is not None and trigger.columns and columns.isdisjoint(trigger.columns):
                        continue
                    granted = True
                    for actor in sorted(self.grants.actors(grantee)):
                        if self._ordinary(actor, name) and self.passes(actor, trigger.relation, event):
                            found.setdefault(actor, set()).add(event)
        owner = self.grants.owners.get(relation(trigger.relation), "")
        if not granted and not self.grants.above_rights(owner):
            found = {owner: set(trigger.events)}
        platform = self.authority.platform
        if platform and trigger.relation[0] == "auth" and trigger.relation not in self.authority.relations:
            found[platform.sign_up] = set(trigger.events)
        return found

    def _ordinary(self, role: str, name: TableName) -> bool:
        return not self.grants.above_rights(role) and not self.grants.owns(role, relation(name))

    def _ways_in(self, name: TableName) -> Iterator[TableName]:
        """Yield the table, the tables it is a partition of, and the views that write through to it."""
        yield name
        table = self.authority.tables.get(name)
        if table is not None and table.partition:
            yield from (a.full_name for a in self.authority.schema.ancestors(table))
        yield from self._views().get(name, ())

    def _views(self) -> dict[TableName, list[TableName]]:
        """Return per table the views that pass writes through to it."""
        if self._through is None:
            self._through = {}
            replaced = {trigger.relation for trigger in self.authority.triggers.values()}
            for view in self.authority.relations.values():
                if view.query and view.name not in replaced:
                    read = {u.name for u in read_tokens(view.source, view.query).uses if u.act == "select"}
                    if len(read) == 1:
                        self._through.setdefault(self.authority.named(read.pop()), []).append(view.name)
        return self._through

    def bound(self, role: str, name: TableName) -> bool:
        """Return whether row security applies to `role` on that table."""
        table = self.authority.relations.get(name)
        if table is None or not table.rls or self.grants.above_rights(role) or self.grants.role(role).bypass:
            return False
        return table.forced or not self.grants.owns(role, relation(name))

    def passes(self, role: str, name: TableName, command: str) -> bool:
        """Return whether row security lets `role` do `command` on some row."""
        reach = self.grants.reach(role)
        return not self.bound(role, name) or any(
            p.lets(command, reach) for key, p in self.authority.policies.items() if key[0] == name
        )

    # What they lack

    def lacks(
        self, role: str, routine: Routine, *, hidden: frozenset[str] = frozenset(), near: str = ""
    ) -> Iterator[Lack]:
        """Yield what `role` lacks when it makes `routine` run. `near` is a schema it is in already."""
        waiting = [(role, routine, hidden)]
        seen: set[tuple[str, object]] = set()
        while waiting:
            role, routine, hidden = waiting.pop()
            role = routine.owner if routine.definer else role
            if (role, routine.key) in seen or self.grants.above_rights(role):
                continue
            seen.add((role, routine.key))
            for use in self.body(routine, hidden).uses:
                if use.act == "execute":
                    yield from self._call(role, use, near=near, caller=routine)
                    called = self.meant(use, routine)
                    waiting += [(role, called[0], frozenset())] if len(called) == 1 else []
                else:
                    yield from self._relation(role, use, routine, near=near)

    def _resolved(self, written: TableName, routine: Routine | None) -> TableName:
        if not written[0] and routine is not None and routine.path:
            for schema in routine.path:
                if (schema, written[1]) in self.authority.relations:
                    return (schema, written[1])
        return self.authority.named(written)

    def _relation(self, role: str, use: Use, routine: Routine, *, near: str) -> Iterator[Lack]:
        name = self._resolved(use.name, routine)
        if name[0] in _SYSTEM or (not use.name[0] and name[1].startswith("pg_")):
            return
        thing, table = relation(name), self.authority.relations.get(name)
        called = _called(name)
        yield from self._usage(role, name[0], use.place, near=near)
        if use.act == "usage":
            yield from self._sequence(role, name, use.place)
            return
        columns = use.columns if use.act in ("insert", "update") else frozenset()
        may = self.grants.may(role, use.act, thing, None if use.act in ("delete", "truncate") else columns)
        if may is None and use.act in _WRITES:
            self.unknown.append(
                f"{use.place}: {routine} writes into {called}, which is not in this artifact, so it is not known "
                f"whether {quoted(role)} may; add the file that creates it and its grants"
            )
        if may is False:
            right = use.act.upper()
            yield self._lack(role, f"{right} on {called}", f"GRANT {right} ON {called} TO {_to(role)};", use.place)
        if table is None:
            return
        if use.act == "insert":
            yield from self._defaults(role, name, use)
        needed = [use.act] if use.act in _WRITES - {"truncate"} else []
        if use.act == "insert" and use.returning:
            needed.append("select")
        for command in needed:
            if not self.passes(role, name, command):
                how = "WITH CHECK (true)" if command == "insert" else "USING (true)"
                policy = quoted(f"{table.name[1]}_{command}_{'everyone' if role == PUBLIC else role}"[:63])
                yield self._lack(
                    role,
                    f"a policy FOR {command.upper()} on {called}, whose row security lets none of its rows through",
                    f"CREATE POLICY {policy} ON {called} FOR {command.upper()} TO {_to(role)} {how};",
                    use.place,
                )

    def _defaults(self, role: str, name: TableName, use: Use) -> Iterator[Lack]:
        """Columns that the INSERT leaves out are filled by their defaults, with the writer's rights."""
        if use.columns is None:
            return
        serial = self.authority.sequences_of(name)
        table = self.authority.tables.get(name)
        for column in table.columns if table else ():
            if column.name in use.columns:
                continue
            if column.name in serial:
                yield from self._sequence(role, serial[column.name], use.place)
            if "(" in column.default:
                source = Source("default", column.default)
                tokens = list(tokens_of(source, 0, len(column.default)))
                for inner in read_tokens(source, tokens).uses:
                    if inner.act == "usage":
                        yield from self._sequence(role, self.authority.named(inner.name), use.place)
                    elif inner.act == "execute":
                        yield from self.forbidden(role, inner, place=use.place)

    def _sequence(self, role: str, name: TableName, place: Place) -> Iterator[Lack]:
        answers = [self.grants.may(role, right, relation(name)) for right in ("usage", "update")]
        if True not in answers and False in answers:
            called = _called(name)
            yield self._lack(
                role, f"USAGE on the sequence {called}", f"GRANT USAGE ON SEQUENCE {called} TO {_to(role)};", place
            )

    def _usage(self, role: str, schema: str, place: Place, *, near: str) -> Iterator[Lack]:
        if schema != near and self.grants.may(role, "usage", ("schema", schema)) is False:
            named = quoted(schema)
            yield self._lack(
                role, f"USAGE on the schema {named}", f"GRANT USAGE ON SCHEMA {named} TO {_to(role)};", place
            )

    def _call(self, role: str, use: Use, *, near: str, caller: Routine) -> Iterator[Lack]:
        found = self.meant(use, caller)
        if found:
            yield from self.forbidden(role, use, caller=caller)
            if use.name[0]:
                yield from self._usage(role, found[0].schema, use.place, near=near)

    def meant(self, use: Use, caller: Routine | None = None) -> list[Routine]:
        """Return the routines of the artifact that a call may mean."""
        named = [
            r
            for r in self.authority.routines_named(use.name)
            if r.created and (r.variadic or r.required <= use.values <= len(r.arguments))
        ]
        if caller is not None and caller.path and not use.name[0]:
            for schema in caller.path:
                if here := [r for r in named if r.schema == schema]:
                    return here
        return named

    def forbidden(
        self, role: str, use: Use, *, place: Place | None = None, caller: Routine | None = None
    ) -> Iterator[Lack]:
        """Yield that `role` may not execute what `use` calls."""
        found = self.meant(use, caller)
        things: list[Thing] = [("routine", r.key) for r in found]
        if found and not any(self.grants.may(role, "execute", thing) is not False for thing in things):
            routine = found[0]
            yield self._lack(
                role,
                f"EXECUTE on {routine}",
                f"GRANT EXECUTE ON {routine.kind.upper()} {routine} TO {_to(role)};",
                place or use.place,
            )

    def _lack(self, role: str, right: str, grant: str, place: Place) -> Lack:
        return Lack(role=role, right=right, grant=grant, place=place)


def _called(name: TableName) -> str:
    return quoted(name[1]) if name[0] == "public" else f"{quoted(name[0])}.{quoted(name[1])}"


def _to(role: str) -> str:
    if HOLE in role:
        return "the_same_role"
    return "PUBLIC" if role == PUBLIC else quoted(role)

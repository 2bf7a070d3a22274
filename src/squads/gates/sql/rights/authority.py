"""The rights, routines, triggers and policies that an artifact leaves behind, and how names find them.

`replay.py` fills it in from the statements; `reach.py` and `lookup.py` ask it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from squads.gates.place import Place
from squads.gates.sql.lex import Source, Token
from squads.gates.sql.model import HOLE, Schema, TableName
from squads.gates.sql.rights.granting import Granted, Target
from squads.gates.sql.rights.grants import PUBLIC, RUNNER, Grants, Thing, relation
from squads.gates.sql.rights.platforms import Supabase
from squads.gates.sql.rights.policies import Policy
from squads.gates.sql.rights.routines import CURRENT, Routine, Trigger

_NUMBERED = re.compile(r"(^|/)[a-z]?\d", re.IGNORECASE)
"""Paths of files that are meant to run in the order of their names."""
_RUNS_LAST = re.compile(r"(^|/)(R__|[^/]*(grant|role|permission|privilege|security|access)[^/]*$)", re.IGNORECASE)
"""Paths of files without numbers that are meant to run after those with numbers."""

RoutineKey = tuple[str, str, tuple[str, ...]]


@dataclass(slots=True, kw_only=True)
class Relation:
    """One table, view or sequence that the artifact creates."""

    name: TableName
    kind: str
    source: Source
    rls: bool = False
    forced: bool = False
    query: tuple[Token, ...] = ()
    """A view's query."""
    expressions: list[tuple[Source, tuple[Token, ...]]] = field(default_factory=list)
    """Defaults, CHECKs, generated columns and index members, as the statements that hold them."""
    place: Place


class Authority:
    """What stands after the statements read so far."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.grants = Grants()
        self.relations: dict[TableName, Relation] = {}
        self.routines: dict[RoutineKey, Routine] = {}
        self.triggers: dict[tuple[TableName, str], Trigger] = {}
        self.policies: dict[tuple[TableName, str], Policy] = {}
        self.dynamic: Place | None = None
        """Where rights are given by SQL that is put together while it runs."""
        self.dynamic_path: Place | None = None
        """Where routines are altered by such SQL to set their search_path."""
        self.called: set[str] = set()
        """Names that statements of the artifact themselves call, or that stand in their strings."""
        self.current = RUNNER
        self.home = "public"
        self.path: tuple[str, ...] = ("$user", "public")
        self.taken: list[tuple[frozenset[str], Place]] = []
        """The statements that take rights away or change whose they are: the names in them, and their place."""
        self.intended: set[tuple[str, Thing]] = set()
        """(role, routine) of every GRANT EXECUTE that names both."""
        self.closed_public = False
        """The artifact takes from everybody the right to create in the schema public."""
        self.tables = {table.full_name: table for table in schema.tables}
        """The columns of its tables."""
        self._everywhere: list[tuple[str, Target, Granted]] = []
        self._revoked: set[tuple[Thing, str]] = set()
        self._homes: dict[str, set[TableName]] = {}
        self._overloads: dict[str, set[RoutineKey]] = {}
        self.grants.make(("database", ""), RUNNER, called="databases")
        self.grants.grant(("database", ""), [PUBLIC], ["temporary", "connect"])
        self.platform = Supabase.seen_in(schema)
        if self.platform:
            self.platform.begin(self.grants)

    @property
    def unnamed_roles(self) -> bool:
        """Whether rights are given to a role whose name is only known when the code runs."""
        return any(HOLE in who for held in self.grants.held.values() for who, _ in held)

    # Names

    def named(self, written: TableName) -> TableName:
        """Return the full name of the relation that is written so."""
        if written[0]:
            return written
        here = (self.home, written[1])
        if here in self.relations:
            return here
        anywhere = self._homes.get(written[1], ())
        return next(iter(anywhere)) if len(anywhere) == 1 else here

    def homes(self, name: str) -> frozenset[str]:
        """Return the schemas in which a relation of that name is."""
        return frozenset(full[0] for full in self._homes.get(name, ()))

    def routines_named(self, written: TableName, arguments: tuple[str, ...] | None = None) -> list[Routine]:
        """Return the routines that are written so; those with exactly these arguments where there are any."""
        named = (self.routines[key] for key in sorted(self._overloads.get(written[1], ())))
        found = [r for r in named if written[0] in ("", r.schema)]
        exact = [r for r in found if r.arguments == arguments]
        return exact if exact and arguments is not None else found

    def sequences_of(self, full: TableName) -> dict[str, TableName]:
        """Return the sequences that fill columns of a serial type, by column."""
        columns = self.tables[full].columns if full in self.tables else ()
        return {c.name: (full[0], f"{full[1]}_{c.name}_seq") for c in columns if "serial" in c.type}

    # Changes

    def put(self, routine: Routine) -> None:
        """Enter a routine; one that replaces another keeps its owner and who may call it."""
        before = self.routines.get(routine.key)
        if before is not None and before.created:
            routine = replace(routine, owner=before.owner)
        if routine.path is not None and routine.path[:1] == (CURRENT,):
            routine = replace(routine, path=self.path)
        self._list(routine)
        thing = ("routine", routine.key)
        self.grants.make(thing, routine.owner, schema=routine.schema, called="functions")
        if self.platform and before is None:
            self.platform.open(self.grants, thing, routine.schema)

    def change(self, before: Routine, after: Routine) -> None:
        """Put `after` in the place of `before`, under its new name where it has one; triggers follow."""
        if before.key != after.key:
            self._unlist(before)
            self.grants.move(("routine", before.key), ("routine", after.key))
            for key, trigger in list(self.triggers.items()):
                if _calls(trigger, before):
                    self.triggers[key] = replace(trigger, function=(after.schema, after.name))
        self._list(after)

    def remove(self, routine: Routine) -> None:
        """Drop a routine, and the triggers that call it."""
        self._unlist(routine)
        self.grants.forget(("routine", routine.key))
        for key, trigger in list(self.triggers.items()):
            if _calls(trigger, routine):
                del self.triggers[key]

    def _list(self, routine: Routine) -> None:
        self.routines[routine.key] = routine
        self._overloads.setdefault(routine.name, set()).add(routine.key)

    def _unlist(self, routine: Routine) -> None:
        del self.routines[routine.key]
        self._overloads[routine.name].discard(routine.key)

    def enter(self, made: Relation) -> None:
        """Enter a new relation, owned by whoever is at work, with the sequences of its serial columns."""
        self._own(made, called="sequences" if made.kind == "sequence" else "tables")
        for sequence in self.sequences_of(made.name).values() if made.kind == "table" else ():
            if sequence not in self.relations:
                self._own(replace(made, name=sequence, kind="sequence", expressions=[]), called="sequences")

    def _own(self, made: Relation, *, called: str) -> None:
        self.relations[made.name] = made
        self._homes.setdefault(made.name[1], set()).add(made.name)
        thing = relation(made.name)
        self.grants.make(thing, self.current, schema=made.name[0], called=called)
        if self.platform:
            self.platform.open(self.grants, thing, made.name[0])

    def moved(self, old: TableName, new: TableName) -> TableName:
        """Rename a relation with everything on it, and return its new name."""
        if old in self.relations:
            self.relations[new] = replace(self.relations.pop(old), name=new)
            self._homes[old[1]].discard(old)
            self._homes.setdefault(new[1], set()).add(new)
            if old in self.tables:
                self.tables.setdefault(new, self.tables[old])
            self.grants.move(relation(old), relation(new))
        for key, trigger in list(self.triggers.items()):
            if key[0] == old:
                del self.triggers[key]
                self.triggers[new, key[1]] = replace(trigger, relation=new)
        for key, policy in list(self.policies.items()):
            if key[0] == old:
                del self.policies[key]
                self.policies[new, key[1]] = replace(policy, relation=new)
        return new

    def forget(self, name: TableName) -> None:
        """Drop a relation with its triggers, policies and grants."""
        if self.relations.pop(name, None):
            self._homes[name[1]].discard(name)
        self.grants.forget(relation(name))
        for trigger in [key for key in self.triggers if key[0] == name]:
            del self.triggers[trigger]
        for policy in [key for key in self.policies if key[0] == name]:
            del self.policies[policy]

    # Grants

    def grant(self, path: str, granted: Granted) -> None:
        """Apply one GRANT or REVOKE that stands in the file `path`."""
        for target in granted.targets:
            for thing in self.things(target):
                self._one_grant(thing, granted)
                if thing[0] == "routine" and granted.gives and not target.every:
                    self.intended |= {(role, thing) for role in granted.roles if role != PUBLIC}
                if thing == ("schema", "public") and not granted.gives and PUBLIC in granted.roles:
                    self.closed_public |= any(right in ("all", "create") for right, _ in granted.rights)
            if target.every and granted.gives:
                self._everywhere.append((path, target, granted))

    def things(self, target: Target) -> list[Thing]:
        """Return what GRANT ... ON names, as it stands now."""
        if target.every == "functions":
            return [("routine", r.key) for r in self.routines.values() if r.schema == target.name[1]]
        if target.every:
            sequences = target.every == "sequences"
            here = [r for r in self.relations.values() if r.name[0] == target.name[1]]
            return [relation(r.name) for r in here if (r.kind == "sequence") == sequences]
        if target.kind == "routine":
            return [("routine", r.key) for r in self.routines_named(target.name, target.arguments)]
        if target.kind == "relation":
            return [relation(self.named(target.name))]
        return [(target.kind, target.name[1] if target.kind == "schema" else "")]

    def _one_grant(self, thing: Thing, granted: Granted) -> None:
        change = self.grants.grant if granted.gives else self.grants.revoke
        for right, columns in granted.rights:
            for role in granted.roles:
                # Dumps of old servers take everything from a thing's owner and give it back.
                if right == "all" and granted.gives and {(thing, role), (thing, PUBLIC)} <= self._revoked:
                    self.grants.runners.add(role)
                if right == "all" and not granted.gives and not self.grants.held_by(role, thing):
                    self._revoked.add((thing, role))
            change(thing, granted.roles, [right], columns)

    def grant_across_files(self) -> None:
        """Files without numbers may run in another order than by name: ON ALL TABLES may have come last."""
        for path, target, granted in self._everywhere:
            if _NUMBERED.search(path):
                continue
            for thing in self.things(target):
                made_in = self._made_in(thing)
                if made_in and made_in != path and (_RUNS_LAST.search(path) or not _NUMBERED.search(made_in)):
                    self._one_grant(thing, granted)

    def _made_in(self, thing: Thing) -> str:
        """Return the file that makes `thing`, as far as it is known."""
        made = [r.place.path for r in self.routines.values() if ("routine", r.key) == thing]
        made += [r.place.path for r in self.relations.values() if relation(r.name) == thing]
        return made[0] if made else ""


def _calls(trigger: Trigger, routine: Routine) -> bool:
    return trigger.function[1] == routine.name and trigger.function[0] in ("", routine.schema)

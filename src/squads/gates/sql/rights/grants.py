"""Who may do what: roles, memberships, grants and default privileges, as PostgreSQL adds them up.

A role that the artifact never names as an owner may still own things: whoever runs the artifact. That role is the
empty name here, and it may do everything, because nothing is known against it. Answers are True, False, or None where
the artifact does not show the object that is asked about.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

from squads.gates.sql.model import TableName
from squads.gates.words import word_set

PUBLIC = "public"
"""The grantee that stands for every role."""

RUNNER = ""
"""Whoever runs the artifact."""

TABLE_RIGHTS = word_set("select insert update delete truncate references trigger maintain")
SEQUENCE_RIGHTS = word_set("usage select update")
_ALL = {
    "relation": TABLE_RIGHTS | SEQUENCE_RIGHTS,
    "routine": frozenset(("execute",)),
    "schema": frozenset(("usage", "create")),
    "database": word_set("create connect temporary temp"),
}
_SUPERUSERS = word_set("postgres rds_superuser cloudsqlsuperuser azure_pg_admin supabase_admin doadmin neon_superuser")
"""Names that servers and services give to roles that own or may do everything, as far as an artifact can tell."""
_READS_ALL = "pg_read_all_data"
_WRITES_ALL = "pg_write_all_data"

Thing = tuple[str, Hashable]
"""What a right is about: its kind (relation, routine, schema, database) and its key."""


@dataclass(slots=True, kw_only=True)
class Role:
    """One role, created by the artifact or only named in it."""

    name: str
    superuser: bool = False
    bypass: bool = False
    """BYPASSRLS: row security does not apply."""
    inherits: bool = True
    login: bool | None = None
    """None where CREATE ROLE is not in the artifact."""
    groups: dict[str, bool] = field(default_factory=dict)
    """The roles it is a member of, and whether it has their rights without SET ROLE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """One ALTER DEFAULT PRIVILEGES: what happens to things that are made later."""

    maker: str
    schema: str
    """Empty for every schema."""
    kind: str
    grantee: str
    rights: frozenset[str]
    gives: bool


class Grants:
    """Changes while statements are read; then answers."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self.held: dict[Thing, dict[tuple[str, str], frozenset[str] | None]] = {}
        """Per thing: (grantee, right) to the columns it is limited to; None for all of it."""
        self.owners: dict[Thing, str] = {}
        self.defaults: list[Default] = []
        self.runners: set[str] = {RUNNER}
        """Names that turned out to be those of whoever runs the artifact."""
        self._reaches: dict[str, frozenset[str]] = {}
        self._members: dict[str, list[str]] = {}

    # Changes

    def role(self, name: str) -> Role:
        """Return the role called `name`."""
        if name not in self.roles:
            self.roles[name] = Role(name=name, superuser=name in _SUPERUSERS)
        return self.roles[name]

    def make(self, thing: Thing, owner: str, *, schema: str = "", called: str = "tables") -> None:
        """Enter a new thing with its owner, and with what default privileges give at once.

        `called` is the word by which ALTER DEFAULT PRIVILEGES speaks of its kind.
        """
        if thing in self.owners:
            return
        self.owners[thing] = owner
        if thing[0] == "routine":
            self.grant(thing, [PUBLIC], ["execute"])
        for default in self.defaults:
            if default.kind != called or default.schema not in ("", schema):
                continue
            # Where it is not known who makes the thing, it may be the role that the defaults are for.
            if default.maker != owner and not (default.gives and owner in self.runners):
                continue
            if default.gives:
                self.grant(thing, [default.grantee], default.rights)
            elif not default.schema:
                # For a single schema, what every schema gives cannot be taken away; PostgreSQL ignores it.
                self.revoke(thing, [default.grantee], default.rights)

    def forget(self, thing: Thing) -> None:
        """Drop a thing and all rights on it."""
        self.owners.pop(thing, None)
        self.held.pop(thing, None)

    def move(self, old: Thing, new: Thing) -> None:
        """Rename a thing; its rights and its owner stay."""
        if old in self.owners:
            self.owners[new] = self.owners.pop(old)
        if old in self.held:
            self.held[new] = self.held.pop(old)

    def grant(
        self, thing: Thing, grantees: Iterable[str], rights: Iterable[str], columns: frozenset[str] | None = None
    ) -> None:
        """Give `rights` on `thing`, or on some of its columns."""
        held = self.held.setdefault(thing, {})
        for grantee in grantees:
            for right in _spelled(thing[0], rights):
                before = held.get((grantee, right), frozenset())
                held[grantee, right] = None if before is None or columns is None else before | columns

    def revoke(
        self, thing: Thing, grantees: Iterable[str], rights: Iterable[str], columns: frozenset[str] | None = None
    ) -> None:
        """Take `rights` on `thing` away."""
        held = self.held.setdefault(thing, {})
        for grantee in grantees:
            for right in _spelled(thing[0], rights):
                before = held.get((grantee, right))
                if before is not None and columns is not None and before - columns:
                    held[grantee, right] = before - columns
                elif columns is None or before is not None:
                    held.pop((grantee, right), None)

    def settle(self) -> None:
        """Say that roles and memberships change no more: from here on, answers are remembered."""
        self._reaches, self._members = {}, {}
        for role in self.roles.values():
            for group, inherits in role.groups.items():
                if inherits and not self.above_rights(role.name):
                    self._members.setdefault(group, []).append(role.name)

    # Answers, once settled

    def reach(self, role: str) -> frozenset[str]:
        """Return the roles whose rights `role` has without SET ROLE: itself, its groups, and everybody's."""
        if role in self._reaches:
            return self._reaches[role]
        found, waiting = {PUBLIC}, [role]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                known = self.roles.get(name)
                waiting += [g for g, inherits in known.groups.items() if inherits] if known else []
        self._reaches[role] = frozenset(found)
        return self._reaches[role]

    def above_rights(self, role: str) -> bool:
        """Return whether nothing is forbidden to `role`, or nothing is known against it."""
        return role in self.runners or self.role(role).superuser

    def owns(self, role: str, thing: Thing) -> bool:
        """Return whether `role` owns `thing`, itself or through a group."""
        return thing in self.owners and self.owners[thing] in self.reach(role)

    def may(self, role: str, right: str, thing: Thing, columns: frozenset[str] | None = None) -> bool | None:
        """Return whether `role` has `right`; `columns` are those needed: None for all, empty for any one."""
        if self.above_rights(role) or self.owns(role, thing):
            return True
        reach = self.reach(role)
        if (_WRITES_ALL in reach and right in ("insert", "update", "delete")) or (
            _READS_ALL in reach and right == "select"
        ):
            return True
        held = self.held.get(thing, {})
        covered: set[str] = set()
        for name in reach:
            if (name, right) in held:
                limited = held[name, right]
                if limited is None:
                    return True
                covered |= limited
        if covered and columns is not None and columns <= covered:
            return True
        return False if thing in self.owners else None

    def held_by(self, role: str, thing: Thing) -> bool:
        """Return whether `role` was granted anything on `thing` by name."""
        return any(who == role for who, _ in self.held.get(thing, {}))

    def uses(self, role: str) -> bool:
        """Return whether `role` was granted anything on a table or routine."""
        return any(
            who == role for thing, held in self.held.items() if thing[0] in ("relation", "routine") for who, _ in held
        )

    def holders(self, right: str, thing: Thing) -> dict[str, frozenset[str] | None]:
        """Return who was granted `right` by name, and the columns it is limited to."""
        return {who: columns for (who, what), columns in self.held.get(thing, {}).items() if what == right}

    def actors(self, grantee: str) -> frozenset[str]:
        """Return the roles that come as `grantee`: itself if it can log in or nobody else comes for it, or its members.

        A member has the rights of all its groups, so a group alone is judged only where nobody is known to use it.
        """
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [grantee]
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            members = self._members.get(name, [])
            waiting += members
            known = self.roles.get(name)
            if not members or (known is not None and known.login):
                found.add(name)
        return frozenset(found)


def _spelled(kind: str, rights: Iterable[str]) -> Iterator[str]:
    for right in rights:
        if right == "all":
            yield from _ALL[kind]
        else:
            yield "temporary" if right == "temp" else right


def relation(name: TableName) -> Thing:
    """Return the thing that a table, view or sequence is."""
    return ("relation", name)

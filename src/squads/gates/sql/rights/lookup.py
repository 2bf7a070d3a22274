"""Where a SECURITY DEFINER routine looks up names, and who could put another object under one of them.

PostgreSQL looks for relations in pg_temp first unless the path lists it, even when the path is empty, and everybody
may create temporary tables; so an unqualified table name is the caller's to choose unless pg_temp stands last. For
functions and operators pg_temp is never searched. What the path does not lead to fails when the routine runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from squads.gates.sql.model import quoted
from squads.gates.sql.rights.authority import Authority
from squads.gates.sql.rights.bodies import Body, Use
from squads.gates.sql.rights.grants import PUBLIC
from squads.gates.sql.rights.reach import Reach
from squads.gates.sql.rights.routines import Routine

_COMPILED = frozenset(("c", "internal"))
_ON_RELATIONS = frozenset(("insert", "update", "delete", "truncate", "select", "usage"))
_PINNED_IN_BODY = frozenset(("$user", "pg_temp", "pg_catalog", ""))


@dataclass(slots=True, kw_only=True)
class Lookup:
    """What is wrong with one routine's path: `open_ways` refuse, `remarks` do not."""

    open_ways: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    satisfy: str = ""
    unknown: str = ""
    """Why it cannot be known, else empty."""


def look_up(authority: Authority, reach: Reach, routine: Routine) -> Lookup:
    """Return what `routine`, which runs with its owner's rights, may be made to run."""
    found = Lookup()
    body = reach.body(routine)
    path = routine.path
    if path is None and body.own_path is not None:
        path = body.own_path
        if body.own_path_unqualified:
            found.open_ways.append("its body sets search_path with a set_config that is looked up on the caller's path")
        else:
            found.remarks.append("its body sets search_path, which binds too late for what runs before, and stays set")
    found.satisfy = _satisfy(authority, reach, routine, body)
    if path is None:
        _no_path(authority, routine, found)
        return found
    schemas = tuple(s for s in path if s)
    relations = [u for u in body.uses if u.act in _ON_RELATIONS and not u.name[0]]
    if "$user" in schemas:
        found.open_ways.append('its search_path holds "$user", which is another schema for another owner')
    if "pg_temp" in schemas[:-1]:
        found.open_ways.append("its search_path searches pg_temp, where every caller may create, before other schemas")
    for schema in schemas:
        if who := makers(authority, routine, schema):
            found.open_ways.append(f"{who} may create objects in {quoted(schema)}, which its search_path searches")
        elif schema == "public" and not authority.closed_public:
            found.remarks.append("its search_path searches public, where before PostgreSQL 15 everybody may create")
    if "pg_temp" not in schemas and authority.grants.may(PUBLIC, "temporary", ("database", "")):
        if relations:
            found.open_ways.append(
                f"its search_path does not list pg_temp, which is then searched first: a temporary table called "
                f"{quoted(relations[0].name[1])} takes the place of the one that is meant"
            )
        elif schemas:
            found.remarks.append("its search_path does not list pg_temp last, so pg_temp is searched first")
    found.open_ways += _nowhere(authority, reach, routine, body, schemas)
    return found


def makers(authority: Authority, routine: Routine, schema: str) -> str:
    """Return who, as the artifact shows, may create in `schema` and is not the routine's owner; empty for nobody."""
    grants = authority.grants
    for who in sorted(grants.holders("create", ("schema", schema))):
        if who == PUBLIC:
            return "everybody"
        trusted = grants.above_rights(who) or grants.role(who).bypass or who in grants.reach(routine.owner)
        # Where the routine's owner is not shown, it may be the role that has the schema: an owner needs no grant of
        # what it owns, so only a role that was created here, or granted tables or routines, is somebody else.
        stranger = grants.uses(who) or grants.role(who).login is not None
        trusted = trusted or (routine.owner in grants.runners and not stranger)
        callable_by = routine.fires or grants.may(who, "execute", ("routine", routine.key)) is not False
        if not trusted and callable_by and not grants.owns(who, ("schema", schema)):
            return quoted(who)
    return ""


def _no_path(authority: Authority, routine: Routine, found: Lookup) -> None:
    if routine.inline:
        found.remarks.append("it sets no search_path; its names were bound when it was created")
    elif routine.language in _COMPILED:
        found.remarks.append("it sets no search_path; what its compiled code looks up is not known here")
    elif not routine.created:
        found.unknown = (
            f"{routine.place}: {routine} is made SECURITY DEFINER here, and the statement that creates it, which may "
            "set its search_path, is not in this artifact; add the file, or set the path here"
        )
    elif authority.dynamic_path is not None:
        found.unknown = (
            f"{authority.dynamic_path}: search_path is set by SQL that is put together while it runs, so it is not "
            f"known whether it is set for {routine}; write ALTER {routine.kind.upper()} as a plain statement"
        )
    else:
        found.open_ways.append("it sets no search_path, so its caller chooses where its names are looked up")


def _nowhere(authority: Authority, reach: Reach, routine: Routine, body: Body, schemas: tuple[str, ...]) -> list[str]:
    """Return the unqualified names that the artifact knows only in schemas that the path does not search."""
    for use in body.uses:
        homes = _homes(authority, reach, use)
        if homes and homes.isdisjoint(schemas) and routine.path is not None:
            return [f"its search_path does not lead to {quoted(use.name[1])}, so it fails when it runs"]
    return []


def _homes(authority: Authority, reach: Reach, use: Use) -> frozenset[str]:
    """Return the schemas in which the artifact has what an unqualified name may mean."""
    if use.name[0]:
        return frozenset()
    if use.act == "execute":
        return frozenset(r.schema for r in reach.meant(use))
    return authority.homes(use.name[1])


def _satisfy(authority: Authority, reach: Reach, routine: Routine, body: Body) -> str:
    """Return SQL that closes the path and still leads to everything that the body names without a schema."""
    needed: list[str] = []
    for use in body.uses:
        homes = _homes(authority, reach, use)
        wanted = [s for s in (routine.path or ()) if s in homes] or sorted(homes)[:1]
        needed += [s for s in wanted if s not in needed]
        if not use.name[0] and not homes and use.act != "execute" and routine.schema not in needed:
            needed.append(routine.schema)
    kept = [s for s in (routine.path or ()) if s not in _PINNED_IN_BODY and s not in needed]
    names = ["pg_catalog"] if not needed and not kept else [*needed, *kept]
    path = ", ".join([*map(quoted, names), "pg_temp"])
    lines = [f"ALTER {routine.kind.upper()} {routine} SET search_path = {path};"]
    for schema in names:
        for who in sorted(authority.grants.holders("create", ("schema", schema))):
            if makers(authority, routine, schema):
                to = "PUBLIC" if who == PUBLIC else quoted(who)
                lines.append(f"REVOKE CREATE ON SCHEMA {quoted(schema)} FROM {to};")
    return "\n".join(lines)

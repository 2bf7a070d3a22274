"""Calls an artifact's routines with arguments that mean something: rows that are there, values of the right type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from squads.gates.check import CannotLook
from squads.gates.probes.catalog import OURS, Column, Table, literal, named
from squads.gates.probes.rows import candidates
from squads.gates.probes.scene import Scene

_ROUTINES = f"""
SELECT p.oid, n.nspname::text, p.proname::text, p.prokind::text, p.prosecdef, p.prosrc,
       coalesce(array_to_string(p.proconfig, ';'), ''), p.prorettype::regtype::text,
       coalesce(p.proargnames[1:p.pronargs], '{{}}')::text[],
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(t, i) ORDER BY i),
       ARRAY(SELECT y.typcategory::text FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY u(t, i)
             JOIN pg_type y ON y.oid = u.t ORDER BY i),
       ARRAY(SELECT r.rolname::text FROM aclexplode(p.proacl) a JOIN pg_roles r ON r.oid = a.grantee
             WHERE a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p') AND {OURS} ORDER BY 2, 3, 1
"""  # noqa: S608
_EMPTY = Table(oid=0, schema="", name="", secured=False, columns=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Routine:
    """One function or procedure of the artifact."""

    oid: int
    schema: str
    name: str
    procedure: bool
    definer: bool
    body: str
    settings: str
    returns: str
    names: tuple[str, ...]
    types: tuple[str, ...]
    categories: tuple[str, ...]
    granted: tuple[str, ...]
    """The roles that were given EXECUTE by name."""

    @property
    def sql(self) -> str:
        """How SQL calls it."""
        return f"{named(self.schema)}.{named(self.name)}"


async def routines(scene: Scene) -> list[Routine]:
    """Return the artifact's routines."""
    told = await scene.admin.ask(_ROUTINES)
    if not told.ok:
        raise CannotLook(f"the scratch database's routines cannot be read: {told.message}")
    return [
        Routine(
            oid=oid,
            schema=schema,
            name=name,
            procedure=kind == "p",
            definer=definer,
            body=body,
            settings=settings,
            returns=returns,
            names=tuple(names),
            types=tuple(types),
            categories=tuple(categories),
            granted=tuple(granted),
        )
        for oid, schema, name, kind, definer, body, settings, returns, names, types, categories, granted in told.records
    ]


def arguments(scene: Scene, routine: Routine, known: Mapping[str, Mapping[str, str | None]]) -> str:
    """Return the arguments of a call as SQL.

    Args:
        scene: Where it is called.
        routine: What is called.
        known: Table to a row of it, as text: an argument called like a column, or like a table's id, gets its value.
    """
    found = []
    for number, (written, category) in enumerate(zip(routine.types, routine.categories, strict=True)):
        name = routine.names[number] if number < len(routine.names) else ""
        value = _known(name, known)
        if value is None:
            column = Column(
                name=name, type=written, base=written, category=category, not_null=True, default="", made=False
            )
            values = candidates(_EMPTY, column, 1)
            found.append(f"{literal(values[0]) if values else 'NULL'}::{written}")
        else:
            found.append(f"{literal(value)}::{written}")
    return ", ".join(found)


def _known(name: str, known: Mapping[str, Mapping[str, str | None]]) -> str | None:
    bare = re.sub(r"^(p|in|arg|v)?_+|_+$", "", name.lower())
    for row in known.values():
        if bare != "id" and row.get(bare) is not None:
            return row[bare]
    for table, row in known.items():
        stems = {table, table.removesuffix("s"), table.rsplit("_", 1)[-1].removesuffix("s")}
        if (bare in stems or bare.removesuffix("_id") in stems) and row.get("id") is not None:
            return row["id"]
    if bare == "id" and len(known) == 1:
        return next(iter(known.values())).get("id")
    return None


async def one_row_each(scene: Scene) -> dict[str, Mapping[str, str | None]]:
    """Return a new row of every table that takes one, by the table's name."""
    found: dict[str, Mapping[str, str | None]] = {}
    for table in scene.tables.values():
        made = await scene.rows.insert(table, filled=[c.name for c in table.columns if c.category == "N"])
        made = made if made.ok else await scene.rows.insert(table)
        if made.ok:
            found[table.name] = made.values
    return found

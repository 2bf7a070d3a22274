"""Columns that are stores by what is done to them: taken from, after it was asked whether enough is there.

`SELECT gold INTO have ...; IF have < n THEN RAISE ...; UPDATE ... SET gold = gold - n` says that less than nothing must
not be, and keeps nobody else from it. What the column is called does not matter.
"""

from __future__ import annotations

from squads.gates.place import Place
from squads.gates.sql.fits.routines import bodies
from squads.gates.sql.limits.covered import covered
from squads.gates.sql.limits.takings import Taking, asked_at, fired_with
from squads.gates.sql.model import Schema, TableName


def uncovered(schema: Schema, every: list[Taking]) -> list[Taking]:
    """Return what routines take from columns without anything in them that keeps them from taking too much."""
    routines = {b.name: b for b in bodies(schema)}
    return [t for t in every if t.down and not covered(t, routines, fired_with(schema, t.body))]


def debited(taken: list[Taking]) -> dict[tuple[TableName, str], Place]:
    """Return the columns that are taken from after it was asked whether enough is there, and where they are."""
    found: dict[tuple[TableName, str], Place] = {}
    for taking in taken:
        if asked_at(taking.body, taking.column) is not None:
            found.setdefault((taking.table, taking.column), taking.place)
    return found

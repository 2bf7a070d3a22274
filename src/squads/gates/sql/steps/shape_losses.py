"""What a migration loses or breaks by the shape of tables: types, names, NOT NULL, foreign keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.gates.sql.model import TableName, quoted
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.kept import Keeping
from squads.gates.sql.steps.lost import Lost
from squads.gates.sql.steps.readers import name_comes_back, reader
from squads.gates.sql.steps.types import narrows, read
from squads.gates.sql.steps.world import Walk

_MOMENT = re.compile(r"date|time", re.IGNORECASE)


def narrowed(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    """Yield a change to a type that holds less."""
    old = walk.type_of(act.table, act.name)
    forgets = act.text and not re.search(rf"\b{re.escape(act.name)}\b", act.text, re.IGNORECASE)
    gone = keeping.rehearsed.at(walk.at, act.table[1], act.name)
    told = gone is None and keeping.rehearsed.told_of(act.table[1], act.name)
    most = read(act.other).digits[:1]
    longer = most and keeping.rehearsed.longest.get((act.table[1], act.name), 0) > most[0]
    if told and (act.text or longer or _MOMENT.match(act.other)):
        return
    found = (
        forgets or narrows(old, act.other, act.text) or (gone and ("*" not in act.text or _rounds_first(act)))
    )  # 100 cents, not 100.00
    if not found or keeping.given_up(act.table[1], act.name) or walk.new_column(act.table, act.name):
        return
    copied = keeping.column_kept(act.table, act.name, played=False) or (
        not act.text and keeping.fits(read(act.other).digits) and read(act.other).name in ("varchar", "char")
    )
    if keeping.bounded(act.table, act.name) or copied or keeping.empty(act.table):
        return
    if keeping.copied(act.table) == ():
        return
    before = f"from {old} " if old else ""
    loses = act.text or read(act.other).name in ("date", "numeric", "real", "double precision", "boolean")
    what = "what does not fit is cut off" if loses else "a value that does not fit stops it, or is lost"
    yield Lost(
        act.place,
        f"ALTER COLUMN {quoted(act.name)} TYPE {before}to {act.other}: {what}.",
        "keep the wider type, or check first that every value fits, in the same migration",
    )


def _rounds_first(act: Act) -> bool:
    """Return whether a fraction goes before the value is multiplied: `kg::int * 1000`, and not `(kg * 1000)::int`."""
    name = rf'"?{re.escape(act.name)}"?'
    cut = rf"{name} :: (?:integer|int\d?|bigint|smallint)|\b(?:round|trunc|floor|ceil|ceiling)\s*\(\s*{name}\s*\)"
    return re.search(cut, act.text, re.IGNORECASE) is not None


def renamed(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    """Yield a name that is taken from who still reads it."""
    column = act.name if act.kind == "rename_column" else ""
    if column and walk.new_column(act.table, column):
        return
    if not column and (name_comes_back(walk, act.table[1])):
        return
    if column and name_comes_back(walk, act.table[1], column):
        return
    reads = reader(walk, act.table, column)
    what = f"{quoted(act.table[1])}.{quoted(column)}" if column else quoted(act.table[1])
    yield Lost(
        act.place,
        f"{what} is called {quoted(act.other)} from here on, and "
        + (f"{reads} still reads it by its old name." if reads else "whatever runs may read it by its old name."),
        "add the new name beside the old one, change the programs, and take the old one away later"
        + ("; a view under the old name does for a table" if not column else ""),
        certain=bool(reads),
    )


def not_null(walk: Walk, keeping: Keeping, act: Act, column: str) -> Iterator[Lost]:
    """Yield a SET NOT NULL that fails on rows of before."""
    if walk.not_null(act.table, column) or keeping.filled(act.table, column) or keeping.empty(act.table):
        return
    yield Lost(
        act.place,
        f"SET NOT NULL on {quoted(column)} fails on the rows of {quoted(act.table[1])} that have none: nothing fills "
        "them.",
        f"fill {quoted(column)} where it is NULL before this, or add it with a DEFAULT",
    )


def new_column(walk: Walk, act: Act) -> Iterator[Lost]:
    """Yield a column that rows of before have no value for."""
    text = f" {act.text.lower()} "
    if " not null" in text and not re.search(r"\b(default|generated)\b", text) and "serial" not in act.other:
        yield Lost(
            act.place,
            f"ADD COLUMN {quoted(act.name)} NOT NULL without a default fails on every row that "
            f"{quoted(act.table[1])} has.",
            "add it with a DEFAULT, or nullable, fill it, and make it NOT NULL then",
        )


def cascade(walk: Walk, act: Act) -> Iterator[Lost]:
    """Yield a foreign key that deletes rows from now on."""
    made = re.search(r"on\s+delete\s+cascade", act.text, re.IGNORECASE)
    if made is None:
        return
    table = walk.named(act.table)
    before = [r for r in walk.references.get(table, []) if r.columns == act.columns or r.name == act.name]
    if any(r.on_delete == "cascade" for r in before):
        return
    dropped = any(a.kind == "drop_constraint" and walk.named(a.table) == table for _, a in walk.earlier)
    stood = bool(before) or dropped or _drops_here(walk, table)
    yield Lost(
        act.place,
        f"From here on, deleting the row that {quoted(act.table[1])} refers to deletes its rows as well; before, the "
        "foreign key kept them.",
        "ON DELETE RESTRICT, or SET NULL where the row may stand alone",
        certain=stood,
    )


def _drops_here(walk: Walk, table: TableName) -> bool:
    """Return whether the very statement drops a constraint of the table too."""
    here = walk.acts[walk.at]
    return any(a.kind == "drop_constraint" and walk.named(a.table) == table for a in here)

"""Which steps of a migration lose rows, columns or values that stood before, or take away what running code reads.

What the migration made itself, what is empty by a check that it makes, and what was copied elsewhere first is no loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.place import Place
from squads.gates.sql.model import HOLE, TableName, quoted
from squads.gates.sql.rehearsal.rehearse import rehearse
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.carried import always
from squads.gates.sql.steps.kept import Keeping
from squads.gates.sql.steps.readers import name_comes_back, reader, still_reads, views_taken
from squads.gates.sql.steps.types import narrows, read
from squads.gates.sql.steps.world import Walk
from squads.gates.words import word_set

_PASSING = word_set("tmp temp temporary staging stage scratch cache unlogged import imports")
_CONSTANT = re.compile(
    r"^(\(\s*)?(null|true|false|default|-?\d[\d.]*|'(?:[^']|'')*'|now \( \)|current_\w+)(\s*::\s*[\w ]+)?"
    r"(\s*\))?$",
    re.IGNORECASE,
)
_CUTS = re.compile(
    r"\b(left|right|substr|substring|overlay|split_part|trunc|date_trunc|md5|sha\d+|digest|hashtext|least|greatest|round"
    r"|floor|ceil|ceiling)\s*\(|:: ?(date|smallint|int2|real)\b|:: ?(varchar|char|character varying|bpchar)\s*\(\s*\d",
    re.IGNORECASE,
)
_GROWS = re.compile(r"[*/]|\|\| ?(left|right|substr|substring)\b|\bround\s*\(.*[*/]")
_LIMITED = re.compile(r"[<>]|\bnot in\b|\bnot between\b|!~|\bnot like\b")
_ALL = ("true", "1 = 1", "( true )", "( 1 = 1 )", "id is not null")


@dataclass(frozen=True, slots=True)
class Lost:
    """One thing that is lost."""

    place: Place
    message: str
    satisfy: str
    certain: bool = True
    """Whether it refuses; else it is a note."""


def losses(walk: Walk, brief: str = "") -> Iterator[Lost]:
    """Yield what is lost, in the order of the steps; `brief` may say of something that it is not wanted any more."""
    keeping = Keeping(walk, rehearse(walk.steps), brief)
    for _, acts in walk.moments():
        for act in acts:
            if act.kind in ("drop_schema", "drop_database", "drop_owned"):
                yield from _dropped_whole(walk, act)
            elif act.table[1] and (
                walk.existed(act.table) or act.kind in ("drop_type", "drop_domain", "drop_extension")
            ):
                yield from _one(walk, keeping, act)
            if act.kind in ("drop_table", "drop_column", "drop_view", "drop_type"):
                yield from _readers_lost(walk, keeping, act)


def _readers_lost(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    """Yield the views that go with what they read, and that nothing makes again; and a reader that is left behind."""
    stood = act.kind == "drop_view" and act.table[1] in [a.table[1] for a in walk.old if a.kind == "create_view"]
    if stood and keeping.wanted(act.table[1]) and not name_comes_back(walk, act.table[1]):
        yield Lost(
            act.place,
            f"DROP VIEW {quoted(act.table[1])} takes away what the brief names, and nothing here makes it again.",
            "make the view again in the same migration",
        )
    reads = still_reads(walk, act.table, act.name) if act.kind == "drop_column" and walk.existed(act.table) else ""
    if reads and not walk.new_column(act.table, act.name) and not keeping.unread(act.name):
        yield Lost(
            act.place,
            f"DROP COLUMN {quoted(act.name)} takes away what {reads} still reads.",
            "change what reads it first, or in the same change",
        )
    gone = [v for v in views_taken(walk, act) if not name_comes_back(walk, v)]
    if gone:
        verb = f"DROP {act.kind.removeprefix('drop_').upper()} {quoted(act.name or act.table[1])}"
        yield Lost(
            act.place,
            f"{verb} CASCADE takes along {', '.join(map(quoted, gone))}, which nothing here makes again.",
            "drop the views by name first, and make them again without what goes",
        )


def _one(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    match act.kind:
        case "drop_table":
            yield from _table(walk, keeping, act)
        case "drop_column":
            yield from _column(walk, keeping, act)
        case "drop_type" | "drop_domain" | "drop_extension" if "cascade" in act.words:
            kind = act.kind.removeprefix("drop_").upper()
            yield Lost(
                act.place,
                f"DROP {kind} {quoted(act.name)} CASCADE drops every column of that type with what is in it.",
                "change the columns to another type first, and drop without CASCADE",
                certain=act.kind != "drop_extension",
            )
        case "truncate":
            yield from _emptied(walk, keeping, act, "TRUNCATE")
        case "delete" | "moved":
            yield from _deleted(walk, keeping, act)
        case "update":
            yield from _overwritten(walk, keeping, act)
        case "alter_type":
            yield from _narrowed(walk, keeping, act)
        case "rename_table" | "rename_column":
            yield from _renamed(walk, keeping, act)
        case "set_not_null":
            yield from _not_null(walk, keeping, act, act.name)
        case "add_constraint" if act.other == "not null" and act.columns and "not valid" not in act.words:
            yield from _not_null(walk, keeping, act, act.columns[0])
        case "add_constraint" if act.other == "foreign":
            yield from _cascade(walk, act)
        case "add_column":
            yield from _new_column(walk, act)


def _dropped_whole(walk: Walk, act: Act) -> Iterator[Lost]:
    kind = act.kind.removeprefix("drop_").upper()
    made = any(
        s.statement.tokens[0].value == "create" and act.name in [t.value for t in s.statement.tokens[1:6]]
        for s in walk.steps.steps[: walk.at]
    )
    if made or (act.kind == "drop_schema" and "cascade" not in act.words):
        return  # without CASCADE only an empty schema goes
    if act.kind == "drop_schema" and "if exists" in act.words and not walk.based:
        recreated = any(
            s.statement.tokens[0].value == "create" and act.name in [t.value for t in s.statement.tokens[1:6]]
            for s in walk.steps.steps[walk.at :]
        )
        if recreated:
            return
    what = "everything that one role owns" if act.kind == "drop_owned" else f"everything in {quoted(act.name)}"
    yield Lost(act.place, f"DROP {kind} drops {what}, rows included.", "name the tables, and keep what is in them")


def _table(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    table = quoted(act.table[1])
    if HOLE in act.table[1]:
        return
    missing = keeping.copied(act.table)
    gone = keeping.rehearsed.at(walk.at, act.table[1])
    if keeping.given_up(act.table[1]) or (gone is None and keeping.told_whole(act.table)):
        return
    if gone is None and (missing == () or keeping.empty(act.table)):
        return
    again = not walk.based and "if exists" in act.words and keeping.created_later(act.table)
    passing = not _PASSING.isdisjoint(act.table[1].lower().split("_"))
    if again:
        return
    if gone and missing is not None:
        message = f"DROP TABLE {table} loses values of {quoted(gone.column)}: {gone.example} come out as one."
    elif missing:
        message = f"DROP TABLE {table} loses {', '.join(map(quoted, missing))}, which its copy does not have."
    else:
        message = f"DROP TABLE {table} loses its rows: it stood before, and nothing keeps them."
    yield Lost(
        act.place,
        message,
        f"copy the rows and compare the counts before the drop, or ALTER TABLE {table} RENAME TO another name and drop "
        "it once nobody misses it",
        certain=not passing,
    )


def _column(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    found = walk.column(act.table, act.name)
    if walk.new_column(act.table, act.name) or (found and found.generated):
        return
    if keeping.all_null(act.table, act.name) or keeping.given_up(act.table[1], act.name):
        return
    gone = keeping.rehearsed.at(walk.at, act.table[1], act.name)
    if gone is None and (keeping.column_kept(act.table, act.name) or keeping.empty(act.table)):
        return
    if found is None and walk.known(act.table) and "exists" in act.words:
        return
    yield Lost(
        act.place,
        f"DROP COLUMN {quoted(act.name)} loses its values in {quoted(act.table[1])}: "
        + (f"{gone.example} come out as one." if gone else "nothing in this migration keeps them."),
        "copy the values first and check that none is missing, or leave the column until nothing reads it and a copy "
        "is there",
    )


def _emptied(walk: Walk, keeping: Keeping, act: Act, verb: str) -> Iterator[Lost]:
    if keeping.copied(act.table) == () or keeping.empty(act.table):
        return
    passing = not _PASSING.isdisjoint(act.table[1].lower().split("_"))
    yield Lost(
        act.place,
        f"{verb} loses every row of {quoted(act.table[1])}, which stood before.",
        "keep the rows, or copy them and compare the counts first",
        certain=not passing,
    )


def _deleted(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    if act.kind == "moved" and not keeping.rehearsed.at(walk.at, act.table[1]):
        return
    where = " ".join((act.where or "").lower().split())
    along = keeping.rehearsed.beside(walk.at, act.table[1])
    if along and not keeping.given_up(along.table):
        yield Lost(
            act.place,
            f"This DELETE takes rows of {quoted(along.table)} along, by its foreign key with ON DELETE CASCADE.",
            f"let the rows of {quoted(along.table)} refer to what remains first",
        )
        return
    if act.where is None and " using " not in f" {act.text.lower()} ":
        yield from _emptied(walk, keeping, act, "DELETE without WHERE")
        return
    if where in _ALL or always(where, lambda c: walk.not_null(act.table, c)):
        yield from _emptied(walk, keeping, act, "DELETE with a WHERE that is always true")
        return
    gone = keeping.rehearsed.at(walk.at, act.table[1])
    if gone and (keeping.archived(act.table, where) or act.kind == "moved") and not keeping.rows_may_go(act.table[1]):
        yield Lost(
            act.place,
            f"The copy of the rows of {quoted(act.table[1])} that go lacks {quoted(gone.column)}: {gone.example}.",
            "copy all columns of the rows before they go",
        )
        return
    if keeping.copied(act.table) == () or keeping.archived(act.table, where) or keeping.empty(act.table):
        return
    made = keeping.fits_after(act.table)
    if made is not None and not keeping.rows_may_go(act.table[1]):
        yield Lost(
            act.place,
            f"Rows of {quoted(act.table[1])} are deleted so that {made} fits, and nothing keeps them.",
            "mend the rows, or move them to a table of their own first",
        )


def _overwritten(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    for column, value in act.values:
        gone = keeping.rehearsed.at(walk.at, act.table[1], column)
        if gone and not _CONSTANT.match(value.strip()) and not keeping.points(act.table, column):
            if keeping.given_up(act.table[1], column) or keeping.computed_anew(column):
                continue
            yield Lost(
                act.place,
                f"UPDATE overwrites {quoted(column)} in {quoted(act.table[1])}: {gone.example} come out as one.",
                "keep the old values in another column, or leave out the rows that have one",
            )
            return
    where = " ".join((act.where or "").lower().split())
    if act.where is not None and where not in _ALL:
        yield from _cut(walk, keeping, act, where)
        return
    yield from _cut(walk, keeping, act, "")
    for column, value in act.values:
        if HOLE in column or walk.new_column(act.table, column) or keeping.column_kept(act.table, column):
            continue
        if " from " in f" {act.text.lower()} " or not _CONSTANT.match(value.strip()):
            continue
        if keeping.copied(act.table) == () or keeping.empty(act.table):
            continue
        if keeping.was_written_after(act.table, column):
            continue
        certain = column not in ("updated_at", "modified_at", "synced_at", "search_vector")
        yield Lost(
            act.place,
            f"UPDATE without WHERE overwrites {quoted(column)} in every row of {quoted(act.table[1])}.",
            "say in WHERE which rows are meant, or keep the old values in another column",
            certain=certain,
        )
        return


def _cut(walk: Walk, keeping: Keeping, act: Act, where: str) -> Iterator[Lost]:
    """Yield the column of before whose values are cut off, or pressed into a range, in its own place."""
    for column, value in act.values:
        own = re.search(rf"\b{re.escape(column)}\b", re.sub(r"'[^']*'", "", value))
        limited = walk.based and _LIMITED.search(where) and re.search(rf"\b{re.escape(column)}\b", where)
        cut = own and _CUTS.search(value) and not _GROWS.search(value)
        pressed = not own and limited and _CONSTANT.match(value.strip()) and keeping.fits_after(act.table) == "CHECK"
        if keeping.rehearsed.told_of(act.table[1], column):
            continue
        if not (cut or pressed) or HOLE in column or walk.new_column(act.table, column):
            continue
        if keeping.copied(act.table) == () or keeping.empty(act.table) or keeping.column_kept(act.table, column):
            continue
        if where and keeping.archived(act.table, where):
            continue
        yield Lost(
            act.place,
            f"UPDATE cuts off what {quoted(column)} holds in {quoted(act.table[1])}, and nothing keeps all of it.",
            "copy the rows that do not fit to a table of their own first, or let the rule hold for new rows only (NOT "
            "VALID)",
        )
        return


def _narrowed(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    old = walk.type_of(act.table, act.name)
    forgets = act.text and not re.search(rf"\b{re.escape(act.name)}\b", act.text, re.IGNORECASE)
    gone = keeping.rehearsed.at(walk.at, act.table[1], act.name)
    found = forgets or narrows(old, act.other, act.text) or (gone and "*" not in act.text)  # 100 cents, not 100.00
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


def _renamed(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
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


def _not_null(walk: Walk, keeping: Keeping, act: Act, column: str) -> Iterator[Lost]:
    if walk.not_null(act.table, column) or keeping.filled(act.table, column) or keeping.empty(act.table):
        return
    yield Lost(
        act.place,
        f"SET NOT NULL on {quoted(column)} fails on the rows of {quoted(act.table[1])} that have none: nothing fills "
        "them.",
        f"fill {quoted(column)} where it is NULL before this, or add it with a DEFAULT",
    )


def _new_column(walk: Walk, act: Act) -> Iterator[Lost]:
    text = f" {act.text.lower()} "
    if " not null" in text and not re.search(r"\b(default|generated)\b", text) and "serial" not in act.other:
        yield Lost(
            act.place,
            f"ADD COLUMN {quoted(act.name)} NOT NULL without a default fails on every row that "
            f"{quoted(act.table[1])} has.",
            "add it with a DEFAULT, or nullable, fill it, and make it NOT NULL then",
        )


def _cascade(walk: Walk, act: Act) -> Iterator[Lost]:
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

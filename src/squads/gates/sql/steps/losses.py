"""Which steps of a migration lose rows, columns or values that stood before, or take away what running code reads.

What the migration made itself, what is empty by a check that it makes, and what was copied elsewhere first is no loss.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.gates.place import Place
from squads.gates.sql.model import HOLE, quoted
from squads.gates.sql.rehearsal.rehearse import rehearse
from squads.gates.sql.steps.act import Act
from squads.gates.sql.steps.carried import always
from squads.gates.sql.steps.kept import Keeping
from squads.gates.sql.steps.lost import Lost
from squads.gates.sql.steps.readers import name_comes_back, still_reads, views_taken
from squads.gates.sql.steps.reading import Step
from squads.gates.sql.steps.shape_losses import cascade, narrowed, new_column, not_null, renamed
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


def losses(walk: Walk, brief: str = "") -> Iterator[Lost]:
    """Yield what is lost, in the order of the steps; `brief` may say of something that it is not wanted any more."""
    keeping = Keeping(walk, rehearse(walk.steps, brief), brief)
    for step, acts in walk.moments():
        yield from _played(step, keeping, walk)
        for act in acts:
            if act.kind in ("drop_schema", "drop_database", "drop_owned"):
                yield from _dropped_whole(walk, act)
            elif act.table[1] and (
                walk.existed(act.table) or act.kind in ("drop_type", "drop_domain", "drop_extension")
            ):
                yield from _one(walk, keeping, act)
            if act.kind in ("drop_table", "drop_column", "drop_view", "drop_type"):
                yield from _readers_lost(walk, keeping, act)


def _played(step: Step, keeping: Keeping, walk: Walk) -> Iterator[Lost]:
    """Yield what the code of a step loses by itself: rows that it deletes, values that it overwrites."""
    lines: set[int] = set()
    for gone in keeping.rehearsed.gone:
        if gone.step != walk.at or not gone.line or gone.line in lines:
            continue
        found = re.match(r'\W*(update|delete)\s+(?:from\s+)?"?(\w+)', gone.sent, re.IGNORECASE)
        if found is None or keeping.given_up(gone.table, gone.column):
            continue
        deletes, same = found[1].lower() == "delete", found[2].lower() == gone.table.lower()
        if not deletes and (
            not same or keeping.computed_anew(gone.column) or keeping.points((("", gone.table)), gone.column)
        ):
            continue
        if deletes and (keeping.given_up(gone.table) or (same and keeping.fits_after(("", gone.table)) is None)):
            continue
        if deletes and same and keeping.rows_may_go(gone.table):
            continue
        lines.add(gone.line)
        what = "deletes rows of" if deletes else "overwrites values of"
        yield Lost(
            Place(path=step.statement.source.path, line=gone.line, column=1, end_line=gone.line, text=gone.sent),
            f"This {what} {quoted(found[2])}, and with it {quoted(gone.column)} of {quoted(gone.table)} is lost: "
            f"{gone.example} come out as one.",
            "move what belongs to the row first, or keep the old values elsewhere",
        )


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
            along = keeping.rehearsed.beside(walk.at, act.table[1])
            if along and not keeping.given_up(along.table) and "cascade" in act.words:
                yield Lost(
                    act.place,
                    f"TRUNCATE CASCADE empties {quoted(along.table)} as well, which refers to {quoted(act.table[1])}.",
                    f"DELETE the rows of {quoted(act.table[1])} that nothing refers to",
                )
                return
            yield from _emptied(walk, keeping, act, "TRUNCATE")
        case "delete" | "moved":
            yield from _deleted(walk, keeping, act)
        case "update":
            yield from _overwritten(walk, keeping, act)
        case "alter_type":
            yield from narrowed(walk, keeping, act)
        case "rename_table" | "rename_column":
            yield from renamed(walk, keeping, act)
        case "set_not_null":
            yield from not_null(walk, keeping, act, act.name)
        case "add_constraint" if act.other == "not null" and act.columns and "not valid" not in act.words:
            yield from not_null(walk, keeping, act, act.columns[0])
        case "add_constraint" if act.other == "foreign":
            yield from cascade(walk, act)
        case "add_column":
            yield from new_column(walk, act)


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
    if keeping.comes_back(act.table[1]):
        return
    passing = not _PASSING.isdisjoint(act.table[1].lower().split("_"))
    yield Lost(
        act.place,
        f"{verb} loses every row of {quoted(act.table[1])}, which stood before.",
        "keep the rows, or copy them and compare the counts first",
        certain=not passing,
    )


def _deleted(walk: Walk, keeping: Keeping, act: Act) -> Iterator[Lost]:
    where = " ".join((act.where or "").lower().split())
    along = keeping.rehearsed.beside(walk.at, act.table[1])
    if along and not keeping.given_up(along.table):
        yield Lost(
            act.place,
            f"This DELETE takes rows of {quoted(along.table)} along, by its foreign key with ON DELETE CASCADE.",
            f"let the rows of {quoted(along.table)} refer to what remains first",
        )
        return
    if act.kind == "moved" and not keeping.rehearsed.at(walk.at, act.table[1]):
        return
    apart = keeping.rehearsed.apart(walk.at, act.table[1])
    if apart and not keeping.given_up(act.table[1]):
        yield Lost(
            act.place,
            f"This DELETE takes rows of {quoted(act.table[1])} that are no doubles: {apart.example}.",
            "delete only what the uniqueness to come would refuse",
        )
        return
    if act.where is None and " using " not in f" {act.text.lower()} ":
        yield from _emptied(walk, keeping, act, "DELETE without WHERE")
        return
    if where in _ALL or always(where, lambda c: walk.not_null(act.table, c)):
        yield from _emptied(walk, keeping, act, "DELETE with a WHERE that is always true")
        return
    gone = keeping.rehearsed.at(walk.at, act.table[1])
    may_go = keeping.rows_may_go(act.table[1], copied=True)
    if gone and (keeping.archived(act.table, where) or act.kind == "moved") and not may_go:
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
        if gone and (not _constant(value, column) or keeping.folded(act)) and not keeping.points(act.table, column):
            folded = _constant(value, column)
            if keeping.given_up(act.table[1], column) or (keeping.computed_anew(column) and not folded):
                continue
            yield Lost(
                act.place,
                f"UPDATE overwrites {quoted(column)} in {quoted(act.table[1])}: {gone.example} come out as one.",
                "keep the old values in another column, or leave out the rows that have one",
            )
            return
    where = " ".join((act.where or "").lower().split())
    every = where in _ALL or always(where, lambda c: walk.not_null(act.table, c))
    if act.where is not None and not every:
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


def _constant(value: str, column: str) -> bool:
    """Return whether a constant is assigned: to all rows, or by a CASE to some, and the others keep what they have."""
    if _CONSTANT.match(value.strip()):
        return True
    kept = re.fullmatch(
        rf'\(?\s*case\b(.*)\belse\s+(?:\w+ \. )?"?{re.escape(column)}"?\s+end\s*\)?', value.strip(), re.I
    )
    given = re.findall(r"\bthen\s+(.*?)(?=\bwhen\b|$)", kept[1].strip(), re.IGNORECASE) if kept else []
    return bool(given) and all(_CONSTANT.match(g.strip()) for g in given)


def _cut(walk: Walk, keeping: Keeping, act: Act, where: str) -> Iterator[Lost]:
    """Yield the column of before whose values are cut off, or pressed into a range, in its own place."""
    for column, value in act.values:
        own = re.search(rf"\b{re.escape(column)}\b", re.sub(r"'[^']*'", "", value))
        limited = walk.based and _LIMITED.search(where) and re.search(rf"\b{re.escape(column)}\b", where)
        cut = own and _CUTS.search(value) and not _GROWS.search(value)
        ruled = keeping.fits_after(act.table) == "CHECK" or keeping.typed_after(act.table, column)
        pressed = not own and limited and _CONSTANT.match(value.strip()) and ruled
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

"""Which values an artifact's SQL gives to columns that cannot hold them: defaults, stored rows, narrowed columns.

A row is judged against the type of the day it is written, a default against the type that remains. A column that
becomes narrower must still hold the rows that the artifact stored in it before, unless they were changed in between.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from squads.gates.check import CannotLook
from squads.gates.place import Place
from squads.gates.sql.fits.bounds import Misfit, Type, cast, column_type, misfit, surely_fits, type_of
from squads.gates.sql.fits.constants import Constant, DoesNotFit
from squads.gates.sql.fits.evaluate import constant
from squads.gates.sql.fits.routines import bodies, inlined
from squads.gates.sql.fits.rows import Stored, stored
from squads.gates.sql.fits.sequences import counted
from squads.gates.sql.lex import Source, Token, tokens_of
from squads.gates.sql.model import Column, Schema, Table, quoted
from squads.gates.sql.writes import Write

_ASSIGNS = re.compile(r"\bnew\s*\.\s*\w+\s*:?=", re.IGNORECASE)
ROWS_KEPT_MAX = 20_000
"""How many stored values are remembered for columns whose type changes later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """One value that a column cannot hold as it is."""

    source: str
    """Where the value comes from: `default`, `row`, `check`, `copy`, `reference`, `generated`, `comment`, `document`,
    `program`."""
    column: str
    """Table and column as one writes them; a domain's name for its own default."""
    type: str
    misfit: Misfit
    place: Place
    alter: str = ""
    """The beginning of the statement that widens it, up to the type."""
    certain: bool = True
    """False for what a person must weigh: prose that may speak of something else."""
    also: tuple[Place, ...] = ()
    """Where else it is made wrong: the narrow column beside the copy, a foreign key added later."""

    @property
    def mend(self) -> str:
        """Return SQL that makes room, or a sentence where no wider type is known."""
        if self.misfit.wider and self.alter:
            when = "-- in a statement before the row is stored\n" if self.source == "row" else ""
            return f"{when}{self.alter} {self.misfit.wider};"
        return f"Give {self.column} a value that {self.type} holds, or another type."


def defaults(schema: Schema) -> Iterator[Unfit]:
    """Yield the defaults and constant generation expressions that their columns' final types cannot hold."""
    routines = {b.name: b for b in bodies(schema)}
    for table in schema.tables:
        if table.foreign:
            continue
        for column in table.columns:
            place = column.default_place or column.place
            for text in filter(None, (column.default, column.generated)):
                if found := judged(schema, inlined(tokens_in(text), {}, routines), column_type(schema, table, column)):
                    yield unfit("default", table, column, found, place)
    for domain in schema.domains.values():
        target = type_of(schema, domain.type)
        if domain.default and (found := judged(schema, tokens_in(domain.default), target)):
            yield Unfit(source="default", column=domain.name, type=domain.type, misfit=found, place=domain.place)


def rows(schema: Schema) -> Iterator[Unfit]:
    """Yield the stored constants that do not fit, and those that a narrowed column no longer holds."""
    changing = {table for write in schema.writes if (table := _retyped(write)) is not None}
    kept: dict[tuple[str, str], list[tuple[str, Constant, Stored]]] = {}
    tests: dict[tuple[int, str, str], Callable[[str], bool]] = {}

    def settled(moment: Schema, table: Table, column: Column) -> Callable[[str], bool]:
        """Return the quick test of a column; rows of a table whose types change later must all be seen."""
        key = (id(moment), column.type, table.dialect)
        if table.full_name in changing:
            return _never
        if key not in tests:
            tests[key] = surely_fits(column_type(moment, table, column))
        return tests[key]

    routines = {b.name: b for b in bodies(schema)}
    for write in schema.writes:
        verb = write.statement.tokens[0].value
        if verb == "comment":
            continue
        if verb == "create":
            continue  # what routines store: `passing.py`
        if verb in ("alter", "drop", "delete", "truncate"):
            yield from _narrowed(write, kept)
            continue
        for value in stored(write, schema, settled):
            target = column_type(value.write.schema, value.table, value.column)
            if routines and len(value.tokens) > 2:
                value = replace(value, tokens=inlined(value.tokens, {}, routines))
            found, number = _weighed(value, target)
            if found:
                yield unfit("row", value.table, value.column, found, value.place)
            if value.table.full_name in changing:
                held = kept.setdefault(value.table.full_name, [])
                if verb == "update":  # rows were changed, and which ones is not known
                    held[:] = [h for h in held if h[0] != value.column.name]
                elif number is not None and not found and len(held) < ROWS_KEPT_MAX:
                    held.append((value.column.name, number, value))


def fired(schema: Schema) -> dict[str, list[str]]:
    """Return, by the name of each trigger function, the names of the tables whose triggers execute it."""
    found: dict[str, list[str]] = {}
    for spoken in schema.spoken:
        tokens = spoken.statement.tokens
        if tokens[0].value != "create" or "trigger" not in [t.value for t in tokens[1:5]]:
            continue
        words = [t.value for t in tokens]
        if "execute" in words and "on" in words:
            on, calls = words.index("on") + 1, words.index("execute") + 2
            table = words[on + 2] if words[on + 1 : on + 2] == ["."] else words[on : on + 1]
            routine = words[calls + 2] if words[calls + 1 : calls + 2] == ["."] else "".join(words[calls : calls + 1])
            found.setdefault(routine, []).append("".join(table))
    return found


def judged(schema: Schema, tokens: list[Token], target: Type) -> Misfit | None:
    """Return why a constant expression does not fit, or None: it does, or it is no constant."""
    try:
        value = constant(counted(schema, tokens), lambda v, name: cast(v, type_of(schema, name)))
    except DoesNotFit as problem:
        return Misfit("all", str(problem))
    return misfit(value, target) if value is not None else None


def tokens_in(text: str) -> list[Token]:
    """Return the tokens of an expression's text; none when it is not PostgreSQL's."""
    try:
        return list(tokens_of(Source("", text), 0, len(text)))
    except CannotLook:
        return []


def unfit(source: str, table: Table, column: Column, found: Misfit, place: Place, *, certain: bool = True) -> Unfit:
    """Return the finding's matter for a column of a table."""
    return Unfit(
        source=source,
        column=f"{table}.{quoted(column.name)}",
        type=column.type,
        misfit=found,
        place=place,
        alter=f"ALTER TABLE {table} ALTER COLUMN {quoted(column.name)} TYPE",
        certain=certain,
        also=(column.type_place or column.place,),
    )


def _never(_: str) -> bool:
    return False


def _weighed(value: Stored, target: Type) -> tuple[Misfit | None, Constant | None]:
    number = value.constant
    schema = value.write.schema
    if number is None:
        try:
            number = constant(value.tokens, lambda v, name: cast(v, type_of(schema, name)))
        except DoesNotFit as problem:
            return Misfit("all", str(problem)), None
    return (misfit(number, target), number) if number is not None else (None, None)


def _words(write: Write) -> list[str]:
    return [t.value for t in write.statement.tokens if t.kind == "word"]


def _retyped(write: Write) -> tuple[str, str] | None:
    """Return the table of an ALTER TABLE that changes a column's type."""
    words = _words(write)
    if words[:2] != ["alter", "table"] or "type" not in words:
        return None
    return next((t.full_name for t in _named(write)), None)


def _named(write: Write) -> list[Table]:
    """Return the tables whose names stand in a statement."""
    names = {t.value for t in write.statement.tokens if t.kind in ("word", "quoted")}
    return [t for t in write.schema.tables if t.name in names]


def _narrowed(write: Write, kept: dict[tuple[str, str], list[tuple[str, Constant, Stored]]]) -> Iterator[Unfit]:
    words = set(_words(write))
    plain = {"alter", "table", "type"} <= words and words.isdisjoint(("using", "rename", "drop"))
    for table in _named(write):
        held = kept.get(table.full_name, [])
        told = set()
        for name, number, value in held if plain else []:
            column = write.schema.resolved(table).column(name)
            if column is None or column.type == value.column.type or name in told:
                continue
            found = misfit(number, column_type(write.schema, table, column))
            if found and found.loses != "digits":
                told.add(name)
                place = write.statement.place
                reason = f"{found.reason}; it was stored at {value.place}"
                yield unfit("row", table, column, replace(found, reason=reason), place)
        if not plain and words != {"alter", "table"}:
            kept.pop(table.full_name, None)
    if "drop" in words or "delete" in words or "truncate" in words:
        names = {t.value for t in write.statement.tokens if t.kind in ("word", "quoted")}
        for full_name in [n for n in kept if n[1] in names]:
            del kept[full_name]

"""Columns that a document itself declares: a table in a code fence, or a row of a table with a type in a cell.

A specification often comes before any SQL: `decay_factor NUMERIC(5,4)` in a fence, and the value below it in prose.
Such a column counts in its own document only, and only where no SQL of the artifact has a column of that name. What a
document shows as a mistake declares nothing: the word stands in the heading or right above the fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from squads.contracts.artifact import File
from squads.gates.sql.fits.bounds import Type, type_of
from squads.gates.sql.lex import Source
from squads.gates.sql.model import Column, Schema, Table

Entry = tuple[Table, Column, Type]

_SIZED = (
    r"(?:numeric|decimal|dec|varchar|char|character(?:\s+varying)?)\s*\(\s*\d+\s*(?:,\s*\d+\s*)?\)"
    r"|smallint|integer|int[248]?|bigint"
)
_DECLARED = re.compile(rf"""^[ \t+]*["`]?(?P<name>[A-Za-z_]\w*)["`]?\s+(?P<type>{_SIZED})(?!\w)""", re.IGNORECASE)
_OPENS = re.compile(
    r"""^[ \t+]*(?:create\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?)?(?:["`]?\w+["`]?\.)?
    ["`]?(?P<name>[A-Za-z_]\w*)["`]?\s*\(\s*(?:--.*)?$""",
    re.IGNORECASE | re.VERBOSE,
)
_INLINE = re.compile(
    r"(?<!\w)(?:(?P<ticked>`)|\*\*)?(?P<name>[a-z]\w{0,62})[`*]{0,3}\s{0,9}(?:[:(—–-]|is|as)?\s{0,9}`?"
    r"(?P<type>(?:numeric|decimal|varchar|char|character\s+varying)\s*\(\s*\d+\s*(?:,\s*\d+\s*)?\))",
    re.IGNORECASE,
)
"""A column with its type in prose: its name has an underscore, or stands in backticks."""
_CELL = re.compile(rf"`?(?P<type>{_SIZED})`?(?!\w)[^|]*", re.IGNORECASE)
_UNNAMED = "the table"
_FENCE = re.compile(r"\s*(```+|~~~+)")
_MISTAKE = re.compile(
    r"(?i)\b(refused?|rejected?|wrong|bad|broken|incorrect|buggy|before|don't|never|mistakes?|defects?|anti-?patterns?|"
    r"faulty|vulnerable|fails?|overflows?|invalid|old|was|were|instead\s+of|counter-?examples?)\b|❌|✗|🚫"
)
_IN_BYTES = re.compile(rb"(?i)\b(?:numeric|decimal|varchar|char|varying)\s*\(\s*\d")
_FOREIGN = re.compile(r"(?i)\b(?:sqlite|mysql|mariadb|clickhouse|bigquery|unsigned)\b")


def may_specify(file: File) -> bool:
    """Return whether a document's bytes look as if it declared a sized column."""
    return _IN_BYTES.search(file.content) is not None


def shows_mistake(introduction: str) -> bool:
    """Return whether the words above a piece of schema say that it is how not to do it."""
    return _MISTAKE.search(introduction) is not None


def specified(source: Source, known: frozenset[str]) -> dict[str, list[Entry]]:
    """Return the columns that a document declares and no SQL does, by name.

    Args:
        source: The document.
        known: The names of columns that the artifact's SQL declares; of them the SQL tells.
    """
    found: dict[str, list[Entry]] = {}
    torn: set[str] = set()
    if _FOREIGN.search(source.text):
        return found
    for number, table, name, written in _declarations(source):
        spelled = re.sub(r"\s*([(),])\s*", r"\1", written.lower())
        before = [c.type for t, c, _ in found.get(name, ()) if table in (t.name, _UNNAMED) or t.name == _UNNAMED]
        torn |= {name} if before and before[0] != spelled else set()
        if name in known or before:
            continue
        place = source.place(source.start_of(number), source.start_of(number) + len(source.text_of_line(number)))
        column = Column(name=name, type=spelled, place=place)
        home = Table(schema="public", name=table, columns=(column,), complete=False, place=place)
        found.setdefault(name, []).append((home, column, type_of(Schema(), column.type)))
    return {name: entries for name, entries in found.items() if name not in torn}


def _declarations(source: Source) -> Iterator[tuple[int, str, str, str]]:
    """Yield (line, table, column, type); the table is called `the table` where it has no name."""
    fenced, heading, above, table = False, "", "", ""
    mistaken = False
    for number, line in enumerate(source.text.split("\n"), 1):
        if _FENCE.match(line):
            fenced, table = not fenced, ""
            mistaken = shows_mistake(f"{heading} {above}")
        elif fenced:
            if opened := _OPENS.match(line):
                table = opened["name"]
            elif (declared := _DECLARED.match(line)) and not mistaken:
                yield number, table or _UNNAMED, declared["name"].lower(), declared["type"]
        elif line.startswith("#"):
            heading, above = line, ""
        elif line.lstrip().startswith("|"):
            cells = [c.strip() for c in line.strip().strip("|").split("|")]
            name = re.fullmatch(r"[`*\"]*([A-Za-z_]\w*)[`*\"]*", cells[0])
            written = next((m for c in cells[1:] if (m := _CELL.fullmatch(c))), None)
            if name and written and not shows_mistake(heading):
                yield number, _UNNAMED, name[1].lower(), written["type"]
        elif line.strip():
            above = line
            if opened := _OPENS.match(line):
                table = opened["name"]
            for inline in _INLINE.finditer(line) if not shows_mistake(f"{heading} {line}") else ():
                if inline["ticked"] or "_" in inline["name"]:
                    yield number, table or _UNNAMED, inline["name"].lower(), inline["type"]
            if line.strip().startswith(")"):
                table = ""

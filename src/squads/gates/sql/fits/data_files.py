"""Rows in data files beside a schema: CSV with a header, JSON lists of objects, that a program or COPY loads.

A file counts where its header, or the keys of its objects, are columns of one table, and its name or the artifact's own
code says that this table is loaded from it.
"""

from __future__ import annotations

import csv
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from itertools import islice

from squads.contracts.artifact import Artifact, File
from squads.contracts.errors import NotText
from squads.gates.place import Place
from squads.gates.sql.fits.bounds import column_type, misfit
from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.fitting import Unfit, unfit
from squads.gates.sql.fits.python_modules import normal
from squads.gates.sql.model import Schema, Table

FILE_BYTES_MAX = 1024 * 1024
ROWS_MAX = 20_000
_TESTS = re.compile(r"(^|/)(tests?|testing)/")
_ENOUGH = 2
"""How many columns must be named, so that a header is a table's and not anything's."""


def held(artifact: Artifact, schema: Schema) -> Iterator[Unfit]:
    """Yield the values of data files that their columns cannot hold."""
    if not schema.tables:
        return
    for file in artifact.matching("*.csv", "*.tsv", "*.json"):
        if _TESTS.search(file.path) or len(file.content) > FILE_BYTES_MAX:
            continue
        try:
            rows = list(islice(_rows(file), ROWS_MAX))
        except (NotText, csv.Error, ValueError, RecursionError):
            continue
        table = _meant(artifact, schema, file, rows)
        if table is not None:
            yield from _of_rows(schema, table, rows)


def _rows(file: File) -> Iterator[tuple[Mapping[str, object], Place]]:
    text = file.text
    if not file.path.endswith(".json"):
        delimiter = "\t" if file.path.endswith(".tsv") else ";" if ";" in text.split("\n", 1)[0] else ","
        reader = csv.DictReader(StringIO(text), delimiter=delimiter)
        for row in reader:
            named = {k.strip(): v for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}
            yield named, _place(file.path, text, reader.line_num)
        return
    found = json.loads(text)
    if isinstance(found, dict) and len(found) == 1:
        found = next(iter(found.values()))
    for item in found if isinstance(found, list) else []:
        if isinstance(item, dict) and "model" not in item:
            yield item, _place(file.path, text, _line_of(text, item))


def _line_of(text: str, item: Mapping[str, object]) -> int:
    """Return the line where the longest text of an object stands."""
    words = sorted((v for v in item.values() if isinstance(v, str)), key=len)
    at = text.find(json.dumps(words[-1])) if words else -1
    return text.count("\n", 0, at) + 1 if at >= 0 else 1


def _place(path: str, text: str, line: int) -> Place:
    lines = text.split("\n")
    return Place(
        path=path, line=line, column=1, end_line=line, text=lines[line - 1][:400] if line <= len(lines) else ""
    )


def _meant(
    artifact: Artifact, schema: Schema, file: File, rows: Sequence[tuple[Mapping[str, object], Place]]
) -> Table | None:
    """Return the table that a data file is for."""
    keys = frozenset(rows[0][0]) if rows else frozenset()
    base = posixpath.basename(file.path)
    fitting = []
    for table in schema.tables:
        names = {c.name for c in schema.resolved(table).columns}
        if len(keys & names) < min(_ENOUGH, len(names)) or not keys <= names:
            continue
        stem = re.sub(r"^\d+[_-]*", "", base.rsplit(".", 1)[0])
        named = normal(stem) == normal(table.name) or normal(stem).endswith(normal(table.name))
        spoken = any(
            base.encode() in f.content and table.name.encode() in f.content.lower()
            for f in artifact.matching("*.py", "*.sql", "*.sh", "*.psql")
        )
        if named or spoken:
            fitting.append((named, table))
    fitting.sort(key=lambda f: not f[0])
    return schema.resolved(fitting[0][1]) if fitting else None


def _of_rows(schema: Schema, table: Table, rows: Sequence[tuple[Mapping[str, object], Place]]) -> Iterator[Unfit]:
    targets = {c.name: (c, column_type(schema, table, c)) for c in table.columns}
    for row, place in rows:
        for name, value in row.items():
            constant = _constant(value)
            if name not in targets or constant is None:
                continue
            column, target = targets[name]
            found = misfit(constant, target)
            if found is not None and found.loses == "all":
                yield unfit("row", table, column, found, place)


def _constant(value: object) -> Constant | None:
    """Return a field as it is stored; an empty one is NULL, or is seen to by whoever loads it."""
    match value:
        case bool():
            return None
        case str() as text:
            return Constant("literal", text=text) if text.strip() else None
        case int() | float() as number:
            return Constant("literal", text=repr(number)) if abs(number) < 10**300 else None
    return None

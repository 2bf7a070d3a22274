"""Rows in Django's fixtures: JSON lists of objects with `model` and `fields`.

A fixture is loaded with `loaddata`, often only in a test or on the first day of a server; until then nobody sees that
a value in it does not fit. Only JSON that is certainly a fixture is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from squads.contracts.artifact import Artifact
from squads.contracts.errors import NotText
from squads.gates.sql.fits.bounds import column_type, misfit
from squads.gates.sql.fits.constants import Constant, number_of
from squads.gates.sql.fits.fitting import Unfit, unfit
from squads.gates.sql.lex import Source
from squads.gates.sql.model import Schema, Table

FIXTURE_BYTES_MAX = 2 * 1024 * 1024
"""The longest fixture that is read."""


def loaded(artifact: Artifact, schema: Schema) -> Iterator[Unfit]:
    """Yield the values of fixtures that their columns cannot hold."""
    tables = {t.name: t for t in schema.tables}
    for file in artifact.matching("*.json") if tables else ():
        if b'"model"' not in file.content or b'"fields"' not in file.content:
            continue
        if len(file.content) > FIXTURE_BYTES_MAX:
            continue
        try:
            text = file.text
            entries = json.loads(text)
        except (NotText, ValueError, RecursionError):
            continue  # no fixture that Django would load either
        source = Source(file.path, text)
        for entry in entries if isinstance(entries, list) else ():
            model, fields = (entry.get("model"), entry.get("fields")) if isinstance(entry, dict) else (None, None)
            table = tables.get(model.lower().replace(".", "_")) if isinstance(model, str) else None
            if table is not None and isinstance(fields, dict):
                yield from _row(source, schema, table, {str(k): v for k, v in fields.items()})


def _row(source: Source, schema: Schema, table: Table, fields: dict[str, object]) -> Iterator[Unfit]:
    for name, given in fields.items():
        column, value = schema.resolved(table).column(name), _constant(given)
        found = misfit(value, column_type(schema, table, column)) if column and value else None
        if column is not None and found is not None:
            written = json.dumps(given)
            at = max(source.text.find(f'"{name}": {written}'), source.text.find(f'"{name}":{written}'))
            at = at if at >= 0 else max(0, source.text.find(f'"{name}"'))
            yield unfit("row", table, column, found, source.place(at, at + len(written) + len(name) + 4))


def _constant(given: object) -> Constant | None:
    """Return a JSON value as it reaches the database; Django turns text into numbers itself."""
    match given:
        case bool() | None:
            return None
        case int() | float():
            number = number_of(repr(given))
            return None if number is None else Constant("numeric", number, text=repr(given))
        case str():
            return Constant("literal", text=given)
    return None

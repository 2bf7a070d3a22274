"""Statements that store rows, kept with the schema as it stood at that moment: a row is judged against its day's types.

Only what a later question needs is kept: references to tokens and to frozen tables, no copies of data.
"""

from __future__ import annotations

from dataclasses import dataclass

from squads.gates.sql.lex import Statement
from squads.gates.sql.model import Schema, Table, TableName


@dataclass(frozen=True, slots=True)
class Write:
    """One statement that stores, changes or removes rows, or that changes a table which may hold some."""

    statement: Statement
    schema: Schema
    """The tables once the statement has run; for statements about rows they are the same before and after."""
    search_schema: str = "public"
    """Where a table without a schema in its name is looked for."""

    def table(self, written: TableName) -> Table | None:
        """Return the table that is meant by a name, if the artifact knows it."""
        tables = [t for t in self.schema.tables if t.name == written[1] and written[0] in ("", t.schema)]
        here = [t for t in tables if t.schema == (written[0] or self.search_schema)]
        return here[-1] if here else tables[0] if len(tables) == 1 else None

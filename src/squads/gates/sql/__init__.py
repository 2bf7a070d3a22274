"""PostgreSQL as checks read it: `read_schema(artifact)` gives the tables that remain, `truth` weighs conditions."""

from squads.gates.place import Place
from squads.gates.sql.model import Check, Column, Element, Key, Schema, Table, quoted
from squads.gates.sql.python.schema import holds_schema
from squads.gates.sql.read import SCHEMA_FILES, SQL_BYTES_MAX, SQL_FILES, read_schema

__all__ = [
    "SCHEMA_FILES",
    "SQL_BYTES_MAX",
    "SQL_FILES",
    "Check",
    "Column",
    "Element",
    "Key",
    "Place",
    "Schema",
    "Table",
    "holds_schema",
    "quoted",
    "read_schema",
]

"""Operations of Alembic as SQL, with what only a check of the migration itself has to see."""

from __future__ import annotations

import ast
import copy

from squads.gates.check import CannotLook
from squads.gates.sql.model import HOLE
from squads.gates.sql.python.columns import column_names, flag, keyword
from squads.gates.sql.python.file import Sql, name, string
from squads.gates.sql.python.operations import OPERATIONS, Batch, Call
from squads.gates.sql.python.sqlalchemy_types import typed

TYPED = "squads_typed"
"""Stands for what a migration says of a column's type before it: table, column, type."""
PYTHON = "squads_python"
"""Stands for code that reads or writes rows in a way of its own: its arguments are the names in it."""


def index(call: Call) -> list[Sql]:
    """Return `op.create_index(...)`."""
    unique = "UNIQUE " if flag(call.scope, call.node, "unique") is True else ""
    word = "CONCURRENTLY " if flag(call.scope, call.node, "postgresql_concurrently") is True else ""
    given = call.argument(2, "columns", table_at=1)
    nodes = [m.node for m in call.scope.items(given) or [] if isinstance(m.node, ast.expr)] if given else []
    try:
        members: str | Sql = column_names(call.scope, nodes, {}, call.node)
    except CannotLook:
        members = f"{PYTHON}(1)"
    shown = call.scope.text(call.argument(0, "index_name"))
    called = f"{name(shown)} " if shown else ""
    if flag(call.scope, call.node, "if_not_exists") is True and called:
        called = f"IF NOT EXISTS {called}"
    return call.at(f"CREATE {unique}INDEX {word}{called}ON {call.table(1)} (", members, ")")


def foreign_key(call: Call, batch: Batch | None) -> list[Sql]:
    """`op.create_foreign_key(name, source, referent, local_cols, remote_cols, ondelete=...)`."""
    if batch is None:
        source = call.table(1, "source_table")
        referent, local = call.argument(2, "referent_table"), call.argument(3, "local_cols")
        schema = call.scope.text(keyword(call.node, "source_schema"))
        source = f"{name(schema)}.{source}" if schema else source
    else:
        source = call.table(0)
        referent, local = call.argument(1, "referent_table"), call.argument(2, "local_cols")
    nodes = [m.node for m in call.scope.items(local) or [] if isinstance(m.node, ast.expr)] if local else []
    try:
        columns: str | Sql = column_names(call.scope, nodes, {}, call.node)
    except CannotLook:
        columns = name(HOLE)
    shown = call.scope.text(call.argument(0, "constraint_name"))
    head = f"CONSTRAINT {name(shown)} " if shown else ""
    action = call.scope.text(keyword(call.node, "ondelete"))
    tail = f" ON DELETE {action.upper()}" if action else ""
    if flag(call.scope, call.node, "postgresql_not_valid") is True:
        tail += " NOT VALID"
    target = name(call.scope.text(referent) or HOLE)
    return call.at(f"ALTER TABLE {source} ADD {head}FOREIGN KEY (", columns, f") REFERENCES {target}{tail}")


def alter_column(call: Call) -> list[Sql]:
    """As `OPERATIONS` has it, with the USING of its type and the old type where it is given."""
    made = OPERATIONS["alter_column"](call)
    using = call.scope.sql(keyword(call.node, "postgresql_using"))
    if using is not None:
        made = [
            call.file.at(call.node, s.text, " USING ", using) if " TYPE " in s.text and n == 0 else s
            for n, s in enumerate(made)
        ]
    before = keyword(call.node, "existing_type")
    if before is not None and keyword(call.node, "type_") is not None:
        column = call.text(1, "column_name", table_at=0)
        told = [call.table(0).replace('"', ""), column, typed(call.scope, before).text]
        made = call.at(f"SELECT {TYPED}({', '.join(map(string, told))})") + made
    return made


def without_python_default(call: Call, batch: Batch | None) -> Call:
    """Return the call with its column's `default=` taken away: that one is for the application, not for old rows."""
    given = call.argument(1, "column", table_at=0)
    if not isinstance(given, ast.Call):
        return call
    column = copy.copy(given)
    column.keywords = [k for k in given.keywords if k.arg != "default"]
    node = copy.copy(call.node)
    node.args = [column if a is given else a for a in node.args]
    node.keywords = [ast.keyword(arg=k.arg, value=column) if k.value is given else k for k in node.keywords]
    return Call(call.file, call.scope, node, batch)

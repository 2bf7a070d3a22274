"""Alembic's operations as SQL, one function each.

Each gives what the operation sends to PostgreSQL. An argument that only running the code would tell raises `CannotLook`
where a table, a key or a CHECK hangs on it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

from squads.gates.sql.python.columns import (
    Definition,
    column,
    column_names,
    flag,
    keyword,
    named,
    nulls,
    unique_index,
)
from squads.gates.sql.python.conditions import condition
from squads.gates.sql.python.embedded import insert
from squads.gates.sql.python.file import PythonFile, Sql, listed, name, string
from squads.gates.sql.python.scope import UNKNOWN, Bound, Scope, returned
from squads.gates.sql.python.sqlalchemy_types import typed


class Batch(NamedTuple):
    """`with op.batch_alter_table("x") as batch_op`: the table that its calls leave out."""

    table: str
    schema: str | None


class Call:
    """One call of an operation, and how to read its arguments."""

    def __init__(self, file: PythonFile, scope: Scope, node: ast.Call, batch: Batch | None) -> None:
        self.file = file
        self.scope = scope
        self.node = node
        self._batch = batch

    def argument(self, place: int, word: str, *, table_at: int = -1) -> ast.expr | None:
        """Return an argument by its place or name; batch operations leave the table out of the places."""
        given = keyword(self.node, word)
        if given is not None:
            return given
        if self._batch and -1 < table_at < place:
            place -= 1
        return self.node.args[place] if place < len(self.node.args) else None

    def text(self, place: int, word: str, *, table_at: int = -1) -> str:
        """Return an argument's text. Raises `CannotLook` when only running the code would tell it."""
        text = self.scope.text(self.argument(place, word, table_at=table_at))
        if text is None:
            self.file.fail(
                self.node, f"{word} is only known when the code runs; write it as a plain string, or as a constant"
            )
        return text

    def optional(self, place: int, word: str, *, table_at: int = -1) -> str | None:
        """Return an argument's text, or None when there is none."""
        given = self.argument(place, word, table_at=table_at)
        return None if given is None or self.scope.value(given) is None else self.text(place, word, table_at=table_at)

    def table(self, place: int, word: str = "table_name") -> str:
        """Return the table's name as SQL. A schema that is only known when it runs is taken for the usual one."""
        table = self._batch.table if self._batch else self.text(place, word)
        schema = self._batch.schema if self._batch else self.scope.text(keyword(self.node, "schema"))
        return f"{name(schema)}.{name(table)}" if schema else name(table)

    def at(self, *pieces: str | Sql) -> list[Sql]:
        """Return one statement that this call stands for."""
        return [self.file.at(self.node, *pieces)]


def create_table(call: Call) -> list[Sql]:
    """`op.create_table(name, *columns, schema=...)`."""
    definition = Definition(call.table(0))
    for argument in call.node.args[1:]:
        definition.add(Bound(argument, call.scope))
    exists = "IF NOT EXISTS " if flag(call.scope, call.node, "if_not_exists") is True else ""
    words = call.scope.value(keyword(call.node, "prefixes"))
    kind = "TEMPORARY " if isinstance(words, list) and "TEMPORARY" in map(str, words) else ""
    tail = ""
    if inherits := call.scope.text(keyword(call.node, "postgresql_inherits")):
        tail = f" INHERITS ({name(inherits)})"
    made = call.at(f"CREATE {kind}TABLE {exists}{definition.table} (", listed(definition.items), f"){tail}")
    if comment := call.scope.text(keyword(call.node, "comment")):
        made += call.at(f"COMMENT ON TABLE {definition.table} IS {string(comment)}")
    return [*made, *definition.after]


def add_column(call: Call) -> list[Sql]:
    """`op.add_column(table, column)`."""
    given = call.argument(1, "column", table_at=0)
    found = call.scope.followed(given) if given is not None else Bound(None, call.scope)
    if isinstance(found.node, ast.Call) and call.file.called(found.node) not in ("Column",):
        found = returned(found) or found
    if not isinstance(found.node, ast.Call) or call.file.called(found.node) != "Column":
        call.file.fail(call.node, "this column is only known when the code runs; write it here")
    made = column(found.scope, found.node, {}, around=call.node)
    table = call.table(0)
    exists = "IF NOT EXISTS " if flag(call.scope, call.node, "if_not_exists") is True else ""
    return [*call.at(f"ALTER TABLE {table} ADD COLUMN {exists}", made.item), *made.after(table)]


def drop_column(call: Call) -> list[Sql]:
    """`op.drop_column(table, column)`."""
    return call.at(f"ALTER TABLE {call.table(0)} DROP COLUMN {name(call.text(1, 'column_name', table_at=0))}")


def alter_column(call: Call) -> list[Sql]:
    """`op.alter_column(table, column, nullable=..., type_=..., server_default=..., new_column_name=...)`."""
    table, shown = call.table(0), call.text(1, "column_name", table_at=0)
    head = f"ALTER TABLE {table} ALTER COLUMN {name(shown)} "
    made: list[Sql] = []
    if (new_type := keyword(call.node, "type_")) is not None:
        made += call.at(head, "TYPE ", typed(call.scope, new_type).text)
    nullable = flag(call.scope, call.node, "nullable")
    if nullable is UNKNOWN:
        call.file.fail(call.node, "nullable is only known when the code runs; write True or False")
    if nullable is not None:
        made += call.at(head, "DROP NOT NULL" if nullable else "SET NOT NULL")
    default = keyword(call.node, "server_default")
    if default is not None and call.scope.value(default) not in (False, None):
        value = call.scope.text(default)
        given = call.scope.sql(default)
        if value is not None and not isinstance(call.scope.followed(default).node, ast.Call):
            made += call.at(head, f"SET DEFAULT {string(value)}")
        elif given:
            made += call.at(head, "SET DEFAULT ", given)
    if comment := call.scope.text(keyword(call.node, "comment")):
        made += call.at(f"COMMENT ON COLUMN {table}.{name(shown)} IS {string(comment)}")
    new_name = keyword(call.node, "new_column_name") or keyword(call.node, "name")
    if new_name is not None and call.scope.value(new_name) is not None:
        text = call.scope.text(new_name)
        if text is None:
            call.file.fail(call.node, "the new name is only known when the code runs; write it as a plain string")
        made += call.at(f"ALTER TABLE {table} RENAME COLUMN {name(shown)} TO {name(text)}")
    return made


def create_unique_constraint(call: Call) -> list[Sql]:
    """`op.create_unique_constraint(name, table, columns)`."""
    return _key(call, "UNIQUE" + nulls(call.scope, call.node))


def create_primary_key(call: Call) -> list[Sql]:
    """`op.create_primary_key(name, table, columns)`."""
    return _key(call, "PRIMARY KEY")


def create_check_constraint(call: Call) -> list[Sql]:
    """`op.create_check_constraint(name, table, condition)`."""
    given = call.argument(2, "condition", table_at=1)
    head = named(call.scope, call.argument(0, "constraint_name"))
    if given is None:
        call.file.fail(call.node, "a check constraint without a condition; give it one")
    tail = " NOT ENFORCED" if flag(call.scope, call.node, "postgresql_not_enforced") is True else ""
    made = condition(call.scope, given, {})
    return call.at(f"ALTER TABLE {call.table(1)} ADD ", call.file.at(call.node, head, "CHECK (", made, ")"), tail)


def create_index(call: Call) -> list[Sql]:
    """`op.create_index(name, table, columns, unique=True)`."""
    if not flag(call.scope, call.node, "unique"):
        if flag(call.scope, call.node, "unique") is UNKNOWN:
            call.file.fail(call.node, "whether this index is unique is only known when the code runs; write it")
        return []
    members = _members(call, call.argument(2, "columns", table_at=1))
    scope = members[0].scope if members else call.scope
    nodes = [m.node for m in members if isinstance(m.node, ast.expr)]
    return unique_index(scope, call.node, call.argument(0, "index_name"), call.table(1), nodes, {})


def drop_constraint(call: Call) -> list[Sql]:
    """`op.drop_constraint(name, table, type_=...)`; a foreign key is no news."""
    kind = call.argument(2, "type_", table_at=1)
    if kind is not None and call.scope.text(kind) == "foreignkey":
        return []
    exists = "IF EXISTS " if flag(call.scope, call.node, "if_exists") is True else ""
    return call.at(f"ALTER TABLE {call.table(1)} DROP CONSTRAINT {exists}{name(call.text(0, 'constraint_name'))}")


def drop_index(call: Call) -> list[Sql]:
    """`op.drop_index(name)`."""
    return call.at(f"DROP INDEX {name(call.text(0, 'index_name'))}")


def drop_table(call: Call) -> list[Sql]:
    """`op.drop_table(name)`; one whose name is not known hides nothing, so it stays."""
    if call.scope.text(call.argument(0, "table_name")) is None:
        return []
    return call.at(f"DROP TABLE {call.table(0)}")


def rename_table(call: Call) -> list[Sql]:
    """`op.rename_table(old, new)`."""
    return call.at(f"ALTER TABLE {call.table(0, 'old_table_name')} RENAME TO {name(call.text(1, 'new_table_name'))}")


def bulk_insert(call: Call) -> list[Sql]:
    """`op.bulk_insert(table, rows)`: rows that are written out, as INSERT."""
    return insert(call.file, call.scope, call.node)


def _key(call: Call, kind: str) -> list[Sql]:
    given = call.argument(2, "columns", table_at=1)
    members = _members(call, given)
    nodes = [m.node for m in members if isinstance(m.node, ast.expr)]
    columns = column_names(members[0].scope if members else call.scope, nodes, {}, call.node)
    head = named(call.scope, call.argument(0, "constraint_name"))
    return call.at(f"ALTER TABLE {call.table(1)} ADD ", call.file.at(call.node, head, f"{kind} (", columns, ")"))


def _members(call: Call, given: ast.expr | None) -> list[Bound]:
    found = call.scope.items(given) if given is not None else None
    if not found:
        call.file.fail(call.node, "these columns are only known when the code runs; write their names")
    return found


OPERATIONS: dict[str, Callable[[Call], list[Sql]]] = {
    f.__name__: f
    for f in (
        create_table,
        add_column,
        drop_column,
        alter_column,
        create_unique_constraint,
        create_primary_key,
        create_check_constraint,
        create_index,
        drop_constraint,
        drop_index,
        drop_table,
        rename_table,
        bulk_insert,
    )
}
"""The operations that change tables, and how each one becomes SQL."""

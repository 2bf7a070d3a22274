"""SQLAlchemy's columns, constraints and indexes as SQL, each piece with its place in the Python file.

Alembic's `op.create_table`, `Table(...)` objects and declarative models all speak in these; the SQL is what SQLAlchemy
would send to PostgreSQL. What only running the code would tell raises `CannotLook` if a unique key or a CHECK could
hang on it; a name from elsewhere in a column list makes the table incomplete, and the checks weigh that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from squads.gates.sql.python.conditions import condition
from squads.gates.sql.python.file import Sql, listed, name, sql, string
from squads.gates.sql.python.scope import UNKNOWN, Bound, Scope, returned
from squads.gates.sql.python.sqlalchemy_types import TYPE_NAMES, typed
from squads.gates.words import word_set

COLUMN_CALLS = frozenset(("Column", "mapped_column", "Field"))
_NO_NEWS = word_set(
    "ForeignKeyConstraint ForeignKey Sequence FetchedValue DDL Comment ExcludeConstraint Relationship relationship"
)
_IN_COLUMN = word_set("ForeignKey CheckConstraint Computed Identity Sequence FetchedValue DefaultClause")
_ELSEWHERE = "LIKE columns_from_elsewhere INCLUDING ALL"
"""Says to the reader of SQL that the table has columns and constraints which are not in the artifact."""
_DEPTH_MAX = 8


@dataclass(slots=True)
class Definition:
    """What stands inside a table's brackets, and the statements that come after it."""

    table: str
    """The table's name as SQL, with its schema."""
    items: list[Sql] = field(default_factory=list)
    after: list[Sql] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Column names by the name they have in Python."""

    def add(self, bound: Bound, depth: int = 0) -> None:
        """Add one argument of a table: a column, a constraint, an index, or something that brings several."""
        scope, node = bound.scope, bound.node
        if isinstance(node, ast.Starred):
            inside = parts_of(scope, node.value)
            for part in inside or [Bound(None, scope)]:
                self.add(part, depth + 1)
            return
        found = scope.followed(node) if node is not None else bound
        scope, node = found.scope, found.node
        called = scope.file.called(node)
        if not isinstance(node, ast.Call):
            if not (isinstance(node, ast.Constant) and node.value is None):
                self.items.append(_elsewhere(scope, bound.node or node))
        elif called in COLUMN_CALLS:
            self._column(scope, node)
        elif called == "Index":
            self.after += index(scope, node, self.table, self.names)
        elif called in ("UniqueConstraint", "CheckConstraint", "PrimaryKeyConstraint"):
            self.items.append(constraint(scope, node, self.names))
        elif called not in _NO_NEWS:
            given = returned(found) if depth < _DEPTH_MAX else None
            if given is None or given.node is node:
                self.items.append(_elsewhere(scope, node))
            else:
                self.add(given, depth + 1)

    def _column(self, scope: Scope, node: ast.Call) -> None:
        made = column(scope, node, self.names)
        self.items.append(made.item)
        self.after += made.after(self.table)


@dataclass(frozen=True, slots=True)
class Made:
    """One column in SQL."""

    name: str
    item: Sql
    after: Callable[[str], list[Sql]]


def column(
    scope: Scope,
    node: ast.Call,
    names: dict[str, str],
    *,
    called: str = "",
    annotated: str = "",
    nullable: bool = True,
    around: ast.AST | None = None,
) -> Made:
    """Return a column call as SQL.

    Args:
        scope: Where its names mean something.
        node: `Column(...)`, `mapped_column(...)` or `Field(...)`.
        names: Column names by their names in Python; this one's is added.
        called: Its name where the call gives none: the attribute of a model.
        annotated: The SQL type of its annotation, for where the call gives none.
        nullable: Whether it may be NULL where the call does not say.
        around: The statement that stands for it, if more than the call.
    """
    positional = [a for a in node.args if not isinstance(a, ast.Starred)]
    if positional and isinstance(text := scope.value(positional[0]), str):
        shown, positional = text, positional[1:]
    else:
        given = keyword(node, "name") or keyword(node, "sa_column_name")
        shown = (scope.text(given) if given is not None else called) or ""
        if not called and positional and given is None:
            positional = positional[1:] if scope.value(positional[0]) is UNKNOWN and len(positional) > 1 else positional
    if not shown:
        scope.file.fail(node, "the name of this column is only known when the code runs; write it as a plain string")
    type_node = keyword(node, "type_") or keyword(node, "sa_type")
    extras: list[ast.expr] = []
    for argument in positional:
        if type_node is None and not _is_extra(scope, argument):
            type_node = argument
        else:
            extras.append(argument)
    kind = typed(scope, type_node) if type_node is not None else None
    if kind and kind.text.startswith('"') and annotated and not annotated.startswith('"'):
        kind = kind._replace(text=annotated)  # a type from elsewhere: what the model's annotation says of it
    type_text = kind.text if kind else annotated or _type_by_default(scope, extras)
    pieces: list[str | Sql] = [name(shown), " ", type_text]
    primary = flag(scope, node, "primary_key") is True
    pieces.append(_default(scope, node))
    for extra in extras:
        call = scope.followed(extra).node
        match scope.file.called(call):
            case "CheckConstraint" if isinstance(call, ast.Call):
                pieces += [" ", constraint(scope, call, {**names, called: shown})]
            case "Computed" if isinstance(call, ast.Call) and call.args:
                pieces += [" GENERATED ALWAYS AS (", condition(scope, call.args[0], names), ") STORED"]
            case "Identity":
                nullable = False
    may_be_null = flag(scope, node, "nullable", nullable and not primary)
    if may_be_null is UNKNOWN:
        scope.file.fail(node, f"whether {shown!r} is nullable is only known when the code runs; write True or False")
    if may_be_null is False and not primary:
        pieces.append(" NOT NULL")
    if kind and kind.unsigned:
        pieces.append(f" CHECK ({name(shown)} >= 0)")
    if primary:
        pieces.append(" PRIMARY KEY")
    unique, indexed = flag(scope, node, "unique"), flag(scope, node, "index")
    if unique is UNKNOWN:
        scope.file.fail(node, f"whether {shown!r} is unique is only known when the code runs; write True or False")
    if unique and not indexed:
        pieces.append(" UNIQUE")
    names[called or shown] = names[shown] = shown
    comment = scope.text(keyword(node, "comment"))

    def after(table: str) -> list[Sql]:
        made: list[Sql] = []
        if unique and indexed:
            made.append(scope.file.at(node, f"CREATE UNIQUE INDEX ON {table} ({name(shown)})"))
        if comment:
            made.append(scope.file.at(node, f"COMMENT ON COLUMN {table}.{name(shown)} IS {string(comment)}"))
        return made

    return Made(shown, scope.file.at(around or node, *pieces), after)


def constraint(scope: Scope, node: ast.Call, names: Mapping[str, str]) -> Sql:
    """Return `UniqueConstraint(...)`, `CheckConstraint(...)` or `PrimaryKeyConstraint(...)` as SQL."""
    called = scope.file.called(node)
    head = named(scope, keyword(node, "name"))
    if called == "CheckConstraint":
        given = keyword(node, "sqltext") or (node.args[0] if node.args else None)
        if given is None:
            scope.file.fail(node, "a CheckConstraint without a condition; give it one")
        return scope.file.at(node, head, "CHECK (", condition(scope, given, names), ")")
    members = column_names(scope, node.args, names, node)
    if called == "PrimaryKeyConstraint":
        return scope.file.at(node, head, "PRIMARY KEY (", members, ")")
    return scope.file.at(node, head, "UNIQUE", nulls(scope, node), " (", members, ")")


def index(scope: Scope, node: ast.Call, table: str, names: Mapping[str, str]) -> list[Sql]:
    """Return `Index("name", ..., unique=True)` as a statement; one that is not unique is no news."""
    return unique_index(scope, node, node.args[0] if node.args else None, table, node.args[1:], names)


def unique_index(
    scope: Scope,
    node: ast.Call,
    called: ast.expr | None,
    table: str,
    members: Iterable[ast.expr],
    names: Mapping[str, str],
) -> list[Sql]:
    """Return a unique index as a statement, nothing for another one. Raises `CannotLook` if that is not known."""
    unique = flag(scope, node, "unique")
    if not unique and unique is not UNKNOWN:
        return []
    if unique is UNKNOWN:
        scope.file.fail(node, "whether this index is unique is only known when the code runs; write True or False")
    pieces: list[str | Sql] = ["CREATE UNIQUE INDEX "]
    if flag(scope, node, "if_not_exists") is True and called is not None and scope.text(called):
        pieces.append("IF NOT EXISTS ")
    if called is not None and (text := scope.text(called)):
        pieces.append(f"{name(text)} ")
    pieces += ["ON ", table, " (", listed(_member(scope, m, names) for m in members), ")", nulls(scope, node)]
    where = keyword(node, "postgresql_where") or keyword(node, "sqlite_where")
    if where is not None:
        pieces += [" WHERE ", condition(scope, where, names)]
    return [scope.file.at(node, *pieces)]


def column_names(scope: Scope, members: Iterable[ast.expr], names: Mapping[str, str], node: ast.AST) -> Sql:
    """Return column names, given as strings or as column objects, with commas."""
    found: list[str] = []
    for member in members:
        if isinstance(member, ast.Starred):
            inside = scope.items(member.value)
            texts = [b.scope.text(b.node) for b in inside or []]
        else:
            texts = [scope.text(member) or column_object(scope, member, names)]
        if not texts or None in texts:
            scope.file.fail(member, "these columns are only known when the code runs; write their names")
        found += [t for t in texts if t]
    if not found:
        scope.file.fail(node, "a key without columns; name them")
    return sql(", ".join(map(name, found)))


def column_object(scope: Scope, node: ast.AST, names: Mapping[str, str]) -> str | None:
    """Return the column that `balance`, `t.c.balance`, `Wallet.balance` or `sa.column("balance")` names."""
    if isinstance(node, ast.Name):
        if node.id in names:
            return names[node.id]
        node = scope.followed(node).node or node
    if isinstance(node, ast.Attribute):
        return names.get(node.attr, node.attr)
    if isinstance(node, ast.Subscript):
        return scope.text(node.slice)
    if isinstance(node, ast.Call) and scope.file.called(node) in ("column", *COLUMN_CALLS) and node.args:
        return scope.text(node.args[0])
    return None


def parts_of(scope: Scope, node: ast.AST) -> list[Bound] | None:
    """Return the elements of a list, also of one that a function of this file returns."""
    items = scope.items(node)
    if items is not None:
        return items
    inside = returned(scope.followed(node))
    return inside.scope.items(inside) if inside is not None else None


def keyword(node: ast.Call, word: str) -> ast.expr | None:
    """Return the argument given by name."""
    return next((k.value for k in node.keywords if k.arg == word), None)


def flag(scope: Scope, node: ast.Call, word: str, otherwise: object = None) -> object:
    """Return the plain value of an argument given by name."""
    given = keyword(node, word)
    return otherwise if given is None else scope.value(given)


def named(scope: Scope, node: ast.expr | None) -> str:
    """Return `CONSTRAINT "name" `, empty where there is no name or it is not known."""
    text = scope.text(node) if node is not None else None
    return f"CONSTRAINT {name(text)} " if text else ""


def nulls(scope: Scope, node: ast.Call) -> str:
    """Return NULLS NOT DISTINCT where it is asked for."""
    given = flag(scope, node, "postgresql_nulls_not_distinct")
    if given is UNKNOWN:
        scope.file.fail(node, "whether NULLs are distinct here is only known when the code runs; write True or False")
    return " NULLS NOT DISTINCT" if given is True else ""


def _member(scope: Scope, node: ast.expr, names: Mapping[str, str]) -> Sql:
    """Return one member of an index."""
    if (text := scope.text(node)) is not None and not isinstance(scope.followed(node).node, ast.Call):
        return sql(name(text))
    if text := column_object(scope, node, names):
        return sql(name(text))
    return condition(scope, node, names, member=True)


def _is_extra(scope: Scope, node: ast.expr) -> bool:
    return scope.file.called(scope.followed(node).node) in _IN_COLUMN


def _type_by_default(scope: Scope, extras: list[ast.expr]) -> str:
    """Return the type of a column that gives none: a foreign key takes its target's, which is never a store."""
    del scope
    return "bigint" if extras else name("unknown type")


def _default(scope: Scope, node: ast.Call) -> str | Sql:
    """Return DEFAULT ...; a default that only Python sets is one too, for rows that the application writes."""
    given = keyword(node, "server_default")
    given = keyword(node, "default") if given is None else given
    if given is None:
        return ""
    if scope.file.called(given) in ("now", "current_timestamp"):
        return " DEFAULT now()"
    value = scope.value(given)
    if isinstance(value, bool) or value is None:
        return f" DEFAULT {str(value).lower()}" if value is not None else ""
    if isinstance(value, (int, float)):
        return f" DEFAULT {value}"
    if isinstance(value, str):
        return f" DEFAULT {string(value)}"
    made = scope.sql(given)
    return sql(" DEFAULT ", made) if made else ""


def _elsewhere(scope: Scope, node: ast.AST | None) -> Sql:
    return scope.file.at(node or scope.file.tree, _ELSEWHERE)


def is_type(scope: Scope, node: ast.AST) -> bool:
    """Return whether `node` names a type of SQLAlchemy."""
    return scope.file.called(node) in TYPE_NAMES

"""Classes that a revision maps to tables by SQLAlchemy's declarative base, their rows, and queries of a session."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

from squads.gates.sql.python.file import name as quoted
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.rehearsal.python.alchemy import Connection, Result
from squads.gates.sql.rehearsal.python.tables import Change, Column, Select, Table
from squads.gates.sql.rehearsal.python.things import (
    NOT_OURS,
    Row,
    Silent,
    Thing,
    as_piece,
    held,
    listed,
    pairs,
    piece,
    through,
)
from squads.gates.sql.rehearsal.value import NotKnown

_SAME = frozenset(
    ("yield_per", "options", "with_for_update", "execution_options", "enable_eagerloads", "populate_existing")
)


@dataclass(eq=False)
class Mapped(Thing):
    """A mapped class."""

    table: Table
    columns: dict[str, str]
    keys: tuple[str, ...]

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name in self.columns:
            return Column((f"{quoted(self.table.name)}.{quoted(self.columns[name])}",), name)
        if name == "__table__":
            return self.table
        if name in ("metadata", "registry"):
            return Silent()
        raise NotKnown

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        raise NotKnown

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        if args:
            raise NotKnown
        return Object(self, {self.columns.get(k, k): v for k, v in words.items()}, None)


@dataclass(eq=False)
class Object(Thing):
    """A row as code gets it; a change is stored at once where the row is."""

    kind: Mapped
    values: dict[str, Any]
    stage: Any

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        column = self.kind.columns.get(name, name)
        if column in self.values or name in self.kind.columns:
            return self.values.get(column)
        raise NotKnown

    def key(self) -> Any:
        """Return the value of the primary key."""
        raise NotKnown

    def assign(self, name: str, value: Any) -> None:
        """Set an attribute."""
        column = self.kind.columns.get(name)
        if column is None:
            raise NotKnown
        self.values[column] = value
        if self.stage is not None:
            assigned = piece(
                f"UPDATE {quoted(self.kind.table.name)} SET {quoted(column)} = ",  # noqa: S608
                as_piece(value),
                self.where(),
            )
            self.stage.did(*assigned.text())

    def where(self) -> Any:
        """Return the condition that finds the row."""
        if not self.kind.keys:
            raise NotKnown
        tests = [piece(f"{quoted(k)} = ", as_piece(self.values[k])) for k in self.kind.keys]
        return piece(" WHERE ", listed(tests, " AND "))

    def store(self, stage: Any) -> None:
        """Insert the row."""
        table = quoted(self.kind.table.name)
        names, values = listed([piece(quoted(c)) for c in self.values]), listed(map(as_piece, self.values.values()))
        stage.did(*piece(f"INSERT INTO {table} (", names, ") VALUES (", values, ")").text())
        self.stage = stage
        if len(self.kind.keys) == 1 and self.kind.keys[0] not in self.values:
            (key,) = self.kind.keys
            self.values[key] = stage.asked(f"SELECT max({quoted(key)}) AS k FROM {table}", {})[0]["k"]  # noqa: S608


def mapped(node: ast.ClassDef, scope: Scope) -> Mapped:
    """Return a class of the file as one that is mapped. Raises `NotKnown`."""
    table, columns, keys = "", dict[str, str](), list[str]()
    for line in node.body:
        target = (
            line.targets[0]
            if isinstance(line, ast.Assign)
            else line.target
            if isinstance(line, ast.AnnAssign)
            else None
        )
        value = line.value if isinstance(line, (ast.Assign, ast.AnnAssign)) else None
        if not isinstance(target, ast.Name):
            continue
        called = scope.file.called(value)
        if target.id == "__tablename__":
            table = scope.text(value) or ""
        elif target.id == "__table__" and isinstance(value, ast.Call) and value.args:
            raise NotKnown
        elif called in ("Column", "mapped_column") or (value is None and isinstance(line, ast.AnnAssign)):
            call = value if isinstance(value, ast.Call) else None
            shown = scope.text(call.args[0]) if call is not None and call.args else None
            columns[target.id] = shown or target.id
            if call is not None and any(k.arg == "primary_key" for k in call.keywords):
                keys.append(columns[target.id])
    if not table:
        raise NotKnown
    return Mapped(Table(table, tuple(columns.values())), columns, tuple(keys))


@dataclass(eq=False)
class Query(Thing):
    """`session.query(...)`, or what `select(...)` of a mapped class gives."""

    stage: Any
    chosen: tuple[Any, ...]
    select: Select
    joins: tuple[Any, ...] = field(default=())

    def rows(self) -> list[Any]:
        """Return what a loop goes through."""
        found = [{k: held(v) for k, v in r.items()} for r in self.stage.asked(*self.select.piece().text())]
        if len(self.chosen) == 1 and isinstance(self.chosen[0], Mapped):
            return [Object(self.chosen[0], f, self.stage) for f in found]
        return [Row(f) for f in found]

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in _SAME:
            return self
        if name in ("filter", "where", "order_by", "distinct", "limit", "group_by", "having"):
            return replace(self, select=self.select.method(name, args, words))
        if name == "filter_by":
            kind = self._kind()
            tests = [Column((*kind.attribute(k).parts, " = ", *as_piece(v).parts)) for k, v in words.items()]
            return replace(self, select=self.select.method("where", tests, {}))
        if name in ("get",) and args:
            key = Column((f"{quoted(self._kind().keys[0])} = ", *as_piece(args[0]).parts))
            return replace(self, select=self.select.method("where", [key], {})).method("first", [], {})
        if name in ("update", "delete"):
            change = Change(name, self._kind().table, self.select.where)
            if name == "update":
                values = {k if isinstance(k, str) else k.label: v for k, v in pairs(args[0]).items()}
                change = replace(change, values=(values,))
            return Connection(self.stage).run(change).changed
        if name == "count":
            return len(self.rows())
        return Result(self.rows()).method(name, args, words)

    def _kind(self) -> Mapped:
        if not isinstance(self.chosen[0], Mapped):
            raise NotKnown
        return self.chosen[0]

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        return Result(self.rows()).item(key)


def query(stage: Any, chosen: tuple[Any, ...]) -> Query:
    """Return a query over classes and columns."""
    return Query(stage, chosen, Select(tuple(c.table if isinstance(c, Mapped) else c for c in chosen)))


@dataclass(eq=False)
class Session(Connection):
    """A session."""

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name == "query":
            return query(self.stage, tuple(args))
        if name in ("add", "merge") and isinstance(args[0], Object):
            if args[0].stage is None:
                args[0].store(self.stage)
            return args[0]
        if name in ("add_all", "bulk_save_objects"):
            for one in through(args[0]):
                self.method("add", [one], {})
            return None
        if name in ("bulk_insert_mappings", "bulk_update_mappings") and isinstance(args[0], Mapped):
            for one in through(args[1]):
                row = Object(args[0], {}, None)
                values = {args[0].columns.get(str(k), str(k)): v for k, v in pairs(one).items()}
                if name == "bulk_insert_mappings":
                    row.values = values
                    row.store(self.stage)
                    continue
                row.values, row.stage = {k: values[k] for k in args[0].keys}, self.stage
                for column, value in values.items():
                    if column not in args[0].keys:
                        row.assign(column, value)
            return None
        if name == "delete" and isinstance(args[0], Object):
            self.stage.did(*piece(f"DELETE FROM {quoted(args[0].kind.table.name)}", args[0].where()).text())  # noqa: S608
            return None
        if name == "get" and len(args) == 2:
            return query(self.stage, (args[0],)).method("get", [args[1]], {})
        if name in ("execute", "scalars") and args and isinstance(args[0], Query):
            return args[0]
        if name in ("refresh", "expunge"):
            return None
        return super().method(name, args, words)


def mapped_call(name: str, args: list[Any], stage: Any) -> Any:
    """Return what `select`, `update`, ... of mapped classes gives; `NOT_OURS` for anything else."""
    if name == "select" and any(isinstance(a, Mapped) for a in args):
        return query(stage, tuple(args))
    if name in ("update", "insert", "delete") and args and isinstance(args[0], Mapped):
        return Change(name, args[0].table)
    return NOT_OURS

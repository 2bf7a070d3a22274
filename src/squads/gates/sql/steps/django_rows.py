"""What a function of `RunPython` does to rows, as SQL: querysets that update or delete, and loops that save each row.

A loop over rows that computes each from itself is one UPDATE, one that makes rows is one INSERT ... SELECT. A function
in which something else happens raises `NotTold`.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from squads.gates.sql.python.django import State
from squads.gates.sql.python.django_fields import Model
from squads.gates.sql.python.file import PythonFile, Sql, name
from squads.gates.sql.python.scope import Bound, Scope
from squads.gates.sql.steps.row_values import NotTold, Values, halves

_SAME_ROWS = frozenset(("all", "iterator", "order_by", "only", "defer", "select_related", "using", "values", "distinct",
                        "prefetch_related", "select_for_update"))  # fmt: skip
_SILENT = frozenset(("print", "info", "debug", "warning", "log", "write", "append", "add", "exception", "count"))
_MADE = frozenset(("create", "get_or_create", "update_or_create"))


@dataclass(slots=True)
class _Rows:
    """A queryset: a model and conditions."""

    model: Model
    where: list[str] = field(default_factory=list)

    @property
    def tail(self) -> str:
        return f" WHERE {' AND '.join(self.where)}" if self.where else ""


@dataclass(slots=True)
class _Loop:
    """One loop over rows."""

    rows: _Rows
    variable: str
    values: Values
    pending: dict[str, str] = field(default_factory=dict)
    looked_up: dict[str, str] = field(default_factory=dict)
    """Variables that hold a row of another model, as a query for its key."""


class DjangoRows:
    """Reads one function."""

    def __init__(self, file: PythonFile, scope: Scope, state: State) -> None:
        self.file = file
        self.scope = Scope(file, scope)
        self.state = state
        self.made: list[Sql] = []
        self._models: dict[str, Model] = {}
        self._sets: dict[str, ast.expr] = {}
        self._lists: dict[str, list[ast.Call]] = {}

    def function(self, node: ast.FunctionDef) -> list[Sql]:
        """Return the statements of a function. Raises `NotTold`."""
        self._block(node.body)
        return self.made

    def _block(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            match statement:
                case ast.Expr(value=ast.Constant()) | ast.Pass() | ast.Import() | ast.ImportFrom() | ast.Return():
                    continue
                case ast.Assign(targets=[ast.Name(id=known)], value=value):
                    self._assigned(known, value)
                case ast.Expr(value=ast.Call() as call):
                    self._call(call)
                case ast.For(target=target, iter=iterated, body=inside, orelse=[]):
                    self._loop(target, iterated, inside)
                case ast.With(body=inside):
                    self._block(inside)
                case ast.If(test=test, body=inside, orelse=[]) if isinstance(inside[-1], (ast.Return, ast.Raise)):
                    if len(inside) > 1 or "exists" not in ast.unparse(test):
                        raise NotTold
                case _:
                    raise NotTold

    def _assigned(self, known: str, value: ast.expr) -> None:
        called = self.file.called(value) if isinstance(value, ast.Call) else ""
        if called == "get_model" and isinstance(value, ast.Call):
            texts = [self.scope.text(a) for a in value.args]
            if len(texts) == 1 and texts[0] and "." in texts[0]:
                texts = list(texts[0].split("."))
            if len(texts) != 2 or None in texts:
                raise NotTold
            self._models[known] = self.state.model(str(texts[0]), str(texts[1]))
        elif isinstance(value, ast.List) and not value.elts:
            self._lists[known] = []
        elif ".objects" in ast.unparse(value) and isinstance(value, ast.Call):
            if called in ("update", "delete", "bulk_create", *_MADE):
                self._call(value)
            else:
                self._sets[known] = value
        else:
            self.scope.bind(ast.Name(id=known, ctx=ast.Store()), Bound(value, self.scope))

    def _rows(self, node: ast.expr) -> _Rows:
        """Return a queryset."""
        if isinstance(node, ast.Name) and node.id in self._sets:
            return self._rows(self._sets[node.id])
        if isinstance(node, ast.Attribute) and node.attr in ("objects", "_default_manager"):
            return _Rows(self._model(node.value))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            rows = self._rows(node.func.value)
            if node.func.attr in _SAME_ROWS:
                return rows
            if node.func.attr in ("filter", "exclude") and not node.args:
                values = self._values(rows.model)
                tests = [values.lookup(str(k.arg), k.value) for k in node.keywords]
                if node.func.attr == "exclude":
                    empty = len(tests) == 1 and tests[0].endswith(" = ''")
                    tests = [
                        tests[0].replace(" = ''", " <> ''") if empty else f"NOT coalesce({' AND '.join(tests)}, false)"
                    ]
                return _Rows(rows.model, [*rows.where, *tests])
        raise NotTold

    def _model(self, node: ast.expr) -> Model:
        if isinstance(node, ast.Name) and node.id in self._models:
            return self._models[node.id]
        raise NotTold

    def _values(self, model: Model) -> Values:
        return Values(self.scope, plain=lambda f: name(model.column("id" if f == "pk" else f)))

    def _call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Attribute):
            if self.file.called(node) in _SILENT:
                return
            raise NotTold
        called, owner = node.func.attr, node.func.value
        if called in ("update", "delete"):
            rows = self._rows(owner)
            if called == "delete":
                self._tell(node, f"DELETE FROM {rows.model.sql}{rows.tail}")  # noqa: S608  (read, never run)
                return
            values = self._values(rows.model)
            pairs = [(rows.model.column(str(k.arg)), values.sql(k.value)) for k in node.keywords]
            self._tell(node, f"UPDATE {rows.model.sql} SET {_set(pairs)}{rows.tail}")  # noqa: S608
        elif called in ("bulk_create", "bulk_update"):
            self._bulk(node, called)
        elif called not in _SILENT:
            raise NotTold

    def _bulk(self, node: ast.Call, called: str) -> None:
        given = node.args[0] if node.args else None
        if isinstance(given, ast.Name) and given.id in self._lists:
            return  # told where the loop put them there
        if called == "bulk_create" and isinstance(given, (ast.ListComp, ast.GeneratorExp)):
            (generator,) = given.generators if len(given.generators) == 1 else (None,)
            if generator is not None and isinstance(generator.target, ast.Name) and isinstance(given.elt, ast.Call):
                loop = self._entered(generator.target, generator.iter)
                tests = [loop.values.condition(t) for t in generator.ifs]
                self._insert(loop, given.elt, self._model(given.elt.func), tests)
                return
        raise NotTold

    def _entered(self, target: ast.expr, iterated: ast.expr) -> _Loop:
        if not isinstance(target, ast.Name):
            raise NotTold
        rows = self._rows(iterated)

        loop = _Loop(rows, target.id, Values(self.scope))

        def column(called: str) -> str:
            found = rows.model.column("id" if called == "pk" else called)
            if found in loop.pending:
                raise NotTold  # it holds something else by now
            return name(found)

        loop.values.rows[target.id] = column
        return loop

    def _loop(self, target: ast.expr, iterated: ast.expr, body: list[ast.stmt]) -> None:
        loop = self._entered(target, iterated)
        self._turn(loop, body, [])

    def _turn(self, loop: _Loop, body: Sequence[ast.stmt], guard: list[str]) -> None:
        for statement in body:
            match statement:
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=row), attr=attribute)], value=value) if (
                    row == loop.variable
                ):
                    column = loop.rows.model.column(attribute)
                    shown = self._value(loop, value)
                    before = loop.pending.get(column, name(column))
                    loop.pending[column] = (
                        f"CASE WHEN {' AND '.join(guard)} THEN {shown} ELSE {before} END" if guard else shown
                    )
                case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Call() as call):
                    self._unpacked(loop, names, call, guard)
                case ast.Assign(targets=[ast.Name(id=known)], value=value):
                    self._named(loop, known, value, guard)
                case ast.If(test=test, body=inside, orelse=orelse):
                    shown = loop.values.condition(test)
                    if isinstance(inside[-1], ast.Continue) and len(inside) == 1 and not orelse:
                        guard = [*guard, f"NOT {shown}"]
                        continue
                    self._turn(loop, inside, [*guard, shown])
                    self._turn(loop, orelse, [*guard, f"NOT {shown}"])
                case ast.Expr(value=ast.Call() as call):
                    self._did(loop, call, guard)
                case ast.AugAssign(target=ast.Name()) | ast.Pass() | ast.Expr(value=ast.Constant()):
                    continue
                case _:
                    raise NotTold

    def _value(self, loop: _Loop, value: ast.expr) -> str:
        if isinstance(value, ast.Name) and value.id in loop.looked_up:
            return loop.looked_up[value.id]
        match value:
            case ast.Attribute(value=ast.Name(id=known), attr="id" | "pk") if known in loop.looked_up:
                return loop.looked_up[known]
        if isinstance(value, ast.Name) and value.id == loop.variable:
            return name(loop.rows.model.column("id"))
        return loop.values.sql(value)

    def _named(self, loop: _Loop, known: str, value: ast.expr, guard: list[str]) -> None:
        if isinstance(value, ast.Call) and self.file.called(value) == "first" and isinstance(value.func, ast.Attribute):
            found = value.func.value
            if isinstance(found, ast.Call) and self.file.called(found) == "filter":
                rows = self._rows(found.func.value) if isinstance(found.func, ast.Attribute) else None
                if rows is not None and not found.args and not rows.where:
                    loop.looked_up[known] = self._key(loop, rows.model, found.keywords)
                    return
            raise NotTold
        if isinstance(value, ast.Call) and self.file.called(value) in _MADE:
            self._made_row(loop, known, value, guard)
            return
        loop.values.names[known] = self._value(loop, value)

    def _unpacked(self, loop: _Loop, names: list[ast.expr], call: ast.Call, guard: list[str]) -> None:
        if not all(isinstance(n, ast.Name) for n in names):
            raise NotTold
        known = [n.id for n in names if isinstance(n, ast.Name)]
        called = self.file.called(call)
        if called in ("partition", "rpartition") and len(known) == 3 and isinstance(call.func, ast.Attribute):
            parts = halves(called, loop.values.sql(call.func.value), loop.values.sql(call.args[0]))
            loop.values.names |= dict(zip(known, parts, strict=True))
        elif called in _MADE and len(known) == 2:
            self._made_row(loop, known[0], call, guard)
        else:
            raise NotTold

    def _made_row(self, loop: _Loop, known: str, call: ast.Call, guard: list[str]) -> None:
        if not isinstance(call.func, ast.Attribute):
            raise NotTold
        model = self._rows(call.func.value).model
        keys = [k for k in call.keywords if k.arg != "defaults"]
        if (self.file.called(call) == "create" and known) or known:
            loop.looked_up[known] = self._key(loop, model, keys)
        self._insert(loop, call, model, guard, once=self.file.called(call) != "create")

    def _key(self, loop: _Loop, model: Model, keys: Sequence[ast.keyword]) -> str:
        table = loop.rows.model.sql
        tests = []
        for key in keys:
            shown = self._value(loop, key.value)
            tests.append(f"there_.{name(model.column(str(key.arg)))} = {_qualified(shown, table)}")
        own = name(model.column("id"))
        return f"(SELECT there_.{own} FROM {model.sql} AS there_ WHERE {' AND '.join(tests)} LIMIT 1)"  # noqa: S608

    def _did(self, loop: _Loop, call: ast.Call, guard: list[str]) -> None:
        called = self.file.called(call)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        if called == "save" and isinstance(owner, ast.Name) and owner.id == loop.variable:
            self._saved(loop, call, guard)
        elif called == "append" and isinstance(owner, ast.Name) and owner.id in self._lists:
            (given,) = call.args
            if isinstance(given, ast.Name) and given.id == loop.variable:
                self._saved(loop, call, guard)
            elif isinstance(given, ast.Call) and isinstance(given.func, ast.Name) and given.func.id in self._models:
                self._insert(loop, given, self._models[given.func.id], guard)
            else:
                raise NotTold
        elif called in _MADE and owner is not None:
            self._made_row(loop, "", call, guard)
        elif called == "update" and owner is not None and isinstance(owner, ast.Call):
            self._own_row(loop, owner, call, guard)
        elif called not in _SILENT:
            raise NotTold

    def _own_row(self, loop: _Loop, owner: ast.Call, call: ast.Call, guard: list[str]) -> None:
        """`Model.objects.filter(pk=row.pk).update(...)` of the row that the loop stands at."""
        keys = {str(k.arg): ast.unparse(k.value) for k in owner.keywords}
        own = {f"{loop.variable}.pk", f"{loop.variable}.id"}
        if self.file.called(owner) != "filter" or len(keys) != 1 or not set(keys.values()) <= own:
            raise NotTold
        if not isinstance(owner.func, ast.Attribute) or self._rows(owner.func.value).model is not loop.rows.model:
            raise NotTold
        for key in call.keywords:
            loop.pending[loop.rows.model.column(str(key.arg))] = self._value(loop, key.value)
        self._saved(loop, call, guard)

    def _saved(self, loop: _Loop, node: ast.Call, guard: list[str]) -> None:
        where = [*loop.rows.where, *guard]
        tail = f" WHERE {' AND '.join(where)}" if where else ""
        if loop.pending:
            self._tell(node, f"UPDATE {loop.rows.model.sql} SET {_set(list(loop.pending.items()))}{tail}")  # noqa: S608

    def _insert(self, loop: _Loop, call: ast.Call, model: Model, guard: list[str], *, once: bool = False) -> None:
        if call.args:
            raise NotTold
        pairs = []
        for key in call.keywords:
            if key.arg == "defaults" and isinstance(key.value, ast.Dict):
                for one, two in zip(key.value.keys, key.value.values, strict=True):
                    pairs.append((model.column(str(self.scope.text(one))), self._value(loop, two)))
            else:
                pairs.append((model.column(str(key.arg)), self._value(loop, key.value)))
        where = [*loop.rows.where, *guard]
        tail = f" WHERE {' AND '.join(where)}" if where else ""
        columns, values = ", ".join(name(c) for c, _ in pairs), ", ".join(v for _, v in pairs)
        word = "DISTINCT " if once else ""
        self._tell(call, f"INSERT INTO {model.sql} ({columns}) SELECT {word}{values} FROM {loop.rows.model.sql}{tail}")  # noqa: S608

    def _tell(self, node: ast.AST, text: str) -> None:
        self.made.append(self.file.at(node, text))


def _set(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name(c)} = {v}" for c, v in pairs)


def _qualified(shown: str, table: str) -> str:
    """Return a plain column with its table in front, for use inside another query."""
    return f"{table}.{shown}" if shown.startswith('"') and shown.endswith('"') and " " not in shown else shown

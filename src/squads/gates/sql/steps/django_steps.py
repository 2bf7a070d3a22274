"""Everything that a Django migration sends, rows included; see `alembic_steps.py` for what stands for Python's code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.sql.model import HOLE
from squads.gates.sql.python.columns import flag, keyword
from squads.gates.sql.python.django import MigrationReader, State, operations
from squads.gates.sql.python.file import PythonFile, Sql, name, string
from squads.gates.sql.python.scope import Bound, Scope
from squads.gates.sql.steps.alembic_steps import used
from squads.gates.sql.steps.django_rows import DjangoRows
from squads.gates.sql.steps.plays import PLAY, Play, known_models, lines_of
from squads.gates.sql.steps.row_values import NotTold


class StepsMigration(MigrationReader):
    """Turns the operations of one migration into statements, and leaves none out that touches a table."""

    def __init__(self, file: PythonFile, scope: Scope, state: State, plays: dict[str, Play]) -> None:
        super().__init__(file, scope, state)
        self.plays = plays

    def operation(self, given: ast.AST | None, *, only_state: bool = False, depth: int = 0) -> list[Sql]:
        """Return one operation as statements; one that is not known gives none."""
        node = self.scope.followed(given).node if given is not None else None
        if not isinstance(node, ast.Call) or only_state:
            return super().operation(given, only_state=only_state, depth=depth)
        match self.file.called(node):
            case "AddIndex":
                return list(self._index(node, ""))
            case "AddIndexConcurrently":
                return list(self._index(node, "CONCURRENTLY "))
            case "RemoveIndexConcurrently":
                return [self.file.at(node, f"DROP INDEX CONCURRENTLY {name(HOLE)}")]
            case "AddConstraintNotValid":
                return [self.file.at(node, made, " NOT VALID") for made in super()._add_constraint(node)]
            case "CreateModel":
                made = super().operation(given, only_state=only_state, depth=depth)
                return [*made, *self._between_all(node)]
            case "AddField" if self._many_to(keyword(node, "field") or next(iter(node.args[2:]), None)):
                to = self._many_to(keyword(node, "field") or node.args[2])
                return list(self._between(node, self._text(node, 0, "model_name"), self._text(node, 1, "name"), to))
            case "RemoveField" if self._text(node, 1, "name") in self._model(node).many:
                model, called = self._model(node), self._text(node, 1, "name")
                del model.many[called]
                return [self.file.at(node, f"DROP TABLE {name(f'{model.table}_{called}')}")]
            case "AlterField" | "AddField":
                made = super().operation(given, only_state=only_state, depth=depth)
                return [*made, *self._field_index(node)]
            case "RunPython":
                return list(self._python(node))
            case "RunSQL":
                return list(self._texts(node))
            case _:
                return super().operation(given, only_state=only_state, depth=depth)

    def _many_to(self, given: ast.expr | None) -> str:
        """Return to which model a field of many rows goes whose table Django makes; empty for any other field."""
        field = self.scope.followed(given).node if given is not None else None
        if not isinstance(field, ast.Call) or self.file.called(field) != "ManyToManyField" or keyword(field, "through"):
            return ""
        return self.scope.text(keyword(field, "to") or next(iter(field.args), None)) or ""

    def _between_all(self, node: ast.Call) -> Iterator[Sql]:
        written = keyword(node, "fields") or (node.args[1] if len(node.args) > 1 else None)
        for part in self.scope.items(written) or [] if written is not None else []:
            pair = part.scope.items(part) or []
            to = self._many_to(pair[1].node) if len(pair) == 2 and isinstance(pair[1].node, ast.expr) else ""
            shown = part.scope.text(pair[0].node) if to else None
            if shown:
                yield from self._between(node, self._text(node, 0, "name"), shown, to)

    def _between(self, node: ast.Call, called: str, field: str, to: str) -> Iterator[Sql]:
        """Yield the table that Django makes between two models."""
        model = self.state.model(self.app, called)
        model.many[field] = to
        one, two = f"{called.lower()}_id", f"{to.lower().rpartition('.')[2]}_id"
        if one == two or to == "self":
            return
        yield self.file.at(
            node,
            f"CREATE TABLE {name(f'{model.table}_{field}')} (id bigserial PRIMARY KEY, {name(one)} bigint NOT NULL, "
            f"{name(two)} bigint NOT NULL, UNIQUE ({name(one)}, {name(two)}))",
        )

    def _index(self, node: ast.Call, word: str) -> Iterator[Sql]:
        model = self._model(node)
        yield self.file.at(node, f"CREATE INDEX {word}ON {model.sql} ({name(HOLE)})")

    def _field_index(self, node: ast.Call) -> Iterator[Sql]:
        """Yield the index that `db_index=True` builds on a field that stood without one."""
        model, called = self._model(node), self._text(node, 1, "name")
        field = self.scope.followed(keyword(node, "field") or (node.args[2:] or [node])[0]).node
        if isinstance(field, ast.Call) and flag(self.scope, field, "db_index") is True and called not in model.indexed:
            model.indexed.add(called)
            if self.file.called(node) == "AlterField":
                yield self.file.at(node, f"CREATE INDEX ON {model.sql} ({name(model.column(called))})")

    def _texts(self, node: ast.Call) -> Iterator[Sql]:
        """Yield the SQL of `RunSQL`, whatever it does."""
        given = keyword(node, "sql") or (node.args[0] if node.args else None)
        for part in self.scope.items(given) or [Bound(given, self.scope)] if given is not None else ():
            inside = part.scope.items(part)
            first = inside[0] if inside else part
            made = first.scope.sql(first.node)
            if made is not None and made.text.strip():
                yield replace(self.file.at(node, made), raw=True)

    def _python(self, node: ast.Call) -> Iterator[Sql]:
        """Yield what a RunPython function does to all rows of a model, and the names it uses."""
        given = node.args[0] if node.args else keyword(node, "code")
        found = self.scope.followed(given).node if given is not None else None
        if not isinstance(found, ast.FunctionDef):
            return
        try:
            yield from DjangoRows(self.file, self.scope, self.state).function(found)
            return
        except (NotTold, RecursionError):
            pass  # then it is played, and what it names, and what it does to all rows, is all that is known besides
        key = f"{self.file.path}#{len(self.plays)}"
        names = tuple(a.arg for a in (*found.args.posonlyargs, *found.args.args))
        self.plays[key] = Play(
            self.file, found.body, self.scope, names, True, known_models(self.state), lines_of([found, node])
        )
        yield self.file.at(node, f"SELECT {PLAY}({string(key)})")
        yield replace(used(self.file, found), spans=self.file.at(node, "").spans)
        models: dict[str, str] = {}
        for inner in ast.walk(found):
            if isinstance(inner, ast.Assign) and self.file.called(inner.value) == "get_model":
                call = inner.value
                texts = [a.value for a in getattr(call, "args", []) if isinstance(a, ast.Constant)]
                if len(texts) == 2 and isinstance(inner.targets[0], ast.Name):
                    models[inner.targets[0].id] = self.state.model(str(texts[0]), str(texts[1])).sql
        for inner in ast.walk(found):
            if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
                yield from self._rows(inner, inner.func, models)

    def _rows(self, node: ast.Call, func: ast.Attribute, models: dict[str, str]) -> Iterator[Sql]:
        """Yield `Model.objects.all().delete()` and `Model.objects.update(...)` as statements."""
        text = ast.unparse(func.value)
        table = models.get(text.split(".")[0])
        if table is None or ".objects" not in text:
            return
        if func.attr == "delete" and not ("filter(" in text or "exclude(" in text):
            yield self.file.at(node, f"DELETE FROM {table}")  # noqa: S608  (read, never run)
        elif func.attr == "update" and not ("filter(" in text or "exclude(" in text):
            pairs = [(k.arg, k.value) for k in node.keywords if k.arg]
            values = ", ".join(f"{name(c)} = {_value(v)}" for c, v in pairs)
            yield self.file.at(node, f"UPDATE {table} SET {values or HOLE + ' = ' + HOLE}")  # noqa: S608


def _value(node: ast.expr) -> str:
    """Return an assigned value: a constant, or the column that `F("x")` names."""
    if isinstance(node, ast.Constant):
        return "NULL" if node.value is None else repr(node.value) if isinstance(node.value, (int, float)) else "'x'"
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        return name(str(node.args[0].value))
    return "squads_python(1)"


def read_django(file: PythonFile, module: Scope, state: State) -> tuple[list[Sql], list[str], bool, dict[str, Play]]:
    """Return what a migration sends, what could not be told, whether it is one transaction, and what is played."""
    plays: dict[str, Play] = {}
    made: list[Sql] = []
    problems: list[str] = []
    atomic = True
    for node in file.tree.body:
        if not (isinstance(node, ast.ClassDef) and node.name == "Migration"):
            continue
        inner = Scope(file, module)
        inner.read(node.body)
        atomic = inner.value(ast.Name(id="atomic", ctx=ast.Load())) is not False
        try:
            parts: list[Bound] = operations(inner, ast.Name(id="operations", ctx=ast.Load()))
        except CannotLook as error:
            problems.append(str(error))
            continue
        for part in parts:
            try:
                made += StepsMigration(file, part.scope, state, plays).operation(part.node)
            except CannotLook as error:
                problems.append(str(error))
    return made, problems, atomic, plays

"""Everything that a Django migration sends, rows included; see `alembic_steps.py` for what stands for Python's code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.sql.model import HOLE
from squads.gates.sql.python.columns import keyword
from squads.gates.sql.python.django import MigrationReader, State, operations
from squads.gates.sql.python.file import PythonFile, Sql, name
from squads.gates.sql.python.scope import Bound, Scope
from squads.gates.sql.steps.alembic_steps import used
from squads.gates.sql.steps.django_rows import DjangoRows
from squads.gates.sql.steps.row_values import NotTold


class StepsMigration(MigrationReader):
    """Turns the operations of one migration into statements, and leaves none out that touches a table."""

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
            case "RunPython":
                return list(self._python(node))
            case "RunSQL":
                return list(self._texts(node))
            case _:
                return super().operation(given, only_state=only_state, depth=depth)

    def _index(self, node: ast.Call, word: str) -> Iterator[Sql]:
        model = self._model(node)
        yield self.file.at(node, f"CREATE INDEX {word}ON {model.sql} ({name(HOLE)})")

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
            pass  # then what it names, and what it does to all rows, is all that is known
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


def read_django(file: PythonFile, module: Scope, state: State) -> tuple[list[Sql], list[str], bool]:
    """Return what a migration sends, what could not be told, and whether it runs in one transaction."""
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
                made += StepsMigration(file, part.scope, state).operation(part.node)
            except CannotLook as error:
                problems.append(str(error))
    return made, problems, atomic

"""Everything that an Alembic revision sends, rows included: what a check of the migration itself has to see.

`python/alembic.py` reads a revision for the schema it leaves. Here the same walk keeps plain indexes, foreign keys,
`op.execute` of any SQL, and SQLAlchemy's `update()` and `delete()`; an `autocommit_block` becomes COMMIT and BEGIN.
Code that copies rows by itself becomes a call of `squads_python` with the names it uses, and code that raises if rows
are there a call of `squads_guard`. What cannot be told is passed over and remembered in `problems`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.sql.model import HOLE
from squads.gates.sql.python.alembic import Reader, decided
from squads.gates.sql.python.columns import flag, keyword
from squads.gates.sql.python.conditions import condition
from squads.gates.sql.python.dicts import pairs_of
from squads.gates.sql.python.embedded import EXECUTE_CALLS, runs, table_name
from squads.gates.sql.python.file import PythonFile, Sql, name, string
from squads.gates.sql.python.operations import OPERATIONS, Batch, Call
from squads.gates.sql.python.scope import UNKNOWN, Bound, Scope
from squads.gates.sql.steps.alembic_calls import PYTHON, alter_column, foreign_key, index, without_python_default
from squads.gates.sql.steps.loop_rows import LoopRows
from squads.gates.sql.steps.plays import PLAY, Play, copied, lines_of
from squads.gates.sql.steps.row_values import NotTold

_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)\b", re.IGNORECASE)
_OPEN = re.compile(rf"squads_python|squads_guard|{HOLE}|(?<![:\w]):[a-z_]\w*|^\s*(select|with)\b", re.IGNORECASE)
"""What a statement has that does not tell by itself what it does."""
_ROW_CALLS = EXECUTE_CALLS | {"bulk_insert", "scalar", "scalars", "query", "add_all", "fetchall", "fetchone"}
_ROWS_ONLY = frozenset(("execute", "bulk_insert", "get_bind", "get_context", "inline_literal", "f"))
_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.Call, ast.ListComp, ast.DictComp, ast.SetComp)
GUARD = "squads_guard"
"""Stands for code that stops when it finds rows: its argument is the code that asks."""


class StepsReader(Reader):
    """Walks through `upgrade()` and keeps all of it."""

    def __init__(self, file: PythonFile, module: Scope) -> None:
        super().__init__(file, module)
        self.problems: list[str] = []
        self.plays: dict[str, Play] = {}
        self._told: set[str] = set()
        """Names that hold what only a play knows."""
        self._inside = 0

    def _choice(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], scope: Scope, depth: int) -> bool:
        chosen = decided(scope, test)
        if chosen is not None:
            return self._block(body if chosen else orelse, scope, depth + 1)
        if body and isinstance(body[-1], ast.Raise):
            self.made.append(guard(self.file, scope, test))
            return self._block(orelse, scope, depth + 1)
        self._block(body, scope, depth + 1)
        self._block(orelse, scope, depth + 1)
        return False

    def _statement(self, statement: ast.stmt, scope: Scope, depth: int) -> bool:
        if isinstance(statement, ast.Assert):
            self.made.append(guard(self.file, scope, statement.test))
        return super()._statement(statement, scope, depth)

    def _unknown_times(self, body: list[ast.stmt], scope: Scope) -> None:
        self._block(body, scope, 1)

    def _loop(self, target: ast.expr, iterated: ast.expr, body: list[ast.stmt], scope: Scope, depth: int) -> None:
        if scope.items(iterated) is None:
            try:
                self.made += LoopRows(self.file, scope).loop(target, iterated, body)
                return
            except (NotTold, RecursionError):
                pass  # then each of its statements counts as it stands
            self._expression(iterated, scope, depth)
            scope.bind(target, Bound(None, scope))
            self._block(body, scope, depth + 1)
            return
        super()._loop(target, iterated, body, scope, depth)

    def _matters(self, body: Iterable[ast.stmt], scope: Scope, depth: int = 0) -> bool:
        del scope, depth
        return any(isinstance(n, ast.Call) for s in body for n in ast.walk(s))

    def _block(self, body: Iterable[ast.stmt], scope: Scope, depth: int) -> bool:
        for statement in body:
            blocks = isinstance(statement, ast.With) and any(
                self.file.called(i.context_expr) == "autocommit_block" for i in statement.items
            )
            if blocks:
                self.made.append(self.file.at(statement, "COMMIT"))
            ended = self._followed(statement, scope, depth)
            if blocks:
                self.made.append(self.file.at(statement, "BEGIN"))
            if ended:
                return True
        return False

    def _followed(self, statement: ast.stmt, scope: Scope, depth: int) -> bool:
        """Go through a statement; where it does not tell by itself what it does to rows, it is to be played first."""
        whole = not self._inside and not self._shapes(statement, scope)
        start, before = len(self.made), copied(scope) if whole else scope
        held = isinstance(statement, (ast.For, ast.While)) or whole
        self._inside += held
        ended = super()._block([statement], scope, depth)
        self._inside -= held
        if whole and self._unclear(statement, self.made[start:]):
            key = f"{self.file.path}#{len(self.plays)}"
            own = {self.file.source.line(p.python_start) for m in self.made[start:] for p in m.spans}
            self.plays[key] = Play(self.file, [statement], before, lines=self._lines(statement, scope) | own)
            for at, one in enumerate(self.made[start:], start):
                if PYTHON in one.text:  # it stands where its rows do, and is played with this
                    self.made[at] = self.file.at(statement, one.text)
            self.made.insert(start, self.file.at(statement, f"SELECT {PLAY}({string(key)})"))
            self._told |= {
                n.id
                for n in ast.walk(statement)
                if isinstance(n, ast.Name)
                and (isinstance(n.ctx, ast.Store) or isinstance(scope.followed(n).node, _MUTABLE))
            }
        return ended

    def _unclear(self, statement: ast.stmt, made: list[Sql]) -> bool:
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        if names & self._told:
            return True
        asks = any(self.file.called(n) in _ROW_CALLS for n in ast.walk(statement) if isinstance(n, ast.Call))
        if not asks and not made:
            return False
        if isinstance(statement, (ast.Assign, ast.AnnAssign)) and asks:
            return True
        return not made or any(_OPEN.search(m.text) for m in made)

    def _called_here(self, statement: ast.stmt, scope: Scope) -> list[ast.AST]:
        """Return a statement, and the functions of the file that it calls."""
        found: list[ast.AST] = [statement]
        for node in found:
            for call in ast.walk(node) if len(found) < 12 else ():
                target = scope.followed(call.func).node if isinstance(call, ast.Call) else None
                if isinstance(target, ast.FunctionDef) and target not in found:
                    found.append(target)
        return found

    def _shapes(self, statement: ast.stmt, scope: Scope) -> bool:
        """Return whether a statement changes more than rows."""
        for node in self._called_here(statement, scope):
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and self.file.called(call) in ("autocommit_block", "batch_alter_table"):
                    return True
                shapes = isinstance(call, ast.Call) and self._is_operation(call.func)
                if shapes and self.file.called(call) not in _ROWS_ONLY:
                    return True
        return False

    def _lines(self, statement: ast.stmt, scope: Scope) -> frozenset[int]:
        return lines_of(self._called_here(statement, scope))

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> None:
        called = self.file.called(node)
        try:
            if self._is_operation(node.func) and called != "execute":
                batch = self._batches.get(getattr(getattr(node.func, "value", None), "id", ""))
                made = self._operation(called, Call(self.file, scope, node, batch), batch)
                if made is not None:
                    self.made += made
                    return
            elif called in EXECUTE_CALLS:
                self.made += executed(self.file, scope, node)
                return
            super()._call(node, scope, depth)
        except CannotLook as error:
            self.problems.append(str(error))

    def _operation(self, called: str, call: Call, batch: Batch | None) -> list[Sql] | None:
        """Return what an operation sends; None for one that `Reader` reads, or passes over."""
        match called:
            case "bulk_insert" if call.node.args[1:] and not isinstance(call.node.args[1], ast.List):
                rows = call.scope.followed(call.node.args[1]).node
                return [used(call.file, rows if isinstance(rows, ast.expr) else call.node.args[1])]
            case "create_index":
                return index(call)
            case "create_foreign_key":
                return foreign_key(call, batch)
            case "drop_constraint":
                constraint = call.scope.text(call.argument(0, "constraint_name"))
                return call.at(f"ALTER TABLE {call.table(1)} DROP CONSTRAINT {name(constraint or HOLE)}")
            case "drop_index":
                word = "CONCURRENTLY " if flag(call.scope, call.node, "postgresql_concurrently") is True else ""
                return call.at(f"DROP INDEX {word}{name(call.text(0, 'index_name'))}")
            case "alter_column":
                return alter_column(call)
            case "add_column":
                return OPERATIONS[called](without_python_default(call, batch))
            case "create_check_constraint" if flag(call.scope, call.node, "postgresql_not_valid") is True:
                made = OPERATIONS[called](call)
                return [call.file.at(call.node, m, " NOT VALID") for m in made]
            case _ if called in OPERATIONS:
                return OPERATIONS[called](call)
        return None


def guard(file: PythonFile, scope: Scope, test: ast.expr) -> Sql:
    """Return a call of `squads_guard` that carries the code of a condition, names followed."""
    texts = [ast.unparse(test)]
    for node in ast.walk(test):
        if isinstance(node, ast.Name):
            followed = scope.followed(node).node
            if isinstance(followed, ast.expr) and followed is not node:
                texts.append(ast.unparse(followed))
    return file.at(test, f"SELECT {GUARD}({string(' ; '.join(texts))})")


def used(file: PythonFile, node: ast.AST) -> Sql:
    """Return a call of `squads_python` with every name and string in `node`."""
    words = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    words |= {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}
    words |= {k.arg for n in ast.walk(node) if isinstance(n, ast.Call) for k in n.keywords if k.arg}
    words |= {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return file.at(node, f"SELECT {PYTHON}({', '.join(string(w) for w in sorted(words))})")


def executed(file: PythonFile, scope: Scope, node: ast.Call) -> list[Sql]:
    """Return what an execute call runs, whatever it is."""
    given = runs(file, scope, node)
    if given is None:
        return []
    made = scope.sql(given)
    if made is not None and made.text.strip(f" \n{HOLE};"):
        filled = _with_parameters(scope, node, given, made.text)
        return [replace(file.at(node, filled if filled != made.text else made), raw=True)]
    built = _built(file, scope, given)
    return [built] if built is not None else [used(file, scope.followed(given).node or given)]


def _with_parameters(scope: Scope, node: ast.Call, given: ast.expr, text: str) -> str:
    """Return a text with the values of its parameters in their places, as far as they are known."""
    told: dict[str, object] = {}
    found = scope.followed(given)
    if isinstance(found.node, ast.Call) and scope.file.called(found.node) == "bindparams":
        told |= {k.arg: found.scope.value(k.value) for k in found.node.keywords if k.arg}
    handed = [a for a in (*node.args[1:2], keyword(node, "parameters")) if a is not None]
    for pairs in (pairs_of(scope, a) or [] for a in handed):
        told |= {str(where.value(k)): where.value(v) for k, v, where in pairs}
    told |= {k.arg: scope.value(k.value) for k in node.keywords if k.arg and node.args}

    def value(match: re.Match[str]) -> str:
        held = told.get(match[1], UNKNOWN)
        if held is None or isinstance(held, (bool, int, float)):
            return "NULL" if held is None else str(held).lower()
        return string(held) if isinstance(held, str) else match[0]

    return _PARAMETER.sub(value, text) if told else text


def _built(file: PythonFile, scope: Scope, given: ast.expr) -> Sql | None:
    """Return `table.update().values(...).where(...)` and its like as SQL; None where it is something else."""
    where: list[ast.expr] = []
    values: list[tuple[str, ast.expr]] = []
    found = scope.followed(given)
    for _ in range(20):
        node = found.node
        if not isinstance(node, ast.Call):
            return None
        called = found.scope.file.called(node)
        if called in ("update", "delete"):
            target = node.args[0] if node.args else getattr(node.func, "value", None)
            table = table_name(found.scope, target) if isinstance(target, ast.expr) else None
            if table is None:
                return None
            tail = _where(found.scope, where)
            if called == "delete":
                return file.at(given, f"DELETE FROM {name(table)}", tail)  # noqa: S608  (read, never run)
            assigned = ", ".join(f"{name(c)} = {_value(found.scope, v)}" for c, v in values) or f"{HOLE} = {HOLE}"
            return file.at(given, f"UPDATE {name(table)} SET {assigned}", tail)  # noqa: S608
        if called in ("where", "filter"):
            where += node.args
        elif called == "values":
            values += [(k.arg, k.value) for k in node.keywords if k.arg]
            if node.args and isinstance(node.args[0], ast.Dict):
                pairs = zip(node.args[0].keys, node.args[0].values, strict=True)
                values += [(str(found.scope.text(k) or getattr(k, "attr", HOLE)), v) for k, v in pairs]
        if not isinstance(node.func, ast.Attribute):
            return None
        found = found.scope.followed(node.func.value)
    return None


def _where(scope: Scope, where: list[ast.expr]) -> str:
    texts = []
    for node in where:
        try:
            texts.append(condition(scope, node, {}).text)
        except CannotLook:
            texts.append(f"{PYTHON}({string(ast.unparse(node))})")
    return f" WHERE {' AND '.join(texts)}" if texts else ""


def _value(scope: Scope, node: ast.expr) -> str:
    """Return an assigned value: a column, a constant, or a call that carries the names it is made from."""
    found = scope.value(node)
    if found is None:
        return "NULL"
    if found is not UNKNOWN and isinstance(found, (str, int, float)):
        return string(found) if isinstance(found, str) else str(found).lower()
    if isinstance(node, ast.Attribute):
        return name(node.attr)
    try:
        told = condition(scope, node, {}).text
        if HOLE not in told:
            return told
        raise CannotLook("a part of the value is not known")
    except CannotLook:
        names = sorted({n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)})
        return f"{PYTHON}({', '.join(map(name, names))})"


def read_upgrade(file: PythonFile, module: Scope) -> tuple[list[Sql], list[str], dict[str, Play]]:
    """Return what `upgrade()` sends, in order, what could not be told, and what is to be played."""
    reader = StepsReader(file, module)
    try:
        reader.function("upgrade")
    except CannotLook as error:
        reader.problems.append(str(error))
    return reader.made, reader.problems, reader.plays

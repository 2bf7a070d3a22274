"""Alembic revisions as SQL: what `upgrade()` and `downgrade()` would send, told from the code without running it.

Followed are: constants and helper functions of the file, loops over lists that are written out, `batch_alter_table`,
`op.execute` with text, and conditions that ask what is there already or which database it is (PostgreSQL is meant).
What cannot be told raises `CannotLook` where a table, a key, a CHECK, a routine or a grant could hang on it. Data is
another matter: queries, `bulk_insert` with computed rows and everything else that changes rows only is read over, for
no row can make a key or a CHECK.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import NamedTuple

from squads.gates.check import CannotLook
from squads.gates.sql.python.columns import flag, keyword
from squads.gates.sql.python.embedded import EXECUTE_CALLS, script
from squads.gates.sql.python.file import PythonFile, Sql
from squads.gates.sql.python.operations import OPERATIONS, Batch, Call
from squads.gates.sql.python.scope import Bound, Scope, call_scope
from squads.gates.words import word_set

_NO_NEWS = word_set(
    "create_foreign_key create_exclude_constraint create_table_comment drop_table_comment get_bind get_context invoke "
    "implementation_for inline_literal f run_async register_operation get_x_argument batch_alter_table in_transaction"
)
_CHANGES = word_set(
    "create_table drop_table rename_table add_column drop_column alter_column create_unique_constraint "
    "create_check_constraint create_primary_key create_index drop_index drop_constraint execute bulk_insert"
)
_ASKS_WHAT_IS_THERE = (
    "inspect",
    "exist",
    "has_table",
    "has_column",
    "has_index",
    "has_constraint",
    "get_table_names",
    "get_columns",
    "get_indexes",
    "get_unique_constraints",
    "get_check_constraints",
    "information_schema",
    "pg_catalog",
)
_STEPS_MAX = 20_000
_DEPTH_MAX = 24


class Revision(NamedTuple):
    """One revision file."""

    forward: list[Sql]
    back: list[Sql]
    revision: str
    follows: tuple[str, ...]


def is_revision(file: PythonFile) -> bool:
    """Return whether a file speaks to Alembic."""
    functions = {s.name for s in file.tree.body if isinstance(s, ast.FunctionDef)}
    return bool(functions & {"upgrade", "downgrade"}) and ("alembic" in file.source.text or "op." in file.source.text)


def read_revision(file: PythonFile, module: Scope) -> Revision:
    """Return the statements of a revision file, forward and back."""
    forward = Reader(file, module).function("upgrade")
    back: list[Sql] = []
    try:
        reader = Reader(file, module)
        back = reader.made
        reader.function("downgrade")
    except CannotLook:
        pass  # a way back restores what is known from the way forward; only what it creates is read at all
    follows = module.value(ast.Name(id="down_revision", ctx=ast.Load()))
    own = module.text(ast.Name(id="revision", ctx=ast.Load()))
    before = follows if isinstance(follows, list) else [follows]
    return Revision(forward, back, own or "", tuple(f for f in before if isinstance(f, str)))


class Reader:
    """Walks through one function in the order it would run."""

    def __init__(self, file: PythonFile, module: Scope) -> None:
        self.file = file
        self.module = module
        self.made: list[Sql] = []
        self._batches: dict[str, Batch] = {}
        self._steps = 0

    def function(self, called: str) -> list[Sql]:
        """Return what a function of the module sends; with several databases, what all of its parts send."""
        for statement in self.file.tree.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == called:
                self._block(statement.body, Scope(self.file, self.module), 0)
        if not self.made:
            for statement in self.file.tree.body:
                if isinstance(statement, ast.FunctionDef) and statement.name.startswith(f"{called}_"):
                    self._block(statement.body, Scope(self.file, self.module), 0)
        return self.made

    def _block(self, body: Iterable[ast.stmt], scope: Scope, depth: int) -> bool:
        """Go through `body`; return whether it ends the function for sure."""
        for statement in body:
            self._steps += 1
            if depth > _DEPTH_MAX or self._steps > _STEPS_MAX:
                self.file.fail(
                    statement, f"this revision takes more than {_STEPS_MAX} steps to follow; write it plainly"
                )
            if self._statement(statement, scope, depth):
                return True
        return False

    def _statement(self, statement: ast.stmt, scope: Scope, depth: int) -> bool:
        match statement:
            case ast.Return(value=value):
                if value is not None:
                    self._expression(value, scope, depth)
                return True
            case ast.Raise():
                return True
            case ast.FunctionDef() | ast.ClassDef():
                scope.read([statement])
            case ast.Assign(targets=targets, value=value):
                self._expression(value, scope, depth)
                for target in targets:
                    scope.bind(target, Bound(value, scope))
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._expression(value, scope, depth)
                scope.bind(target, Bound(value, scope))
            case ast.AugAssign(target=ast.Name(id=known)):
                scope.names[known] = Bound(None, scope)
            case ast.Expr(value=value):
                self._expression(value, scope, depth)
            case ast.With(items=items, body=body):
                for item in items:
                    self._with(item, scope, depth)
                return self._block(body, scope, depth + 1)
            case ast.If(test=test, body=body, orelse=orelse):
                return self._choice(test, body, orelse, scope, depth)
            case ast.For(target=target, iter=iterated, body=body):
                self._loop(target, iterated, body, scope, depth)
            case ast.While(body=body):
                self._unknown_times(body, scope)
            case ast.Try(body=body, orelse=orelse, finalbody=finalbody):
                return self._block([*body, *orelse, *finalbody], scope, depth + 1)
        return False

    def _with(self, item: ast.withitem, scope: Scope, depth: int) -> None:
        call = item.context_expr
        if not (isinstance(call, ast.Call) and self.file.called(call) == "batch_alter_table"):
            self._expression(call, scope, depth)
            return
        table = scope.text(call.args[0] if call.args else keyword(call, "table_name"))
        if table is None:
            self.file.fail(call, "this table's name is only known when the code runs; write it as a plain string")
        if isinstance(item.optional_vars, ast.Name):
            schema = scope.text(keyword(call, "schema"))
            self._batches[item.optional_vars.id] = Batch(table, schema)

    def _choice(self, test: ast.expr, body: list[ast.stmt], orelse: list[ast.stmt], scope: Scope, depth: int) -> bool:
        """Take the branch that PostgreSQL takes, or that a database without these things takes."""
        chosen = decided(scope, test)
        if chosen is None and _asks_what_is_there(scope, test):
            # "if it is not there, make it; else leave it": both are written so that in the end it is there once.
            if not self._matters(body, scope) and isinstance(body[-1] if body else None, (ast.Return, ast.Raise)):
                return self._block(orelse, scope, depth + 1)
            self._block(body, scope, depth + 1)
            self._block(orelse, scope, depth + 1)
            return False
        if chosen is None:
            for branch in (body, orelse):
                for statement in branch:
                    if self._matters([statement], scope):
                        self.file.fail(
                            statement,
                            "whether this change of the schema happens is only known when the code runs; "
                            "take it out of the condition, or write the condition as one that asks what is there",
                        )
            return False
        return self._block(body if chosen else orelse, scope, depth + 1)

    def _loop(self, target: ast.expr, iterated: ast.expr, body: list[ast.stmt], scope: Scope, depth: int) -> None:
        items = scope.items(iterated)
        if items is None:
            self._unknown_times(body, scope)
            return
        for item in items:
            scope.bind(target, item)
            self._block(body, scope, depth + 1)

    def _unknown_times(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            if self._matters([statement], scope):
                self.file.fail(
                    statement, "what this loop does is only known when the code runs; write out what it goes through"
                )

    def _matters(self, body: Iterable[ast.stmt], scope: Scope, depth: int = 0) -> bool:
        """Return whether something in `body` may change tables, keys, CHECKs, routines or grants."""
        for node in (n for s in body for n in ast.walk(s) if isinstance(n, ast.Call)):
            called = self.file.called(node)
            if self._is_operation(node.func):
                if called in ("execute", "bulk_insert"):
                    if called == "execute" and script(self.file, scope, node, sure=True):
                        return True
                elif called == "drop_table" or called in _CHANGES:
                    if called != "create_index" or flag(scope, node, "unique"):
                        return True
                elif called not in _NO_NEWS:
                    return True
            elif called in EXECUTE_CALLS and script(self.file, scope, node, sure=False):
                return True
            elif isinstance(node.func, ast.Name) and depth < _DEPTH_MAX:
                target = scope.followed(node.func)
                if isinstance(target.node, ast.FunctionDef) and self._matters(
                    target.node.body, target.scope, depth + 1
                ):
                    return True
        return False

    def _is_operation(self, func: ast.expr) -> bool:
        """Return whether `func` is `op.x` or `batch_op.x`."""
        match func:
            case ast.Attribute(value=ast.Name(id=owner)):
                return (
                    owner in ("op", "operations")
                    or owner in self._batches
                    or self.file.aliases.get(owner)
                    in (
                        "op",
                        "alembic.op",
                    )
                )
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="alembic"), attr="op")):
                return True
            case _:
                return False

    def _expression(self, node: ast.expr, scope: Scope, depth: int) -> None:
        """Follow the calls in an expression."""
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)) and len(node.generators) == 1:
            if self._matters([ast.Expr(value=node.elt)], scope):
                self._loop(node.generators[0].target, node.generators[0].iter, [ast.Expr(value=node.elt)], scope, depth)
            return
        if isinstance(node, ast.Call):
            self._call(node, scope, depth)
            return
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.expr):
                self._expression(inner, scope, depth)

    def _call(self, node: ast.Call, scope: Scope, depth: int) -> None:
        called = self.file.called(node)
        if self._is_operation(node.func):
            batch = self._batches.get(getattr(getattr(node.func, "value", None), "id", ""))
            if called in OPERATIONS:
                self.made += OPERATIONS[called](Call(self.file, scope, node, batch))
            elif called == "execute":
                self.made += script(self.file, scope, node, sure=True)
            elif called not in _NO_NEWS:
                self.file.fail(node, f"the operation {called!r} is not known; write it as SQL in op.execute")
            return
        if called in EXECUTE_CALLS:
            self.made += script(self.file, scope, node, sure=False)
            return
        target = scope.followed(node.func)
        if isinstance(target.node, ast.FunctionDef) and target.scope.file is self.file:
            if self._matters(target.node.body, target.scope):
                inner = call_scope(target, node, scope)
                self._block(target.node.body, inner, depth + 1)
            return
        for argument in (*node.args, *(k.value for k in node.keywords)):
            self._expression(argument, scope, depth)


def decided(scope: Scope, test: ast.expr) -> bool | None:
    """Return how a condition comes out, where the code alone tells: a constant, or the name of the database."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = decided(scope, operand)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            parts = [decided(scope, v) for v in values]
            decisive = isinstance(op, ast.Or)
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case ast.Compare(left=left, ops=[op], comparators=[right]) if _names_dialect(scope, left):
            value = scope.value(right)
            known = value if isinstance(value, list) else [value]
            if not all(isinstance(k, str) for k in known):
                return None
            found = "postgresql" in known or "postgres" in known
            return found if isinstance(op, (ast.Eq, ast.In, ast.Is)) else not found
        case ast.Call(func=ast.Attribute(attr="is_offline_mode" | "is_sqlite")):
            return False
        case _:
            value = scope.value(test)
            return bool(value) if isinstance(value, (bool, int, str)) or value is None else None


def _names_dialect(scope: Scope, node: ast.expr) -> bool:
    """Return whether `node` is the name of the database's dialect: `op.get_bind().dialect.name`, `dialect`."""
    followed = scope.followed(node).node
    text = ast.unparse(followed) if followed is not None else ""
    return text.endswith(("dialect.name", "dialect_name", "drivername", "engine.name", "bind.name"))


def _asks_what_is_there(scope: Scope, test: ast.expr) -> bool:
    """Return whether a condition asks what the database holds already, directly or by a name that stands for it."""
    texts = [ast.unparse(test)]
    for node in ast.walk(test):
        if isinstance(node, ast.Name):
            followed = scope.followed(node)
            if isinstance(followed.node, (ast.expr, ast.FunctionDef)):
                texts.append(ast.unparse(followed.node))
    return any(word in text for text in texts for word in _ASKS_WHAT_IS_THERE)

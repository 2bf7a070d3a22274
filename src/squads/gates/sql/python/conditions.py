"""Conditions and expressions that Python holds as text, or spells with SQLAlchemy's operators, as SQL."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from squads.gates.sql.model import HOLE
from squads.gates.sql.python.file import Sql, listed, name, sql, string
from squads.gates.sql.python.scope import Scope
from squads.gates.sql.python.sqlalchemy_types import typed

_COMPARED = {ast.Eq: "=", ast.NotEq: "<>", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_COMPUTED = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.BitAnd: "AND", ast.BitOr: "OR"}
_TEXTS = frozenset(("text", "literal_column", "DDL"))
_COLUMNS = frozenset(("Column", "column", "mapped_column"))
_ORDER = frozenset(("asc", "desc", "nulls_first", "nulls_last", "nullsfirst", "nullslast", "label", "self_group"))
_DEPTH_MAX = 60


def condition(scope: Scope, node: ast.AST, names: Mapping[str, str], *, member: bool = False) -> Sql:
    """Return a condition as SQL; what only running the code would tell is a `HOLE` in it, which no check trusts.

    A string is SQL text. With `member`, the result is fit to stand between the commas of an index.
    """
    text = scope.sql(node)
    if text is not None:
        return text
    made = _spelled(scope, node, names, 0)
    return sql("(", made, ")") if member else made


def _spelled(scope: Scope, node: ast.AST, names: Mapping[str, str], depth: int) -> Sql:
    """Return an expression of column objects as SQL."""
    if depth > _DEPTH_MAX:
        return sql(HOLE)

    def of(part: ast.AST) -> Sql:
        return _spelled(scope, part, names, depth + 1)

    if isinstance(node, ast.Name) and node.id in names:
        return sql(name(names[node.id]))
    match node:
        case ast.Constant(value=value):
            return sql(_constant(value))
        case ast.Attribute(attr=attribute):
            if attribute in ("null", "true", "false"):
                return sql(attribute)
            return sql(name(names.get(attribute, attribute)))
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return sql(name(key))
        case ast.Name():
            followed = scope.followed(node)
            if followed.node is None or followed.node is node:
                return sql(HOLE)
            if isinstance(followed.node, ast.Call) and scope.file.called(followed.node) in _COLUMNS:
                shown = followed.scope.text(followed.node.args[0]) if followed.node.args else None
                return sql(name(shown)) if shown else sql(HOLE)
            return _spelled(followed.scope, followed.node, names, depth + 1)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _compared(of(left), op, right, of(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _COMPUTED:
            return sql("(", of(left), f" {_COMPUTED[type(op)]} ", of(right), ")")
        case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=operand):
            return sql("(NOT ", of(operand), ")")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return sql("(-", of(operand), ")")
        case ast.Call():
            return _called(scope, node, names, depth)
        case _:
            return sql(HOLE)


def _compared(left: Sql, op: ast.cmpop, node: ast.expr, right: Sql) -> Sql:
    if isinstance(node, ast.Constant) and node.value is None:
        return sql("(", left, " IS NOT NULL)" if isinstance(op, (ast.NotEq, ast.IsNot)) else " IS NULL)")
    return sql("(", left, f" {_COMPARED[type(op)]} ", right, ")") if type(op) in _COMPARED else sql(HOLE)


def _called(scope: Scope, node: ast.Call, names: Mapping[str, str], depth: int) -> Sql:
    """Return a method of a column, or a function, as SQL."""

    def of(part: ast.AST) -> Sql:
        return _spelled(scope, part, names, depth + 1)

    called = scope.file.called(node)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    is_function = isinstance(owner, ast.Attribute) and owner.attr == "func"
    is_function = is_function or (isinstance(owner, ast.Name) and owner.id == "func")
    args = [a for a in node.args if not isinstance(a, ast.Starred)]
    if called in _TEXTS and args:
        return sql("(", scope.sql(args[0]) or HOLE, ")")
    if is_function:
        return sql(f"{called}(", listed(of(a) for a in args), ")")
    match called:
        case "column" | "Column" | "mapped_column" if args and (shown := scope.text(args[0])):
            return sql(name(shown))
        case "and_" | "or_" if args:
            return sql("(", listed((of(a) for a in args), f" {called[:-1].upper()} "), ")")
        case "not_" if args:
            return sql("(NOT ", of(args[0]), ")")
        case "null" | "true" | "false" if not args:
            return sql(called)
        case "literal" | "type_coerce" if args:
            return sql("(", of(args[0]), ")")
        case "cast" if len(args) == 2:
            kind = typed(scope, args[1]).text
            return sql("CAST(", of(args[0]), f" AS {kind})") if not kind.startswith('"') else sql(HOLE)
    if called in _ORDER:
        return of(args[0]) if args and called != "label" else of(owner) if owner is not None else sql(HOLE)
    if owner is None:
        return sql(HOLE)
    match called:
        case "is_" | "is_not" | "isnot" if len(args) == 1:
            return sql("(", of(owner), f" IS {'' if called == 'is_' else 'NOT '}", of(args[0]), ")")
        case "between" if len(args) == 2:
            return sql("(", of(owner), " BETWEEN ", of(args[0]), " AND ", of(args[1]), ")")
        case "in_" | "not_in" | "notin_" if len(args) == 1:
            items = scope.items(args[0])
            word = " IN (" if called == "in_" else " NOT IN ("
            parts = [_spelled(b.scope, b.node, names, depth + 1) for b in items or [] if b.node is not None]
            return sql("(", of(owner), word, listed(parts), "))") if parts else sql(HOLE)
        case "is_distinct_from" | "is_not_distinct_from" if len(args) == 1:
            return sql("(", of(owner), f" {called.replace('_', ' ').upper()} ", of(args[0]), ")")
    return sql(HOLE)


def _constant(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (int, float)) else string(str(value))

"""What Python code lets through: `if seats > 60_000: raise`, `assert len(name) <= 120`, `Field(le=500)`.

A bound that a program refuses beyond is a value that it admits. It is given to the column of that name, and must fit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fractions import Fraction

from squads.gates.sql.fits.constants import Constant
from squads.gates.sql.fits.python_names import Names
from squads.gates.sql.fits.python_values import value_of

TEXT_MAX = 10_000


def admitted(node: ast.stmt, names: Names) -> Iterator[tuple[str, Constant]]:
    """Yield the largest values, by name, that a statement lets through before it raises, or that it cuts off at."""
    match node:
        case ast.If(test=test, body=body) if any(isinstance(s, ast.Raise) for s in body):
            yield from _refused(test, names)
        case ast.Assert(test=test):
            yield from _kept(test, names)
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Name(id="min"), args=[one, two], keywords=[]),
        ):
            subject, end = (one, two) if _name(one) == name else (two, one)
            if _name(subject) == name:
                yield from _bound(subject, end, names, open_end=False)


def _refused(test: ast.expr, names: Names) -> Iterator[tuple[str, Constant]]:
    match test:
        case ast.BoolOp(op=ast.Or(), values=parts):
            for part in parts:
                yield from _refused(part, names)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield from _kept(inner, names)
        case ast.Compare(left=left, ops=[ast.Gt() | ast.GtE() as op], comparators=[right]):
            yield from _bound(left, right, names, open_end=isinstance(op, ast.GtE))
        case ast.Compare(left=left, ops=[ast.Lt() | ast.LtE() as op], comparators=[right]):
            yield from _bound(right, left, names, open_end=isinstance(op, ast.LtE))
        case ast.Compare(left=left, ops=[ast.NotIn()], comparators=[right]):
            yield from _ranged(left, right, names)


def _kept(test: ast.expr, names: Names) -> Iterator[tuple[str, Constant]]:
    match test:
        case ast.BoolOp(op=ast.And(), values=parts):
            for part in parts:
                yield from _kept(part, names)
        case ast.Compare(left=left, ops=[ast.In()], comparators=[right]):
            yield from _ranged(left, right, names)
        case ast.Compare():
            every = [test.left, *test.comparators]
            for op, one, two in zip(test.ops, every, every[1:], strict=False):
                if isinstance(op, (ast.Lt, ast.LtE)):
                    yield from _bound(one, two, names, open_end=isinstance(op, ast.Lt))
                elif isinstance(op, (ast.Gt, ast.GtE)):
                    yield from _bound(two, one, names, open_end=isinstance(op, ast.Gt))


def _ranged(subject: ast.expr, span: ast.expr, names: Names) -> Iterator[tuple[str, Constant]]:
    """Yield the end of `x in range(1, 100_000)`."""
    if isinstance(span, ast.Call) and isinstance(span.func, ast.Name) and span.func.id == "range" and span.args:
        end = span.args[1] if len(span.args) > 1 else span.args[0]
        yield from _bound(subject, end, names, open_end=True)


def _bound(subject: ast.expr, end: ast.expr, names: Names, *, open_end: bool) -> Iterator[tuple[str, Constant]]:
    value = value_of(end, names)
    number = value.number if value is not None else None
    if value is None or number is None or value.kind not in ("integer", "numeric"):
        return
    length = isinstance(subject, ast.Call) and isinstance(subject.func, ast.Name) and subject.func.id == "len"
    inner = subject.args[0] if length and isinstance(subject, ast.Call) and subject.args else subject
    name = _name(inner)
    if not name:
        return
    most = number - 1 if open_end and value.kind == "integer" else number
    if length:
        if most.denominator == 1 and 0 < most <= TEXT_MAX:
            yield name, Constant("sample", text="x" * int(most))
    elif not (open_end and value.kind != "integer"):
        yield name, Constant(value.kind, Fraction(most), text=str(most) if most.denominator == 1 else value.text)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str() as name)):
            return name
    return ""

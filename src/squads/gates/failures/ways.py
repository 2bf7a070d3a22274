"""Values, events and ways of a function that is played: what is known of them, and what tests of them say."""

from __future__ import annotations

import ast
import http
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Const:
    """A value that is known."""

    value: object


@dataclass(frozen=True, slots=True)
class Made:
    """A value that an expression made, out of values told by `out_of`."""

    by: int
    out_of: int = 0
    marked: bool = False
    """Whether the failure had a part in it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt answered: a response, a command that ended, an answer that lists what was refused."""

    good: bool
    code: int


Value = Const | Made | Outcome
RAISED = Made(-1, marked=True)
NONE_OF_THEM = Made(-3)


@dataclass(frozen=True, slots=True)
class Event:
    """A statement that ran after the attempt, and the values that it read."""

    node: ast.stmt
    read: tuple[Value, ...]
    handling: bool = False
    """Whether it stands in the handler of the failure."""


@dataclass(slots=True)
class Way:
    """One way through a function, so far."""

    values: dict[str, Value] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    tried: bool = False
    """Whether the attempt was made."""
    named: bool = False
    """Whether a test said that it is a failure of one kind, which may be harmless."""
    unsure: bool = False
    """Whether the way depends on a test of the failure that is not understood."""
    instead: frozenset[str] = frozenset()
    """Names that a handler gave a value."""
    failed: bool = False
    """Whether the handler that is asked about took an error on a way that was to go well."""
    raised: str | None = None
    start: int = 0
    """How many events there were before the attempt."""

    def attempted(self) -> None:
        """Note that the attempt was made."""
        if not self.tried:
            self.tried, self.start = True, len(self.events)

    def fork(self) -> Way:
        """Return a copy that goes on by itself."""
        return replace(self, values=dict(self.values), events=list(self.events))


def marked(value: Value) -> bool:
    """Return whether the failure had a part in a value."""
    return (isinstance(value, Made) and value.marked) or (isinstance(value, Outcome) and not value.good)


def truth_of(value: Value) -> bool | None:
    """Return whether a value is true; None where that is not known."""
    match value:
        case Const():
            return bool(value.value)
        case Made(by=-1 | -2):
            return True
        case Made(by=-3):
            return False
    return None


def names_in(node: ast.AST) -> set[str]:
    """Return the names in an expression."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def names_kind(test: ast.expr, taken: bool) -> bool:
    """Return whether a test that came out so says that it is a failure of one kind: `error.code == 409`."""
    match test:
        case ast.UnaryOp(op=ast.Not()):
            return names_kind(test.operand, not taken)
        case ast.BoolOp():
            return any(names_kind(v, taken) for v in test.values)
        case ast.Compare():
            wide = isinstance(test.ops[0], ast.NotEq | ast.NotIn | ast.IsNot)
            return taken is not wide
    return taken


def catches(handler: ast.ExceptHandler, raised: str) -> bool:
    """Return whether a handler takes an error of this name."""
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {ast.unparse(k).rsplit(".", 1)[-1] for k in kinds}
    if names & {"Exception", "BaseException", raised}:
        return True
    return raised == "HTTPError" and bool(
        names & {"RequestException", "HTTPStatusError", "ClientError", "ClientResponseError", "CalledProcessError"}
    )


def compares(op: ast.cmpop, left: object, right: object) -> bool | None:
    """Return whether a comparison of two known values holds; None where they cannot be compared."""
    match op:
        case ast.Eq() | ast.Is():
            return left == right
        case ast.NotEq() | ast.IsNot():
            return left != right
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    match op:
        case ast.Lt():
            return left < right
        case ast.LtE():
            return left <= right
        case ast.Gt():
            return left > right
        case ast.GtE():
            return left >= right
    return None


def reckon(op: ast.operator, left: object, right: object) -> Const | None:
    """Return what comes of two known numbers."""
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    try:
        match op:
            case ast.Add():
                return Const(left + right)
            case ast.Sub():
                return Const(left - right)
            case ast.FloorDiv() if right:
                return Const(left // right)
    except OverflowError:
        return None  # a whole number that no fraction holds
    return None


def code_of(node: ast.expr) -> int | None:
    """Return the number of a named status: `HTTPStatus.CONFLICT`, `requests.codes.ok`, `status.HTTP_201_CREATED`."""
    if not isinstance(node, ast.Attribute):
        return None
    word, owner = node.attr.upper(), ast.unparse(node.value).rsplit(".", 1)[-1]
    if owner in ("codes", "HTTPStatus"):
        return next((s.value for s in http.HTTPStatus if s.name == word), None)
    return int(word[5:8]) if word.startswith("HTTP_") and re.fullmatch("[0-9]{3}", word[5:8]) else None


def in_range(bounds: Sequence[int]) -> range | None:
    """Return the numbers that `range` goes through; None where it would raise."""
    return range(*bounds) if 1 <= len(bounds) <= 3 and 0 not in bounds[2:] else None


def fits(pattern: ast.pattern, value: Value) -> bool | None:
    """Return whether a value fits a pattern; None where that is not known."""
    match pattern:
        case ast.MatchValue(value=ast.Constant(value=known)) if isinstance(value, Const):
            return bool(known == value.value)
        case ast.MatchOr():
            parts = [fits(p, value) for p in pattern.patterns]
            return True if True in parts else None if None in parts else False
        case ast.MatchAs(pattern=None):
            return True
    return None

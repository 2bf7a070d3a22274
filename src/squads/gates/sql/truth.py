"""What a condition can come out as, for every row of a kind: TRUE, FALSE, NULL, or some of them.

Three-valued logic over intervals. The answer may hold an outcome that never happens; it never lacks one that does.
So "this CHECK is FALSE for every negative balance" and "this predicate is TRUE wherever scope is NULL" are proofs,
however the condition is spelled: `0 <= b`, `NOT (b < 0)`, `b BETWEEN 0 AND 9`, `num_nonnulls(a, b) = 1`.

PostgreSQL lets a row pass a CHECK that comes out TRUE or NULL, and puts a row into a partial index only if its
predicate is TRUE. One assumption is made: an unknown function gives NULL only for a NULL argument.

Source: abstract interpretation over intervals, Cousot & Cousot 1977; Kleene's strong three-valued logic.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from squads.gates.check import CannotLook
from squads.gates.sql.expressions import parsed, read_columns, spelled
from squads.gates.sql.values import (
    ANYTHING,
    NULL,
    ZERO,
    Value,
    absolute,
    first_present,
    floored,
    greatest,
    joined,
    least,
    point,
    sign,
)
from squads.gates.words import word_set

if TYPE_CHECKING:
    from sqlglot import exp

T, F, N = "T", "F", "N"
Outcomes = frozenset[str]
ALL: Outcomes = frozenset((T, F, N))

_FLIP = {T: F, F: T, N: N}
_ALWAYS_NULLABLE = word_set("JSONExtract JSONExtractScalar JSONBExtract JSONBExtractScalar Bracket Nullif Subquery")
_MAY_BE_NULL = word_set(
    "current_setting array_position regexp_match jsonb_extract_path_text json_extract_path_text lag lead"
)
_EXACT_CASTS = word_set("DECIMAL DOUBLE FLOAT")
_BOOLEAN = word_set(
    "And Or Not Is Boolean GT GTE LT LTE EQ NEQ Between In Like ILike RegexpLike NullSafeEQ NullSafeNEQ"
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows a question is about."""

    columns: Mapping[str, Value] = field(default_factory=dict)
    """What is known of columns; any other may be anything."""
    assumed: frozenset[str] = frozenset()
    """Conditions, as `spelled`, that are TRUE in all of these rows."""
    denied: frozenset[str] = frozenset()
    """Conditions that are FALSE in all of them."""
    expressions: Mapping[str, Value] = field(default_factory=dict)
    """What is known of whole expressions, as `spelled`."""
    difference: tuple[str, str, Value] | None = None
    """`left - right` of two expressions, as `spelled`, and what is known of it."""


def outcomes(condition: str, rows: Rows, where: object = "") -> Outcomes:
    """Return what `condition` can come out as in `rows`. Raises `CannotLook` if it cannot be read."""
    try:
        return _outcomes(parsed(condition), rows)
    except RecursionError as error:
        raise CannotLook(f"{where}: the condition is nested too deeply to be read; flatten it") from error
    except ValueError as error:
        raise CannotLook(f"{where}: {error}") from error


def value_of(expression: str, rows: Rows, where: object = "") -> Value:
    """Return what `expression` can be in `rows`. Raises `CannotLook` if it cannot be read."""
    try:
        return _value(parsed(expression), rows)
    except RecursionError as error:
        raise CannotLook(f"{where}: the expression is nested too deeply to be read; flatten it") from error
    except ValueError as error:
        raise CannotLook(f"{where}: {error}") from error


def assuming(rows: Rows, condition: str, where: object = "", *, except_on: frozenset[str] = frozenset()) -> Rows:
    """Return `rows` narrowed to those where `condition` is TRUE, its parts on columns `except_on` left aside."""
    if not condition:
        return rows
    try:
        parts = list(_conjuncts(parsed(condition)))
        if except_on:
            parts = [p for p in parts if except_on.isdisjoint(read_columns(p))]
    except (ValueError, RecursionError) as error:
        raise CannotLook(f"{where}: {error}") from error
    columns = dict(rows.columns)
    for part in parts:
        for name, value in _told_by(part):
            known = columns.get(name, ANYTHING)
            columns[name] = replace(
                known,
                nullable=known.nullable and value.nullable,
                present=known.present and value.present,
                constant=value.constant or known.constant,
            )
    return replace(
        rows,
        columns=columns,
        assumed=rows.assumed | {spelled(p) for p in parts},
        denied=rows.denied | {spelled(p.args["this"]) for p in parts if type(p).__name__ == "Not"},
    )


def _outcomes(node: exp.Expression, rows: Rows) -> Outcomes:
    if rows.assumed and (told := spelled(node)) in rows.assumed | rows.denied:
        return frozenset(T if told in rows.assumed else F)
    kind = type(node).__name__
    match kind:
        case "And" | "Or":
            left, right = _outcomes(node.args["this"], rows), _outcomes(node.args["expression"], rows)
            return frozenset(_either(a, b, F if kind == "And" else T) for a in left for b in right)
        case "Not":
            return frozenset(_FLIP[o] for o in _outcomes(node.args["this"], rows))
        case "Boolean":
            return frozenset(T if node.args["this"] else F)
        case "Null":
            return frozenset(N)
        case "GT" | "GTE" | "LT" | "LTE" | "EQ" | "NEQ" | "NullSafeEQ" | "NullSafeNEQ":
            return _compared(kind, node.args["this"], node.args["expression"], rows)
        case "Between":
            return _between(node, rows)
        case "In":
            return _in(node, rows)
        case "Is":
            return _is(node, rows)
        case "Like" | "ILike" | "RegexpLike":
            return frozenset((T, F, N) if _strict(node, rows).nullable else (T, F))
        case "Case" | "If" | "Coalesce":
            return _chosen(node, rows)
        case "Cast" | "TryCast":
            return _outcomes(node.args["this"], rows)
    value = _value(node, rows)
    return frozenset((T, F) if value.present else ()) | frozenset(N if value.nullable else ())


def _either(left: str, right: str, strong: str) -> str:
    """Kleene's AND (FALSE is strong) and OR (TRUE is strong)."""
    if strong in (left, right):
        return strong
    return N if N in (left, right) else left


def _compared(kind: str, first: exp.Expression, second: exp.Expression, rows: Rows) -> Outcomes:
    safe = kind.startswith("NullSafe")
    operation = kind.removeprefix("NullSafe")
    if {type(first).__name__, type(second).__name__} & _BOOLEAN and operation in ("EQ", "NEQ"):
        pairs = [(a, b) for a in _outcomes(first, rows) for b in _outcomes(second, rows)]
        same = frozenset(N if N in (a, b) and not safe else (T if a == b else F) for a, b in pairs)
        return same if operation == "EQ" else frozenset(_FLIP[o] for o in same)
    left, right = _sides(first, second, rows)
    found: set[str] = set()
    if left.present and right.present:
        found |= _ordered(operation, left, right)
    if safe:
        if (left.nullable and right.present) or (right.nullable and left.present):
            found.add(F if operation == "EQ" else T)
        if left.nullable and right.nullable:
            found.add(T if operation == "EQ" else F)
    elif left.nullable or right.nullable:
        found.add(N)
    return frozenset(found)


def _sides(first: exp.Expression, second: exp.Expression, rows: Rows) -> tuple[Value, Value]:
    """Return both sides of a comparison; where `first - second` is known, that difference and zero."""
    if rows.difference:
        minuend, subtrahend, known = rows.difference
        if (spelled(first), spelled(second)) == (minuend, subtrahend):
            return known, point(ZERO)
        if (spelled(second), spelled(first)) == (minuend, subtrahend):
            return -known, point(ZERO)
    return _value(first, rows), _value(second, rows)


def _ordered(operation: str, left: Value, right: Value) -> Outcomes:
    """Return the outcomes of comparing two values that are there."""
    match operation:
        case "GT":
            return _ordered("LT", right, left)
        case "GTE":
            return _ordered("LTE", right, left)
        case "LT":
            always, never = left.below(right), right.not_above(left)
        case "LTE":
            always, never = left.not_above(right), right.below(left)
        case "NEQ":
            return frozenset(_FLIP[o] for o in _ordered("EQ", left, right))
        case _:
            both = left.constant is not None and right.constant is not None
            always = (both and left.constant == right.constant) or (
                left.is_point and right.is_point and left.low == right.low
            )
            never = (both and left.constant != right.constant) or left.below(right) or right.below(left)
    return frozenset(T) if always else frozenset(F) if never else frozenset((T, F))


def _between(node: exp.Expression, rows: Rows) -> Outcomes:
    subject, low, high = node.args["this"], node.args["low"], node.args["high"]

    def within(first: exp.Expression, last: exp.Expression) -> Outcomes:
        above, below = _compared("GTE", subject, first, rows), _compared("LTE", subject, last, rows)
        return frozenset(_either(a, b, F) for a in above for b in below)

    found = within(low, high)
    if node.args.get("symmetric"):
        return frozenset(_either(a, b, T) for a in found for b in within(high, low))
    return found


def _in(node: exp.Expression, rows: Rows) -> Outcomes:
    if not node.args.get("expressions"):
        return ALL
    found: Outcomes = frozenset(F)
    for item in node.args["expressions"]:
        one = _compared("EQ", node.args["this"], item, rows)
        found = frozenset(_either(a, b, T) for a in found for b in one)
    return found


def _is(node: exp.Expression, rows: Rows) -> Outcomes:
    subject, target = node.args["this"], type(node.args["expression"]).__name__
    found: set[str] = set()
    if target == "Null" and type(subject).__name__ not in _BOOLEAN:
        value = _value(subject, rows)
        found = ({T} if value.nullable else set()) | ({F} if value.present else set())
    elif target in ("Null", "Boolean"):
        wanted = N if target == "Null" else T if node.args["expression"].args["this"] else F
        found = {T if o == wanted else F for o in _outcomes(subject, rows)}
    else:
        return frozenset((T, F))
    return frozenset(_FLIP[o] for o in found) if node.args.get("negate") else frozenset(found)


def _chosen(node: exp.Expression, rows: Rows) -> Outcomes:
    """CASE and COALESCE used as conditions."""
    if type(node).__name__ == "Coalesce":
        found: set[str] = {N}
        for item in (node.args["this"], *node.args["expressions"]):
            if N in found:
                found = (found - {N}) | _outcomes(item, rows)
        return frozenset(found)
    results = [_outcomes(b, rows) if b is not None else frozenset(N) for b in _branches(node, rows)]
    return frozenset().union(*results)


def _branches(node: exp.Expression, rows: Rows) -> Iterator[exp.Expression | None]:
    """Yield the results of a CASE that its conditions leave possible; None where it ends without an ELSE."""
    for branch in node.args.get("ifs") or [node]:
        condition = branch.args["this"]
        taken = ALL if node.args.get("this") is not None and branch is not node else _outcomes(condition, rows)
        if T in taken:
            yield branch.args["true"]
        if taken == {T}:
            return
    yield node.args.get("default") or node.args.get("false")


def _value(node: exp.Expression, rows: Rows) -> Value:
    kind = type(node).__name__
    if rows.expressions and (known := rows.expressions.get(spelled(node))) is not None:
        return known
    match kind:
        case "Column":
            return rows.columns.get(node.name, ANYTHING)
        case "Literal":
            return _literal(node)
        case "Null":
            return NULL
        case "Neg":
            return -_value(node.args["this"], rows)
        case "Add" | "Sub" | "Mul":
            return _arithmetic(kind, node.args["this"], node.args["expression"], rows)
        case "Cast" | "TryCast":
            return _cast(node, rows)
        case "Abs" | "Sign" | "Floor" if not node.args.get("decimals"):
            return {"Abs": absolute, "Sign": sign, "Floor": floored}[kind](_value(node.args["this"], rows))
        case "Coalesce" | "Greatest" | "Least":
            values = [_value(i, rows) for i in (node.args["this"], *node.args["expressions"])]
            return {"Coalesce": first_present, "Greatest": greatest, "Least": least}[kind](values)
        case "Case":
            return joined([_value(b, rows) if b is not None else NULL for b in _branches(node, rows)])
        case "Dot":  # schema.function(...), or a field of a composite, which may be NULL on its own
            called = type(node.args["expression"]).__name__ not in ("Identifier", "Column", "Star")
            return _value(node.args["expression"], rows) if called else ANYTHING
        case "Concat":
            return Value(nullable=False)
        case "Anonymous" if node.name.lower() in _MAY_BE_NULL and len(node.expressions) > 1:
            return ANYTHING
        case "Anonymous" if node.name.lower() in ("num_nonnulls", "num_nulls"):
            return _count_nulls(node, rows)
    if kind in _BOOLEAN:
        found = _outcomes(node, rows)
        return Value(nullable=N in found, present=found != {N})
    if kind in _ALWAYS_NULLABLE:
        return ANYTHING
    return _strict(node, rows)


def _strict(node: exp.Expression, rows: Rows) -> Value:
    """What operators and unknown functions give: anything, and NULL only if an argument may be NULL."""
    return Value(nullable=any(_value(c, rows).nullable for c in node.iter_expressions() if _is_argument(c)))


def _literal(node: exp.Expression) -> Value:
    text = str(node.args["this"])
    constant = text if node.args.get("is_string") else None
    try:
        return replace(point(Fraction(text.strip().removeprefix("$"))), constant=constant)
    except (ValueError, ZeroDivisionError):
        return Value(nullable=False, constant=constant)


def _arithmetic(kind: str, first: exp.Expression, second: exp.Expression, rows: Rows) -> Value:
    left, right = _value(first, rows), _value(second, rows)
    if kind == "Mul":
        return left * right
    if kind == "Sub":
        if rows.difference and (spelled(first), spelled(second)) == rows.difference[:2]:
            return rows.difference[2]
        right = -right
    return left + right


def _cast(node: exp.Expression, rows: Rows) -> Value:
    inside, target = node.args["this"], node.args["to"]
    name = getattr(target.args.get("this"), "value", "")
    if type(inside).__name__ in _BOOLEAN and name == "INT":
        numbers = {T: point(Fraction(1)), F: point(ZERO), N: NULL}
        return joined([numbers[o] for o in _outcomes(inside, rows)])
    value = _value(inside, rows)
    exact = name in _EXACT_CASTS and not target.args.get("expressions")
    if exact or (value.is_point and value.low == 0):
        return replace(value, constant=None if exact else value.constant)
    if name in ("INT", "BIGINT", "SMALLINT", "MONEY", *_EXACT_CASTS):
        return value.rounded()
    return Value(nullable=value.nullable, present=value.present, constant=value.constant)


def _count_nulls(node: exp.Expression, rows: Rows) -> Value:
    values = [_value(i, rows) for i in node.args["expressions"]]
    nulls_sure, nulls_most = sum(not v.present for v in values), sum(v.nullable for v in values)
    nulls = Value(Fraction(nulls_sure), Fraction(nulls_most), nullable=False)
    return nulls if node.name.lower() == "num_nulls" else point(Fraction(len(values))) + -nulls


def _is_argument(node: exp.Expression) -> bool:
    return type(node).__name__ not in ("DataType", "Identifier", "Var", "JSONPath")


def _conjuncts(node: exp.Expression) -> Iterator[exp.Expression]:
    if type(node).__name__ == "And":
        yield from _conjuncts(node.args["this"])
        yield from _conjuncts(node.args["expression"])
    else:
        yield node


def _told_by(node: exp.Expression) -> Iterator[tuple[str, Value]]:
    """Yield what a TRUE condition tells of single columns."""
    kind = type(node).__name__
    negated = kind == "Not"
    if negated:
        node = node.args["this"]
        kind = type(node).__name__
    subject: exp.Expression | None = node.args.get("this")
    while subject is not None and type(subject).__name__ == "Cast":
        subject = subject.args["this"]
    if subject is None or type(subject).__name__ != "Column":
        return
    if kind == "Is" and type(node.args["expression"]).__name__ == "Null":
        there = bool(node.args.get("negate")) != negated
        yield subject.name, Value(nullable=not there, present=there)
    elif kind in ("EQ", "GT", "GTE", "LT", "LTE", "NEQ"):
        # TRUE and FALSE alike mean that nothing in it was NULL.
        equal = kind == ("NEQ" if negated else "EQ")
        other = _value(node.args["expression"], Rows())
        yield subject.name, Value(nullable=False, constant=other.constant if equal else None)

"""What Python computes from one row, as an SQL expression over the row's columns.

Attributes and items of the row, the common methods of texts, conditions, tables of constants, and Django's expressions
are told; all else raises `NotTold`, and the code around it is then no statement.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field

from squads.gates.sql.python.dicts import pairs_of
from squads.gates.sql.python.file import name, string
from squads.gates.sql.python.scope import Scope

_COMPARED = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_COMPUTED = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/", ast.Mod: "%"}
_METHODS = {"strip": "btrim", "lstrip": "ltrim", "rstrip": "rtrim", "lower": "lower", "upper": "upper",
            "title": "initcap", "capitalize": "initcap", "casefold": "lower", "replace": "replace"}  # fmt: skip
_EXPRESSIONS = {"Lower": "lower", "Upper": "upper", "Trim": "btrim", "Coalesce": "coalesce", "Concat": "concat",
                "Left": "left", "Right": "right", "Substr": "substr", "Length": "length", "Round": "round",
                "Greatest": "greatest", "Least": "least", "TruncDate": "date", "NullIf": "nullif", "Now": "now",
                "StrIndex": "strpos", "Replace": "replace", "MD5": "md5", "SHA256": "sha256",
                "Floor": "floor"}  # fmt: skip
_DEPTH_MAX = 40


class NotTold(Exception):
    """What the code does to rows is not told by it."""


@dataclass(slots=True)
class Values:
    """Turns expressions into SQL. `rows` are the names of row variables with how a column of each is written."""

    scope: Scope
    rows: dict[str, Callable[[str], str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    """Variables that hold something computed from the row, as SQL."""
    plain: Callable[[str], str] | None = None
    """How the column of a field is written that `F("x")`, or a text in Django's functions, names."""

    def sql(self, node: ast.expr, depth: int = 0) -> str:
        """Return an expression as SQL. Raises `NotTold`."""
        if depth > _DEPTH_MAX:
            raise NotTold

        def of(part: ast.expr) -> str:
            return self.sql(part, depth + 1)

        if isinstance(node, ast.Name) and node.id in self.names:
            return self.names[node.id]
        if not (isinstance(node, ast.Name) and node.id in self.rows):
            known = self.scope.value(node)
            if known is None or isinstance(known, (bool, int, float)):
                return "NULL" if known is None else str(known).lower()
            if isinstance(known, str):
                return string(known)
        match node:
            case ast.Attribute(value=ast.Name(id=row), attr=column) if row in self.rows:
                return self.rows[row](column)
            case ast.Subscript(value=ast.Name(id=row), slice=ast.Constant(value=str() as column)) if row in self.rows:
                return self.rows[row](column)
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=row), attr="_mapping" | "c"), attr=column) if (
                row in self.rows
            ):
                return self.rows[row](column)
            case ast.Subscript(value=ast.Call(func=ast.Attribute(value=owner, attr="split"), args=args), slice=place):
                return _part(of(owner), [of(a) for a in args], place)
            case ast.Subscript(value=table, slice=key):
                return self._mapped(table, of(key), "CAST('?' AS integer)")
            case ast.JoinedStr(values=parts):
                made = [of(p.value) if isinstance(p, ast.FormattedValue) else string(str(p.value)) for p in parts
                        if isinstance(p, (ast.FormattedValue, ast.Constant))]  # fmt: skip
                return f"concat({', '.join(made)})"
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _COMPUTED:
                one, two = of(left), of(right)
                sign = "||" if isinstance(op, ast.Add) and "'" in (one[:1], two[:1], one[-1:]) else _COMPUTED[type(op)]
                return f"({one} {sign} {two})"
            case ast.BoolOp(op=op, values=values):
                made = [of(v) for v in values]
                shown = made[-1]
                for part in reversed(made[:-1]):
                    first, second = (part, shown) if isinstance(op, ast.Or) else (shown, part)
                    shown = f"CASE WHEN {_true(part)} THEN {first} ELSE {second} END"
                return shown
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return f"CASE WHEN {self.condition(test, depth + 1)} THEN {of(body)} ELSE {of(orelse)} END"
            case ast.Compare() | ast.UnaryOp(op=ast.Not()):
                return f"({self.condition(node, depth + 1)})"
            case ast.Call():
                return self._call(node, of, depth)
        raise NotTold

    def condition(self, node: ast.expr, depth: int = 0) -> str:
        """Return a condition as SQL that is true where Python's is, and else false."""
        match node:
            case ast.BoolOp(op=op, values=values):
                mark = " AND " if isinstance(op, ast.And) else " OR "
                return "(" + mark.join(self.condition(v, depth + 1) for v in values) + ")"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"(NOT {self.condition(operand, depth + 1)})"
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return self._compared(left, op, right, depth)
        return _true(self.sql(node, depth + 1))

    def _compared(self, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> str:
        if isinstance(op, (ast.In, ast.NotIn)):
            word = "NOT " if isinstance(op, ast.NotIn) else ""
            items = self.scope.items(right)
            if items is not None:
                known = [i.scope.value(i.node) for i in items]
                if not known or not all(isinstance(k, (str, int)) for k in known):
                    raise NotTold
                listed = ", ".join(string(k) if isinstance(k, str) else str(k) for k in known)
                return f"{word}coalesce({self.sql(left, depth + 1)} IN ({listed}), false)"
            return f"({word}coalesce(strpos({self.sql(right, depth + 1)}, {self.sql(left, depth + 1)}) > 0, false))"
        one, two = self.sql(left, depth + 1), self.sql(right, depth + 1)
        if isinstance(op, (ast.Eq, ast.Is)):
            return f"({one} IS NOT DISTINCT FROM {two})"
        if isinstance(op, (ast.NotEq, ast.IsNot)):
            return f"({one} IS DISTINCT FROM {two})"
        if type(op) in _COMPARED:
            return f"coalesce({one} {_COMPARED[type(op)]} {two}, false)"
        raise NotTold

    def _call(self, node: ast.Call, of: Callable[[ast.expr], str], depth: int) -> str:
        called = self.scope.file.called(node)
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        args = node.args
        if called == "F" and args and self.plain:
            field_name = self.scope.text(args[0])
            if field_name is None:
                raise NotTold
            return self.plain(field_name)
        if called in ("Value", "Cast", "ExpressionWrapper") and args:
            return of(args[0])
        if called in _EXPRESSIONS and self.plain:
            return f"{_EXPRESSIONS[called]}({', '.join(self._named(a, of, called) for a in args)})"
        if called == "Case" and self.plain:
            parts = [self._when(a, of) for a in args]
            last = next((of(k.value) for k in node.keywords if k.arg == "default"), "NULL")
            return f"CASE {' '.join(parts)} ELSE {last} END"
        if owner is not None and called in _METHODS:
            return f"{_METHODS[called]}({', '.join((of(owner), *(of(a) for a in args)))})"
        if owner is not None and called == "get" and args:
            return self._mapped(owner, of(args[0]), of(args[1]) if len(args) > 1 else "NULL")
        if owner is not None and called in ("date", "isoformat", "scalar", "all", "iterator"):
            return f"CAST({of(owner)} AS date)" if called == "date" else of(owner)
        if called in ("startswith", "endswith") and owner is not None and args:
            side = "left" if called == "startswith" else "right"
            return f"({side}({of(owner)}, length({of(args[0])})) = {of(args[0])})"
        if owner is None and called in ("str", "Decimal", "int", "round", "bool", "len", "float") and args:
            kind = {"str": "text", "Decimal": "numeric", "float": "numeric", "bool": "boolean"}.get(called)
            if kind:
                return f"CAST({of(args[0])} AS {kind})"
            if called == "int":
                return f"CAST(trunc(CAST({of(args[0])} AS numeric)) AS bigint)"
            return f"{'length' if called == 'len' else 'round'}({', '.join(of(a) for a in args)})"
        target = self.scope.followed(node.func)
        if isinstance(target.node, ast.FunctionDef) and not node.keywords:
            return self._own(target.node, target.scope, [of(a) for a in args], depth)
        raise NotTold

    def _own(self, function: ast.FunctionDef, scope: Scope, given: list[str], depth: int) -> str:
        """Return a function of the file that is one `return`."""
        body = [s for s in function.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        names = [a.arg for a in function.args.args]
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None or len(names) != len(given):
            raise NotTold
        return Values(scope, names=dict(zip(names, given, strict=True))).sql(body[0].value, depth + 1)

    def _named(self, node: ast.expr, of: Callable[[ast.expr], str], called: str) -> str:
        """Return an argument of a function of Django's, in which a text names a field."""
        text = self.scope.text(node)
        if text is not None and self.plain and called not in ("Replace", "StrIndex"):
            return self.plain(text)
        return of(node)

    def _when(self, node: ast.expr, of: Callable[[ast.expr], str]) -> str:
        if not (isinstance(node, ast.Call) and self.scope.file.called(node) == "When"):
            raise NotTold
        then = next((k.value for k in node.keywords if k.arg == "then"), None)
        if then is None or node.args:
            raise NotTold
        tests = [self.lookup(str(k.arg), k.value) for k in node.keywords if k.arg != "then"]
        return f"WHEN {' AND '.join(tests)} THEN {of(then)}"

    def lookup(self, word: str, value: ast.expr) -> str:
        """Return `field=value`, `field__isnull=True` and their like as a condition."""
        if self.plain is None:
            raise NotTold
        field_name, _, test = word.partition("__")
        column = self.plain(field_name)
        if test == "in":
            items = self.scope.items(value)
            known = [i.scope.value(i.node) for i in items or []]
            if not known or not all(isinstance(k, (str, int)) for k in known):
                raise NotTold
            return f"{column} IN ({', '.join(string(k) if isinstance(k, str) else str(k) for k in known)})"
        shown = self.sql(value)
        if test == "isnull":
            return f"{column} IS {'' if shown == 'true' else 'NOT '}NULL"
        if test in ("", "exact", "iexact", "pk"):
            return f"{column} IS NULL" if shown == "NULL" else f"{column} = {shown}"
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        if test in signs:
            return f"{column} {signs[test]} {shown}"
        if test in ("contains", "icontains"):
            return f"strpos({column}, {shown}) > 0"
        if test in ("startswith", "istartswith"):
            return f"left({column}, length({shown})) = {shown}"
        raise NotTold

    def _mapped(self, table: ast.expr, key: str, otherwise: str) -> str:
        pairs = pairs_of(self.scope, table)
        if not pairs:
            raise NotTold
        parts = []
        for one, two, where in pairs:
            known = where.value(one)
            if not isinstance(known, (str, int)):
                raise NotTold
            shown = string(known) if isinstance(known, str) else str(known)
            parts.append(f"WHEN {shown} THEN {Values(where).sql(two)}")
        return f"CASE {key} {' '.join(parts)} ELSE {otherwise} END"


def halves(called: str, text: str, mark: str) -> tuple[str, str, str]:
    """Return the three parts that `partition` and `rpartition` give, as SQL."""
    there = f"strpos({text}, {mark}) > 0"
    if called == "partition":
        rest = f"CASE WHEN {there} THEN substr({text}, strpos({text}, {mark}) + length({mark})) ELSE '' END"
        return f"split_part({text}, {mark}, 1)", mark, rest
    last = f"split_part({text}, {mark}, -1)"
    first = f"CASE WHEN {there} THEN left({text}, length({text}) - length({last}) - length({mark})) ELSE '' END"
    return first, mark, last


def _part(text: str, given: list[str], place: ast.expr) -> str:
    """Return `text.split(mark, most)[place]`."""
    mark = given[0] if given and given[0] != "NULL" else "' '"
    number = place.value if isinstance(place, ast.Constant) else None
    if isinstance(place, ast.UnaryOp) and isinstance(place.operand, ast.Constant):
        number = -int(place.operand.value)  # type: ignore[arg-type]
    if not isinstance(number, int):
        raise NotTold
    if len(given) > 1:
        if given[1] != "1" or number not in (0, 1, -1):
            raise NotTold
        first, _, rest = halves("partition", text, mark)
        return first if number == 0 else rest
    return f"split_part({text}, {mark}, {number + 1 if number >= 0 else number})"


def _true(shown: str) -> str:
    """Return whether Python takes a value for true."""
    if shown.startswith(("(", "coalesce(", "NOT ")) and any(w in shown for w in (" IS ", " > ", " = ", " IN ")):
        return shown
    return f"coalesce(CAST({shown} AS text) NOT IN ('', '0', 'false'), false)"


def column(text: str) -> str:
    """Return a column by its name."""
    return name(text)

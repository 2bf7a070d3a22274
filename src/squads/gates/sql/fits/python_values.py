"""Constants in Python code, told from its tree: numbers, text, lists, and names that are bound only once.

Code is never run. What is bound twice, computed from a call that is not in the short list below, or longer than the
bounds of `constants.py`, is no constant. A name that is imported from a module of the same artifact is followed by its
name when only one module of the artifact binds it.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from squads.gates.sql.fits.constants import TEXT_CHARACTERS_MAX, Constant, computed, number_of, rounded

DEPTH_MAX = 60
CHOICES_MAX = 200
"""How many values of one dict are looked at."""
NOW_SECONDS_MIN = 1_700_000_000
"""No clock that is right shows less; so milliseconds since 1970 never fit an integer."""
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}


@dataclass(frozen=True, slots=True)
class Names:
    """What names are bound to in one place: a function's, then its module's, then the artifact's."""

    bound: Mapping[str, ast.expr] = field(default_factory=dict)
    outer: Names | None = None
    hidden: frozenset[str] = frozenset()
    """Names that are parameters, or bound more than once."""
    given: Mapping[str, ast.expr] = field(default_factory=dict)
    """The defaults of parameters that keep their value: what they are where the caller leaves them out."""

    def find(self, name: str) -> ast.expr | None:
        """Return the one expression that `name` is bound to."""
        if name in self.bound:
            return self.bound[name]
        return None if name in self.hidden or self.outer is None else self.outer.find(name)

    def find_member(self, name: str) -> ast.expr | None:
        """Return what the only class here with a constant `name` binds it to."""
        found = [value for key, value in self.bound.items() if key.endswith(f".{name}")]
        if found or self.outer is None:
            return found[0] if len(found) == 1 else None
        return self.outer.find_member(name)


def names_in(body: list[ast.stmt], outer: Names | None = None, parameters: frozenset[str] = frozenset()) -> Names:
    """Return what a body binds once; nested functions are left out, classes give `Class.name`."""
    bound: dict[str, ast.expr] = {}
    twice = set(parameters)

    def bind(target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Attribute):  # what the name means stays, one of its parts changes
            if isinstance(target.value, ast.Name):
                twice.add(f"{target.value.id}.{target.attr}")
            return
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                if node.id in bound or node.id in twice or value is None or node is not target:
                    twice.add(node.id)
                    bound.pop(node.id, None)
                else:
                    bound[node.id] = value

    for statement in _statements(body):
        match statement:
            case ast.Assign():
                for target in statement.targets:
                    bind(target, statement.value)
            case ast.AnnAssign(value=ast.expr()):
                bind(statement.target, statement.value)
            case ast.AugAssign() | ast.For() | ast.AsyncFor():
                bind(statement.target, None)
            case ast.With() | ast.AsyncWith():
                for item in statement.items:
                    if item.optional_vars is not None:
                        bind(item.optional_vars, None)
            case ast.ClassDef():
                for name, value in names_in(statement.body).bound.items():
                    bound[f"{statement.name}.{name}"] = value
    return Names(bound, outer, frozenset(twice))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    waiting = list(reversed(body))
    while waiting:
        statement = waiting.pop()
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for attribute in ("body", "orelse", "finalbody"):
            waiting += reversed(getattr(statement, attribute, []))
        for handler in getattr(statement, "handlers", []):
            waiting += reversed(handler.body)


def value_of(node: ast.expr | None, names: Names, depth: int = 0) -> Constant | None:
    """Return the constant that `node` is, or None."""
    if node is None or depth > DEPTH_MAX:
        return None
    match node:
        case ast.Constant(value=bool() as flag):
            return Constant("boolean", text="true" if flag else "false")
        case ast.Constant(value=int() as number):
            if number.bit_length() > 10_000:
                return None
            return Constant("integer", Fraction(number), text=str(number), type="int8")
        case ast.Constant(value=float() as number):
            return None if math.isinf(number) else Constant("numeric", number_of(repr(number)), text=repr(number))
        case ast.Constant(value=str() as text):
            return Constant("literal", text=text)
        case ast.JoinedStr():
            parts = [
                value_of(p.value if isinstance(p, ast.FormattedValue) else p, names, depth + 1) for p in node.values
            ]
            texts = [p.text for p in parts if p is not None and p.text]
            whole = len(texts) == len(parts) and sum(map(len, texts)) <= TEXT_CHARACTERS_MAX
            return Constant("literal", text="".join(texts)) if whole else None
        case ast.Constant(value=None):
            return Constant("null")
        case ast.Name():
            return value_of(names.find(node.id), names, depth + 1)
        case ast.Attribute():
            return _member(node, names, depth)
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return value_of((pairs_of(node.value, names) or {}).get(key), names, depth + 1)
        case ast.UnaryOp(op=ast.USub()):
            inner = value_of(node.operand, names, depth + 1)
            if inner is None or inner.number is None:
                return None
            return Constant(inner.kind, -inner.number, text=f"-{inner.text}" if inner.text else "", type=inner.type)
        case ast.BinOp():
            return _binary(node, names, depth)
        case ast.Call():
            return _call(node, names, depth)
    return None


def values_of(node: ast.expr | None, names: Names) -> list[Constant]:
    """Return the constants that `node` may be: one, or one of a dict's, of two branches, a parameter's default.

    At most `CHOICES_MAX` expressions are looked at behind it.
    """
    found: list[Constant] = []
    waiting = [] if node is None else [node]
    looked = 0
    while waiting and looked <= CHOICES_MAX:
        looked += 1
        current = waiting.pop(0)
        value = value_of(current, names)
        if value is not None:
            found.append(value)
        else:
            waiting += _choices(current, names)[:CHOICES_MAX]
    return found


def _choices(node: ast.expr, names: Names) -> list[ast.expr]:
    """Return the expressions of which `node` is one."""
    match node:
        case ast.Subscript(value=ast.Name() as owner):
            return list((pairs_of(owner, names) or {}).values())
        case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="get"), args=[_, *others]):
            return [*(pairs_of(owner, names) or {}).values(), *others]
        case ast.IfExp(body=body, orelse=other):
            return [body, other]
        case ast.BoolOp(op=ast.Or(), values=several):
            return several
        case ast.Name(id=name):
            found = names.given.get(name) or names.find(name)
            return [found] if found is not None else []
    return []


def text_of(node: ast.expr | None, names: Names) -> str | None:
    """Return the text that `node` is: a string, or a call that wraps one as SQL, such as `text("...")`."""
    match node:
        case ast.Call(args=[inner, *_]) if called(node) in ("text", "SQL", "dedent", "RawSQL", "DDL"):
            return text_of(inner, names)
        case ast.Call(func=ast.Attribute(value=inner, attr="strip" | "bindparams" | "format_map")):
            return text_of(inner, names)
    value = value_of(node, names)
    return value.text if value is not None and value.kind in ("literal", "text") else None


def called(node: ast.Call) -> str:
    """Return the last name of what is called: `Column` for `sa.Column(...)`."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def items_of(node: ast.expr | None, names: Names, depth: int = 0) -> list[ast.expr] | None:
    """Return the members of a list or tuple that is written out, perhaps under a name."""
    match node:
        case ast.List() | ast.Tuple() | ast.Set():
            return None if any(isinstance(e, ast.Starred) for e in node.elts) else list(node.elts)
        case ast.Name() if depth < DEPTH_MAX:
            return items_of(names.find(node.id), names, depth + 1)
    return None


def pairs_of(node: ast.expr | None, names: Names, depth: int = 0) -> dict[str, ast.expr] | None:
    """Return the entries with plain text keys of a dict that is written out, perhaps under a name."""
    match node:
        case ast.Dict():
            entries = zip(node.keys, node.values, strict=True)
            return {k.value: v for k, v in entries if isinstance(k, ast.Constant) and isinstance(k.value, str)}
        case ast.Call(func=ast.Name(id="dict")):
            return {k.arg: k.value for k in node.keywords if k.arg}
        case ast.Name() if depth < DEPTH_MAX:
            return pairs_of(names.find(node.id), names, depth + 1)
    return None


def _member(node: ast.Attribute, names: Names, depth: int) -> Constant | None:
    """Return a class's constant: `Status.PENDING`, `Config.LIMIT`, also `.value` of it."""
    if node.attr == "value" and isinstance(node.value, ast.Attribute):
        return _member(node.value, names, depth)
    if not isinstance(node.value, ast.Name):
        return None
    found = names.find(f"{node.value.id}.{node.attr}") or (names.find(node.attr) if node.attr.isupper() else None)
    if found is None and node.value.id in ("self", "cls") and node.attr.isupper():
        found = names.find_member(node.attr)
    if isinstance(found, ast.Tuple) and found.elts:  # Django's choices: NAME = "value", "Label"
        found = found.elts[0]
    return value_of(found, names, depth + 1)


def _binary(node: ast.BinOp, names: Names, depth: int) -> Constant | None:
    left, right = value_of(node.left, names, depth + 1), value_of(node.right, names, depth + 1)
    number: Fraction | None
    if left is None or right is None:
        return None
    if left.kind == "literal" or right.kind == "literal":
        if isinstance(node.op, ast.Add) and left.kind == right.kind:
            text = left.text + right.text
            return Constant("literal", text=text) if len(text) <= TEXT_CHARACTERS_MAX else None
        word, times = (left, right) if left.kind == "literal" else (right, left)
        number = times.number if isinstance(node.op, ast.Mult) and times.kind == "integer" else None
        if number is None or not 0 <= number * len(word.text) <= TEXT_CHARACTERS_MAX:
            return None
        return Constant("literal", text=word.text * int(number))
    if left.number is None or right.number is None:
        return None
    whole = left.kind == right.kind == "integer" and not isinstance(node.op, ast.Div)
    if isinstance(node.op, ast.FloorDiv) and right.number:
        number = Fraction(math.floor(left.number / right.number))
    else:
        operator = _OPERATORS.get(type(node.op))
        plain = (Constant("numeric", left.number), Constant("numeric", right.number))
        result = computed(operator, *plain) if operator else None
        number = result.number if result else None
    if number is None:
        return None
    spelled = str(number) if whole and number.denominator == 1 and abs(number) < 10**60 else ""
    return Constant("integer" if whole else "numeric", number, text=spelled, type="int8" if whole else "")


def _call(node: ast.Call, names: Names, depth: int) -> Constant | None:
    name, arguments = called(node), [value_of(a, names, depth + 1) for a in node.args]
    known = [a for a in arguments if a is not None]
    if name in ("time", "time_ns") and not node.args and isinstance(node.func, ast.Attribute):
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "time":
            return Constant("numeric", Fraction(NOW_SECONDS_MIN * (10**9 if name == "time_ns" else 1)))
        return None
    if not known or len(known) != len(arguments) or node.keywords:
        return None
    first = known[0]
    number = number_of(first.text) if first.kind == "literal" else first.number
    if number is None:
        return None
    if name in ("Decimal", "float"):
        return Constant("numeric", number, text=first.text)
    if name == "int":
        return Constant("integer", Fraction(math.trunc(number)), text=str(math.trunc(number)), type="int8")
    if name == "round" and len(known) < 3:
        digits = known[1].number if len(known) == 2 else Fraction(0)
        return Constant("numeric", rounded(number, int(digits))) if digits is not None and abs(digits) < 100 else None
    return None

"""Constants in Python code, told from its tree: numbers, text, lists, and names that are bound only once.

Code is never run. What is bound twice, computed from a call that is not in the short list below, or longer than the
bounds of `constants.py`, is no constant. A name that is imported from a module of the same artifact is followed by its
name when only one module of the artifact binds it.
"""

from __future__ import annotations

import ast
import copy
import math
from fractions import Fraction

from squads.gates.sql.fits.constants import TEXT_CHARACTERS_MAX, Constant, computed, number_of, rounded
from squads.gates.sql.fits.python_names import CHOICES_MAX, DEPTH_MAX, Names, called, pairs_of
from squads.gates.sql.fits.python_samples import formatted, sampled_attribute, sampled_call, sampled_slice

NOW_SECONDS_MIN = 1_700_000_000
"""No clock that is right shows less; so milliseconds since 1970 never fit an integer."""
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "^"}


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
            return formatted(node, lambda inner: value_of(inner, names, depth + 1))
        case ast.Constant(value=None):
            return Constant("null")
        case ast.Name():
            return value_of(names.find(node.id), names, depth + 1)
        case ast.Attribute():
            return sampled_attribute(node) or _member(node, names, depth)
        case ast.Subscript(slice=ast.Slice()):
            return sampled_slice(node, lambda inner: value_of(inner, names, depth + 1))
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


def values_of(node: ast.expr | None, names: Names) -> list[tuple[Constant, ast.expr]]:
    """Return the constants that `node` may be, each with where it is written.

    One, or one of a dict's, of several branches, of a loop, of what calls give a parameter. At most `CHOICES_MAX`
    expressions are looked at behind it.
    """
    found: list[tuple[Constant, ast.expr]] = []
    waiting = [] if node is None else [node]
    looked = 0
    while waiting and looked <= CHOICES_MAX:
        looked += 1
        current = waiting.pop(0)
        value = value_of(current, names)
        if value is not None:
            found.append((value, origin(current, names)))
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
            return names.may_be(name) or _of_kind(names.kind(name), names)
        case ast.Attribute(value=ast.Name(id=name), attr="value" | "name"):
            held = names.may_be(name)
            return held if held else _of_kind(names.kind(name), names)
        case ast.Attribute(value=ast.Name(id=name), attr=part) if (kind := names.kind(name)) is not None:
            limits = names.find(f"{_last_name(kind)}.{part}")
            return _limits(limits) if isinstance(limits, ast.Call) else []
        case ast.Call() if called(node) in _LIMITING:
            return _limits(node)
        case ast.Subscript(value=source, slice=ast.Constant(value=str() as part)):
            return _checked(source, part, names)
        case ast.Call(func=ast.Attribute(value=source, attr="get"), args=[ast.Constant(value=str() as part), *_]):
            return _checked(source, part, names)
        case ast.Call(func=ast.Name(id=name)) if (function := names.function(name)) is not None:
            return returned(function)
        case (
            ast.Await(value=inner)
            | ast.Call(func=ast.Attribute(value=inner, attr="strip" | "lower" | "upper"), args=[])
        ):
            return [inner]
    return []


def returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """Return what a function may give back; of its own names nothing is known to who calls it."""
    own = {a.arg for a in ast.walk(function) if isinstance(a, ast.arg)}
    own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    found = [n.value for n in ast.walk(function) if isinstance(n, ast.Return) and n.value is not None][:CHOICES_MAX]
    return [_Unknown(own).visit(copy.deepcopy(value)) if own else value for value in found]


class _Unknown(ast.NodeTransformer):
    """Takes the meaning of a function's own names away."""

    def __init__(self, own: set[str]) -> None:
        self.own = own

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Return a name that is bound to nothing, in the place of one of the function's own."""
        return ast.copy_location(ast.Name("?", node.ctx), node) if node.id in self.own else node


def _of_kind(annotation: ast.expr | None, names: Names) -> list[ast.expr]:
    """Return the values that an annotation allows: those of a Literal, the members of an enum of the artifact."""
    match annotation:
        case ast.Subscript(value=owner, slice=inside) if _last_name(owner) == "Literal":
            return list(inside.elts) if isinstance(inside, ast.Tuple) else [inside]
        case ast.Subscript(value=owner, slice=ast.Tuple(elts=[_, *marks])) if _last_name(owner) == "Annotated" and any(
            isinstance(m, ast.Call) and called(m) in _LIMITING for m in marks
        ):
            return [e for m in marks if isinstance(m, ast.Call) and called(m) in _LIMITING for e in _limits(m)]
        case ast.Call() if called(annotation) in _LIMITING:
            return _limits(annotation)
        case ast.Subscript(value=owner, slice=inside) if _last_name(owner) in ("Optional", "Annotated"):
            return _of_kind(inside.elts[0] if isinstance(inside, ast.Tuple) and inside.elts else inside, names)
        case ast.BinOp(left=left, right=right):
            return [*_of_kind(left, names), *_of_kind(right, names)]
        case ast.Name(id=name):
            alias = names.find(name)
            return _of_kind(alias, names) if isinstance(alias, ast.Subscript) else names.members(name)
    return []


def _limits(call: ast.Call) -> list[ast.expr]:
    """Return the longest text and the largest numbers that a field of a data model lets in."""
    words = {k.arg: k.value for k in call.keywords if k.arg}
    found = [words[w] for w in ("le", "ge", "max_value") if w in words]
    digits, places = words.get("max_digits"), words.get("decimal_places")
    match digits, places:
        case ast.Constant(value=int() as long), ast.Constant(value=int() as behind) if 0 <= behind < long < 60:
            text = f"{'9' * (long - behind)}.{'9' * behind}".rstrip(".")
            decimal = ast.Call(ast.Name("Decimal", ast.Load()), [ast.Constant(text)], [])
            found.append(ast.copy_location(decimal, call))
    length = words.get("max_length")
    if isinstance(length, ast.Constant) and isinstance(length.value, int) and 0 < length.value < 10_000:
        made = ast.Constant("x" * length.value)
        found.append(ast.copy_location(made, call))
    return found


_LIMITING = frozenset(("Field", "Query", "Path", "Body", "Form", "Param", "conint", "constr", "condecimal"))
_CLEANED = frozenset(("cleaned_data", "validated_data"))


def _checked(source: ast.expr, part: str, names: Names) -> list[ast.expr]:
    """Return what a form or serializer lets through in `form.cleaned_data["name"]`."""
    source = (names.find(source.id) or source) if isinstance(source, ast.Name) else source
    if not (isinstance(source, ast.Attribute) and source.attr in _CLEANED and isinstance(source.value, ast.Name)):
        return []
    made = names.find(source.value.id)
    field = names.find(f"{called(made)}.{part}") if isinstance(made, ast.Call) else None
    return _limits(field) if isinstance(field, ast.Call) else []


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def origin(node: ast.expr, names: Names) -> ast.expr:
    """Return the expression that a name stands for in the end, or `node` itself."""
    for _ in range(DEPTH_MAX):
        found = names.find(node.id) if isinstance(node, ast.Name) else None
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found = names.find(f"{node.value.id}.{node.attr}")
        if found is None or not hasattr(found, "lineno"):
            return node
        node = found
    return node


def text_of(node: ast.expr | None, names: Names) -> str | None:
    """Return the text that `node` is: a string, or a call that wraps one as SQL, such as `text("...")`."""
    match node:
        case ast.Call(args=[inner, *_]) if called(node) in ("text", "SQL", "dedent", "RawSQL", "DDL"):
            return text_of(inner, names)
        case ast.Call(func=ast.Attribute(value=inner, attr="strip" | "bindparams" | "format_map")):
            return text_of(inner, names)
    value = value_of(node, names)
    return value.text if value is not None and value.kind in ("literal", "text") else None


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
    if (made := sampled_call(node, lambda inner: value_of(inner, names, depth + 1))) is not None:
        return made
    if not known or len(known) != len(arguments) or node.keywords:
        return None
    first = known[0]
    if name == "str" and first.text and len(known) == 1:
        return Constant("literal", text=first.text)
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

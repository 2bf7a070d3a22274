"""What one assertion demands, and how strictly: so that two of them can be compared."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass

from squads.gates.changes.written import number, power, scale


@dataclass(frozen=True, slots=True)
class Demand:
    """One thing that a test demands."""

    node: ast.AST
    text: str
    """The condition, as it is written."""
    subject: str
    """What is looked at."""
    strength: float
    """From 0 (always holds) to 10 (exactly this)."""
    expected: str = ""
    guarded: str = ""
    """Why it may not be asked: a branch, a loop, a handler."""
    wide: float = 0.0
    """How far off it may be."""
    polarity: str = ""
    """`true` or `false` where only that is asked."""


# How much is left of a value of which only this is compared.
_SEEN_AS = {"type": 3.2, "len": 5.0, "set": 8.0, "frozenset": 8.0, "sorted": 8.5, "Counter": 8.5, "bool": 4.0,
            "str": 9.5, "int": 8.0}  # fmt: skip


def parts(test: ast.expr) -> list[ast.expr]:
    """Return the conditions that one asserts: `a and b` are two, and so are `a == b == c`."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        return [p for v in test.values for p in parts(v)]
    match test:
        case ast.Compare(left=ast.Tuple(elts=left), ops=[ast.Eq()], comparators=[ast.Tuple(elts=right)]) if len(
            left
        ) == len(right) and not any(isinstance(e, ast.Starred) for e in (*left, *right)):
            return [ast.copy_location(ast.Compare(a, [ast.Eq()], [b]), test) for a, b in zip(left, right, strict=True)]
    if isinstance(test, ast.Compare) and len(test.ops) > 1 and all(isinstance(o, ast.Eq | ast.Is) for o in test.ops):
        pairs = zip(test.ops, test.comparators, strict=True)
        return [ast.copy_location(ast.Compare(test.left, [o], [c]), test) for o, c in pairs]
    return [test]


def demand_of(test: ast.expr, node: ast.AST, guard: str) -> Demand:
    """Return what an asserted condition demands."""
    text = ast.unparse(test)
    match test:
        case ast.Constant():
            return Demand(node, text, text, 0.0 if test.value else 10.0, guarded=guard)
        case ast.Tuple() if test.elts:
            return Demand(node, text, ast.unparse(test.elts[0]), 0.0, guarded=guard)
        case ast.Compare() if len(test.ops) == 1:
            left, right = test.left, test.comparators[0]
            if (
                isinstance(left, ast.Constant)
                or (isinstance(left, ast.List | ast.Dict | ast.Tuple | ast.Set) and not isinstance(right, ast.Constant))
            ) and isinstance(test.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
                left, right = right, left
            return _compared(test, left, right, node, guard)
        case ast.Compare():
            return Demand(node, text, ast.unparse(test.comparators[0]), 4.5, expected=text, guarded=guard)
        case ast.UnaryOp(op=ast.Not()):
            inner = demand_of(test.operand, node, guard)
            if isinstance(test.operand, ast.Compare):
                return Demand(node, text, inner.subject, 4.0 if inner.strength > 4 else inner.strength, guarded=guard)
            return Demand(node, text, ast.unparse(test.operand), 4.0, guarded=guard, polarity="false")
        case ast.BoolOp(op=ast.Or()):
            trivial = any(isinstance(v, ast.Constant) and v.value for v in test.values)
            inner = demand_of(test.values[0], node, guard)
            return Demand(node, text, inner.subject, 0.0 if trivial else min(2.0, inner.strength / 2), guarded=guard)
        case ast.Call():
            name = ast.unparse(test.func)
            if name in ("isinstance", "hasattr", "callable", "bool", "any", "len") and test.args:
                return Demand(
                    node, text, ast.unparse(test.args[0]), 3.0 if name == "isinstance" else 2.0, guarded=guard
                )
            if re.fullmatch(r"(?:\w+\.)?is(?:inf|nan)", name) and len(test.args) == 1:
                return Demand(node, text, ast.unparse(test.args[0]), 9.6, f"math.{name[-3:]}", guarded=guard)
            if name == "all":
                return Demand(node, text, text, 6.0, guarded=guard)
            if name.endswith("isclose") and test.args:
                other = test.args[1] if len(test.args) > 1 else None
                wide = _tolerance(test, other)
                expected = ast.unparse(other) if other else ""
                return Demand(node, text, ast.unparse(test.args[0]), 9.0, expected, guarded=guard, wide=wide)
            return Demand(node, text, text, 5.0, guarded=guard, polarity="true")
    return Demand(node, text, text, 2.5, guarded=guard, polarity="true")


def _compared(test: ast.Compare, left: ast.expr, right: ast.expr, node: ast.AST, guard: str) -> Demand:
    text, subject, expected = ast.unparse(test), ast.unparse(left), ast.unparse(right)
    operator = test.ops[0]
    wide = 0.0
    strength = {ast.Eq: 10.0, ast.Is: 10.0, ast.NotEq: 3.0, ast.IsNot: 2.0, ast.In: 4.0, ast.NotIn: 4.0}.get(
        type(operator), 4.0
    )
    if isinstance(operator, ast.Eq):
        call = right if isinstance(right, ast.Call) else left if isinstance(left, ast.Call) else None
        if call is not None and ast.unparse(call.func).endswith("approx"):
            if call is left:
                subject = ast.unparse(right)
            strength, wide = 9.0, _tolerance(call, call.args[0] if call.args else None)
            expected = ast.unparse(call.args[0]) if call.args else ""
        elif expected.endswith(".ANY") or expected == "ANY":
            strength = 1.0
        elif isinstance(right, ast.Set | ast.SetComp) or isinstance(left, ast.Set | ast.SetComp):
            strength = 8.0  # in any order
        elif call is left and isinstance(left, ast.Call) and ast.unparse(left.func) == "round":
            digits = left.args[1].value if len(left.args) > 1 and isinstance(left.args[1], ast.Constant) else 0
            strength, wide = 9.0, 0.5 * power(digits if isinstance(digits, int) else 0)
            subject = ast.unparse(left.args[0])
        elif isinstance(left, ast.Call) and ast.unparse(left.func) in _SEEN_AS and left.args:
            subject = ast.unparse(left.args[0])
            strength = _SEEN_AS[ast.unparse(left.func)]
    elif (
        isinstance(operator, ast.Lt | ast.LtE)
        and isinstance(left, ast.Call)
        and ast.unparse(left.func) == "abs"
        and left.args
    ):
        inner = left.args[0]
        subject = ast.unparse(inner.left) if isinstance(inner, ast.BinOp) else ast.unparse(inner)
        expected = ast.unparse(inner.right) if isinstance(inner, ast.BinOp) else "0"
        strength, wide = 8.5, number(right) or 0.0
    elif isinstance(operator, ast.In) and _either(right):
        strength = 1.0
    elif isinstance(operator, ast.In) and isinstance(right, ast.List | ast.Tuple | ast.Set) and len(right.elts) == 1:
        strength, expected = 10.0, ast.unparse(right.elts[0])
    elif (
        isinstance(operator, ast.Gt | ast.GtE | ast.Lt | ast.LtE)
        and isinstance(left, ast.Call)
        and ast.unparse(left.func) == "len"
    ):
        subject, strength = ast.unparse(left.args[0]) if left.args else subject, 2.5
    return Demand(node, text, subject, strength, expected=expected, guarded=guard, wide=wide)


def as_raises(node: ast.Try) -> ast.Call | None:
    """Return what `try`, `except X` and a `fail()` where nothing is raised demand, as a call of `pytest.raises`."""
    ends = node.orelse or node.body[-1:]
    fails = any(re.search(r"\bfail\(|raise AssertionError|assert False", ast.unparse(s)) for s in ends)
    if not fails or len(node.handlers) != 1 or node.handlers[0].type is None:
        return None
    said = [n.left for n in ast.walk(node.handlers[0]) if isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.In)]
    match = [ast.keyword("match", s) for s in said if isinstance(s, ast.Constant)][:1]
    raises = ast.Attribute(ast.Name("pytest", ast.Load()), "raises", ast.Load())
    return ast.copy_location(ast.Call(raises, [node.handlers[0].type], match), node)


def raised(name: str) -> bool:
    """Return whether a call of this name demands that something is raised, or warned of."""
    return name in ("raises", "assertRaises", "assertRaisesRegex", "warns", "assertWarns", "assertWarnsRegex")


def _either(node: ast.expr) -> bool:
    """Return whether a list of what is allowed holds both true and false things."""
    values = [bool(e.value) for e in getattr(node, "elts", ()) if isinstance(e, ast.Constant)]
    return True in values and False in values


def method_demand(name: str, call: ast.Call, guard: str, acts: str = "") -> Demand:
    """Return what a call of `assertEqual`, `raises` or `assert_called_once_with` demands.

    `acts` is what `raises` and its like go around; without it they are compared by what they expect.
    """
    text = ast.unparse(call)
    args = [ast.unparse(a) for a in call.args]
    subject = args[0] if args else ast.unparse(call.func)
    expected = args[1] if len(args) > 1 else ""
    if len(call.args) > 1 and isinstance(call.args[0], ast.Constant) and name.startswith("assert"):
        subject, expected = expected, subject
    if raised(name):
        first = 2 if name.endswith("Regex") else 1
        if not acts and len(call.args) > first:
            acts = f"{args[first]}({', '.join(args[first + 1 :])})"
        matched = any(k.arg == "match" for k in call.keywords) or name.endswith("Regex")
        strength = _exception(args[0] if args else "Exception") + (0.5 if matched else 0.0)
        subject = f"raises {acts}" if acts else "raises"
        return Demand(call, text, subject, strength, expected=args[0] if args else "", guarded=guard)
    if name.startswith("assert_"):
        subject = ast.unparse(call.func).rsplit(".", 1)[0]
        ranks = {
            "assert_called_once_with": 10.0,
            "assert_awaited_once_with": 10.0,
            "assert_called_with": 9.0,
            "assert_has_calls": 9.0,
            "assert_any_call": 7.0,
            "assert_called_once": 6.0,
            "assert_called": 3.0,
            "assert_not_called": 10.0,
        }
        if name not in ranks and args:
            subject = args[0]
        loose = any(re.search(r"(?:^|\.)ANY\b", a) for a in (*args, *(ast.unparse(k.value) for k in call.keywords)))
        if loose and name in ranks:
            ranks[name] = min(ranks[name], 6.0)
        wide = _tolerance(call, call.args[1] if len(call.args) > 1 else None)
        told = args[1] if name not in ranks and len(args) > 1 else ", ".join(args)
        return Demand(call, text, subject, ranks.get(name, 9.0), expected=told, guarded=guard, wide=wide)
    ranks = {
        "assertIsNone": 10.0,
        "assertAlmostEqual": 9.0,
        "assertCountEqual": 8.5,
        "assertIn": 4.0,
        "assertNotIn": 4.0,
        "assertGreater": 4.0,
        "assertGreaterEqual": 4.0,
        "assertLess": 4.0,
        "assertLessEqual": 4.0,
        "assertIsInstance": 3.0,
        "assertIsNotNone": 2.0,
        "assertNotEqual": 3.0,
        "assertRegex": 5.0,
    }
    if name in ("assertTrue", "assertFalse") and call.args:
        if name == "assertTrue":
            return demand_of(call.args[0], call, guard)
        return demand_of(ast.UnaryOp(ast.Not(), call.args[0]), call, guard)
    same = {
        "assertEqual": ast.Eq, "assertEquals": ast.Eq, "assertIs": ast.Is, "assertIsNot": ast.IsNot, "assertIn": ast.In,
        "assertNotIn": ast.NotIn, "assertNotEqual": ast.NotEq, "assertGreater": ast.Gt, "assertLess": ast.Lt,
        "assertGreaterEqual": ast.GtE, "assertLessEqual": ast.LtE, "assertSequenceEqual": ast.Eq,
        "assertListEqual": ast.Eq, "assertTupleEqual": ast.Eq, "assertDictEqual": ast.Eq, "assertSetEqual": ast.Eq,
        "assertMultiLineEqual": ast.Eq,
    }  # fmt: skip
    if name in same and len(call.args) > 1:
        return demand_of(ast.Compare(call.args[0], [same[name]()], [call.args[1]]), call, guard)
    if name in ("assertIsNone", "assertIsNotNone") and call.args:
        operator = ast.Is() if name == "assertIsNone" else ast.IsNot()
        return demand_of(ast.Compare(call.args[0], [operator], [ast.Constant(None)]), call, guard)
    wide = _tolerance(call, call.args[1] if len(call.args) > 1 else None)
    return Demand(call, text, subject, ranks.get(name, 9.0), expected=expected, guarded=guard, wide=wide)


def _exception(name: str) -> float:
    if name.startswith("("):
        return 7.0
    last = name.rsplit(".", 1)[-1]
    wide = {
        "BaseException": 1.0,
        "Exception": 2.0,
        "OSError": 6.0,
        "LookupError": 6.0,
        "ArithmeticError": 6.0,
        "RuntimeError": 7.0,
        "ValueError": 7.5,
        "TypeError": 7.5,
    }
    return wide.get(last, 8.0)


# What two numbers may differ by when nothing is said: (relative, absolute).
_DEFAULTS = {
    "approx": (1e-6, 1e-12),
    "isclose": (1e-9, 0.0),
    "assertAlmostEqual": (0.0, 0.5e-7),
    "assertNotAlmostEqual": (0.0, 0.5e-7),
    "assert_allclose": (1e-7, 0.0),
    "allclose": (1e-5, 1e-8),
    "assert_almost_equal": (0.0, 1.5e-7),
    "assert_array_almost_equal": (0.0, 1.5e-6),
}


# What a tolerance counts as that is computed, perhaps from what is tested.
_UNREAD = 0.05


def _computed(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and any(isinstance(n, ast.Name | ast.Attribute) for n in ast.walk(node))


def _tolerance(call: ast.Call, expected: ast.expr | None = None) -> float:
    """Return how far off a number may be, as one number; the expected one counts as 1 where it is not written out."""
    name = ast.unparse(call.func).rsplit(".", 1)[-1]
    relative, absolute = _DEFAULTS.get(name, (0.0, 0.0))
    handed = [(k.arg, k.value) for k in call.keywords if k.arg]
    for spread in call.keywords:
        if spread.arg is None and isinstance(spread.value, ast.Dict):  # `approx(x, **SCALES)`
            pairs = zip(spread.value.keys, spread.value.values, strict=True)
            handed += [(str(k.value), v) for k, v in pairs if isinstance(k, ast.Constant)]
    given = {w: _UNREAD if n is None else n for w, v in handed for n in [number(v)] if n is not None or _computed(v)}
    if name == "approx":
        given |= {w: n for w, a in zip(("rel", "abs"), call.args[1:], strict=False) if (n := number(a)) is not None}
        relative = 0.0 if "abs" in given and "rel" not in given else relative
    if name in ("assertAlmostEqual", "assertNotAlmostEqual") and len(call.args) > 2:
        given["places"] = number(call.args[2]) or 0.0
    for word, value in given.items():
        if word in ("rel", "rel_tol", "rtol"):
            relative = value
        elif word in ("abs", "delta", "abs_tol", "atol", "tolerance", "tol"):
            absolute = value
        elif word in ("places", "decimal", "significant"):
            absolute = (0.5 if word == "places" else 1.5) * power(value)
    return max(absolute, relative * scale(expected))


# A difference of a ten-thousandth is a way of writing that floats are compared; more lets a fault pass.
_SEEN = 1e-4


def wider(old: Demand, new: Demand) -> bool:
    """Return whether a demand lets numbers pass that the other stopped, by more than floats differ anyway."""
    if new.wide <= old.wide * 1.0001:
        return False
    try:
        expected = ast.parse(new.expected or old.expected, mode="eval").body
    except SyntaxError:
        return True
    whole = isinstance(expected, ast.Constant) and isinstance(expected.value, int)
    if whole and old.wide == 0:
        return new.wide >= 0.5
    return new.wide > _SEEN * scale(expected)


def _bounds(demand: Demand) -> tuple[float, float] | None:
    """Return the lowest and the highest number that a comparison lets pass; None for what compares otherwise."""
    try:
        test = ast.parse(demand.text, mode="eval").body
    except SyntaxError:
        return None
    if not isinstance(test, ast.Compare):
        return None
    low, high = -math.inf, math.inf
    for one, operator, other in zip([test.left, *test.comparators], test.ops, test.comparators, strict=False):
        left, right = number(one), number(other)
        value = left if left is not None else right
        if value is None or not isinstance(operator, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            return None
        above = isinstance(operator, ast.Lt | ast.LtE) == (left is not None)
        low, high = (max(low, value), high) if above else (low, min(high, value))
    return low, high


def bounded(demand: Demand) -> bool:
    """Return whether a demand compares with numbers that something must stay above or below."""
    return _bounds(demand) is not None


def softer(old: Demand, new: Demand) -> bool:
    """Return whether a demand on the same subject lets pass what the other stopped."""
    if new.guarded and not old.guarded:
        return True
    was, now = _bounds(old), _bounds(new)
    if was is not None and now is not None and old.wide == new.wide == 0:
        return now[0] < was[0] or now[1] > was[1]
    near = old.wide > 0 or new.wide > 0
    if near and min(old.strength, new.strength) >= 8:
        return wider(old, new)
    if old.polarity and new.strength >= 8 and new.expected:
        return False
    return new.strength < old.strength - 0.4


def short_of(tree: ast.Module) -> tuple[str, ...]:
    """Return the outermost call of a subject: its name, its constants, and what is taken of what it returns."""
    node: ast.AST | None = getattr(tree.body[-1], "value", None) if tree.body else None
    taken = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        taken.append(node.attr if isinstance(node, ast.Attribute) else ast.unparse(node.slice))
        node = node.value
    if not isinstance(node, ast.Call):
        return ()
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    given = [*node.args, *(k.value for k in node.keywords)]
    held = sorted(repr(n.value) for g in given for n in ast.walk(g) if isinstance(n, ast.Constant))
    return (name, *held, *taken)

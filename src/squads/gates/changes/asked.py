"""What a test asks, one instance for each set of parameters: constants, lists and locals are put in their places.

It runs nothing. What it cannot resolve stays as it is written.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from squads.gates.changes.demands import Demand, as_raises, demand_of, method_demand, parts, raised, short_of
from squads.gates.changes.names import Names, Node, bound, number_in, pairs, put

INSTANCES_MAX = 3_000
_SETS_MAX = 400
_DEPTH_MAX = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """One demand, asked of one set of values."""

    demand: Demand
    node: ast.AST
    """The statement of the test that asks it."""
    home: ast.AST | None
    """The list of parameters that it comes from."""
    row: ast.AST | None
    """Its place in that list."""
    key: tuple[str, ...]
    """What is called with which constants: so that arguments may be given by name or by place."""
    plain: bool
    """Whether nothing but calls, attributes and constants is left in it."""
    short: tuple[str, ...] = ()
    """The outermost call with its constants: for what is made elsewhere, by a fixture or a local that is unknown."""


@dataclass(slots=True)
class Reader:
    """What is read of a test."""

    helpers: Mapping[str, Node]
    known: frozenset[str]
    found: list[Asked] = field(default_factory=list)


def asked_by(test: Node, names: Names, helpers: Mapping[str, Node], known: Iterable[str]) -> list[Asked]:
    """Return what a test asks, with every set of its parameters."""
    reader = Reader(helpers, frozenset(known))
    sets: list[list[tuple[Names, ast.AST | None, ast.AST | None]]] = []
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and "parametrize" in ast.unparse(decorator.func):
            given = {k.arg: k.value for k in decorator.keywords}
            targets = decorator.args[0] if decorator.args else given.get("argnames")
            values = decorator.args[1] if len(decorator.args) > 1 else given.get("argvalues")
            if targets is not None and values is not None:
                listed = names.get(values.id, values) if isinstance(values, ast.Name) else values
                rows = [(_row(targets, e), listed, e) for e in elements(values, names) if not _kept_out(e)]
                sets.append([r for r in rows if r[0]] or [({}, None, None)])
    for rows_of_all in itertools.islice(itertools.product(*sets), _SETS_MAX):
        own = dict(names)
        for values_of, _, _ in rows_of_all:
            own |= {n: put(v, names) for n, v in values_of.items()}
        last = rows_of_all[-1] if rows_of_all else None
        home, row = (last[1], last[2]) if last else (None, None)
        _block(reader, test.body, own, "", 0, home, row)
    return reader.found


def _kept_out(element: ast.expr) -> bool:
    """Return whether a set of parameters is marked so that it does not run, or may fail."""
    marks = [k.value for k in getattr(element, "keywords", ()) if k.arg == "marks"]
    return any(re.search(r"\bskip|xfail", ast.unparse(m)) for m in marks)


def _row(targets: ast.expr, element: ast.expr) -> Names:
    if isinstance(targets, ast.Constant) and isinstance(targets.value, str):
        names = [n.strip() for n in targets.value.split(",") if n.strip()]
        alone = len(names) == 1 and "," not in targets.value
    else:
        names = [str(e.value) for e in getattr(targets, "elts", ()) if isinstance(e, ast.Constant)]
        alone = False
    if isinstance(element, ast.Call) and ast.unparse(element.func).endswith("param"):
        values = list(element.args)
    elif alone:
        values = [element]
    else:
        values = list(getattr(element, "elts", [element]))
    return dict(zip(names, values, strict=True)) if len(names) == len(values) else {}


def elements(node: ast.expr, names: Mapping[str, ast.expr]) -> list[ast.expr]:
    """Return the elements of a list that is written out; empty for what is computed."""
    if isinstance(node, ast.Name) and node.id in names:
        return elements(names[node.id], {n: v for n, v in names.items() if n != node.id})
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        held = names.get(f"self.{node.attr}")
        return elements(held, {}) if held is not None else []
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        found: list[ast.expr] = []
        for element in node.elts:
            found += elements(element.value, names) if isinstance(element, ast.Starred) else [element]
        return found
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return elements(node.left, names) + elements(node.right, names)
    if isinstance(node, ast.Dict):
        return [k for k in node.keys if k is not None]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [ast.Constant(c) for c in node.value[:100]]
    if not isinstance(node, ast.Call):
        return []
    called = ast.unparse(node.func)
    if called in ("list", "tuple", "sorted", "set", "frozenset", "iter") and node.args:
        return elements(node.args[0], names)
    if called == "enumerate" and node.args:
        return [ast.Tuple([ast.Constant(n), e], ast.Load()) for n, e in enumerate(elements(node.args[0], names))]
    if called == "zip" and node.args:
        return [ast.Tuple(list(row), ast.Load()) for row in zip(*(elements(a, names) for a in node.args), strict=False)]
    if called == "range" and node.args and all(number_in(put(a, names)) is not None for a in node.args):
        numbers = [n for a in node.args if isinstance(n := number_in(put(a, names)), int)]
        whole = len(numbers) == len(node.args) <= 3 and (len(numbers) < 3 or numbers[2])
        return [ast.Constant(n) for n in range(*numbers)[:_SETS_MAX]] if whole else []
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("items", "keys", "values") and not node.args:
        held = put(node.func.value, names)
        if isinstance(held, ast.Dict):
            entries = [(k, v) for k, v in zip(held.keys, held.values, strict=True) if k is not None]
            if node.func.attr == "items":
                return [ast.Tuple([k, v], ast.Load()) for k, v in entries]
            return [k if node.func.attr == "keys" else v for k, v in entries]
    return []


def _block(
    reader: Reader,
    body: Sequence[ast.stmt],
    names: Names,
    guard: str,
    depth: int,
    home: ast.AST | None,
    row: ast.AST | None,
    at: ast.AST | None = None,
) -> None:
    for node in body:
        if len(reader.found) > INSTANCES_MAX:
            return
        here = at or node
        match node:
            case ast.Assert():
                for part in parts(node.test):
                    _assertion(reader, part, names, guard, here, home, row)
            case ast.Assign() | ast.AnnAssign() | ast.Expr() | ast.Return():
                whole = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
                tuples = isinstance(whole, ast.Tuple) and node.value is not None
                if isinstance(whole, ast.Tuple) and not any(isinstance(e, ast.Starred) for e in whole.elts):
                    _unpacked(reader, whole, node.value, names, guard, here)
                several = pairs(whole, put(node.value, names)) if tuples else bound(node)  # type: ignore[arg-type]
                for name, value in several:
                    stored = name not in names or not _again(body, name)
                    names[name] = put(value, names) if stored else ast.Name(name, ast.Load())
                _called(reader, node.value, names, guard, depth, home, row, here)
                if isinstance(node, ast.Return):
                    return
            case ast.AugAssign():
                names.pop(ast.unparse(node.target), None)
            case ast.For() | ast.AsyncFor():
                rows = elements(node.iter, names)
                if not rows:
                    _block(reader, node.body, dict(names), guard or "a loop", depth, home, row, at)
                listed = names.get(node.iter.id) if isinstance(node.iter, ast.Name) else node.iter
                for element in rows[:_SETS_MAX]:
                    own = names | {n: put(v, names) for n, v in pairs(node.target, element)}
                    _block(reader, node.body, own, guard, depth, home or listed, row or element, at)
            case ast.While():
                _block(reader, node.body, dict(names), guard or "a loop", depth, home, row, at)
            case ast.If():
                chosen = node.test.value if isinstance(node.test, ast.Constant) else None
                if chosen is None or chosen:
                    _block(reader, node.body, dict(names), guard or ("" if chosen else "a branch"), depth, home, row)
                if not chosen:
                    _block(reader, node.orelse, dict(names), guard or ("a branch" if chosen is None else ""), depth,
                           home, row)  # fmt: skip
                if not guard and any(isinstance(s, ast.Return) for s in node.body):
                    guard = "a `return` before it"
            case ast.Try() if (call := as_raises(node)) is not None:
                acts = "; ".join(_act(s, names) for s in (node.body if node.orelse else node.body[:-1]))
                keep(reader, method_demand("raises", call, guard, acts), here, home, row)
            case ast.Try():
                kept = all(
                    any(isinstance(s, ast.Raise) or "fail(" in ast.unparse(s) for s in h.body)
                    or not re.search(r"^$|Assertion|Exception", ast.unparse(h.type) if h.type else "")
                    for h in node.handlers
                )
                _block(reader, node.body, names, guard or ("" if kept else "a handler"), depth, home, row, at)
                for handler in node.handlers:
                    _block(reader, handler.body, dict(names), guard or "a handler", depth, home, row, at)
                _block(reader, [*node.orelse, *node.finalbody], names, guard, depth, home, row, at)
            case ast.With() | ast.AsyncWith():
                inner = guard
                for item in node.items:
                    text = ast.unparse(item.context_expr)
                    if re.search(r"suppress\(.*(?:Assertion|Exception)", text):
                        inner = guard or "a handler"
                    if isinstance(item.context_expr, ast.Call) and raised(text.split("(")[0].rsplit(".", 1)[-1]):
                        held: ast.expr = put(item.context_expr, names)
                        acts = "; ".join(_act(s, names) for s in node.body)
                        demand = method_demand(text.split("(")[0].rsplit(".", 1)[-1], held, guard, acts)  # type: ignore[arg-type]
                        keep(reader, demand, here, home, row)
                ends = any(raised(_word(i.context_expr)) for i in node.items)
                _block(reader, node.body[:1] if ends else node.body, names, inner, depth, home, row, at)
                if ends:
                    _block(reader, node.body[1:], names, inner or "a block that an error ends", depth, home, row, at)


def _unpacked(reader: Reader, whole: ast.Tuple, value: ast.expr | None, names: Names, guard: str, at: ast.AST) -> None:
    """Note how many there are of what is taken apart: that holds a demand, and is none that may get lost."""
    if value is None or isinstance(value, ast.Tuple | ast.List | ast.Constant):
        return
    held = ast.Call(ast.Name("len", ast.Load()), [put(value, names)], [])
    demand = demand_of(ast.Compare(held, [ast.Eq()], [ast.Constant(len(whole.elts))]), at, guard)
    keep(reader, demand, at, None, None)
    reader.found[-1] = replace(reader.found[-1], plain=False)


def _word(node: ast.expr) -> str:
    """Return the last word of what is called."""
    return ast.unparse(node.func).rsplit(".", 1)[-1] if isinstance(node, ast.Call) else ""


def _again(body: Sequence[ast.stmt], name: str) -> bool:
    """Return whether a block gives a name more than one value."""
    return sum(1 for s in body for n, _ in bound(s) if n == name) > 1


def _act(node: ast.stmt, names: Names) -> str:
    value = getattr(node, "value", None)
    return ast.unparse(put(value, names)) if isinstance(value, ast.expr) else ast.unparse(node)


def _assertion(
    reader: Reader,
    test: ast.expr,
    names: Names,
    guard: str,
    at: ast.AST,
    home: ast.AST | None,
    row: ast.AST | None,
    negated: bool = False,
) -> None:
    comprehended = (
        test.args[0] if isinstance(test, ast.Call) and ast.unparse(test.func) == "all" and test.args else None
    )
    if isinstance(comprehended, ast.GeneratorExp | ast.ListComp) and len(comprehended.generators) == 1:
        one = comprehended.generators[0]
        rows = elements(one.iter, names) if not one.ifs else []
        for element in rows[:_SETS_MAX]:
            own = names | {n: put(v, names) for n, v in pairs(one.target, element)}
            for part in parts(comprehended.elt):
                _assertion(reader, part, own, guard, at, home or one.iter, row or element)
        if rows:
            return
    keep(reader, demand_of(put(test, names), at, guard), at, home, row)


def _called(
    reader: Reader,
    value: ast.expr | None,
    names: Names,
    guard: str,
    depth: int,
    home: ast.AST | None,
    row: ast.AST | None,
    at: ast.AST,
) -> None:
    waited = isinstance(value, ast.Await)
    value = value.value if isinstance(value, ast.Await) else value
    if not isinstance(value, ast.Call):
        return
    name = ast.unparse(value.func).rsplit(".", 1)[-1]
    helper = reader.helpers.get(name)
    if isinstance(helper, ast.AsyncFunctionDef) and not waited:
        return  # made, and never run
    if helper is not None and depth < _DEPTH_MAX and _asserts(helper):
        arguments = [a.arg for a in (*helper.args.posonlyargs, *helper.args.args) if a.arg not in ("self", "cls")]
        defaults = dict(zip(reversed(arguments), reversed(helper.args.defaults), strict=False))
        defaults |= {a.arg: d for a, d in zip(helper.args.kwonlyargs, helper.args.kw_defaults, strict=True) if d}
        given = dict(zip(arguments, value.args, strict=False)) | {k.arg: k.value for k in value.keywords if k.arg}
        own = names | defaults | {n: put(v, names) for n, v in given.items()}
        _block(reader, helper.body, own, guard, depth + 1, home, row, at)
    elif re.match(r"assert[A-Z]|assert_", name) or raised(name):
        if raised(name) and len(value.args) < 2:
            return
        keep(reader, method_demand(name, put(value, names), guard), at, home, row)  # type: ignore[arg-type]


def _asserts(helper: Node) -> bool:
    return any(
        isinstance(n, ast.Assert)
        or (isinstance(n, ast.Call) and re.match(r"assert|raises", ast.unparse(n.func).rsplit(".", 1)[-1]))
        for n in ast.walk(helper)
    )


def keep(reader: Reader, demand: Demand, at: ast.AST, home: ast.AST | None, row: ast.AST | None) -> None:
    """Note a demand with what it calls and with which constants."""
    try:
        tree = ast.parse(demand.subject.removeprefix("raises "))
    except (SyntaxError, ValueError):
        reader.found.append(Asked(demand, at, home, row, (demand.subject,), False))
        return
    calls = [n.func.attr if isinstance(n.func, ast.Attribute) else ast.unparse(n.func)
             for n in ast.walk(tree) if isinstance(n, ast.Call)]  # fmt: skip
    literals = sorted(repr(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant))
    signs = [type(n.op).__name__ for n in ast.walk(tree) if isinstance(n, ast.UnaryOp | ast.BinOp)]
    own = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - own
    key = ("raises", *sorted(calls), *literals, *signs) if demand.subject.startswith("raises ") else (
        *sorted(calls), *literals, *signs)  # fmt: skip
    outer = "" if calls else demand.subject
    attribute = re.search(r"\)((?:\.\w+|\[[^\]]+\])*)$", demand.subject) if calls else None
    tail = attribute[1] if attribute else outer
    reader.found.append(
        Asked(demand, at, home, row, (*key, tail), bool(calls) and names <= reader.known, short_of(tree))
    )

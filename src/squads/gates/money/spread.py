"""Names that are money by what is done with them: added to money, compared with it, handed over as it, shown with €.

A field called `opening` says nothing; that it is added to amounts and compared with a total says all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from itertools import islice

from squads.gates.money.words import about_something_else, may_be_money, measured
from squads.gates.python import Module, Program

_ROUNDS_MAX = 3
_DEPTH_MAX = 8
_MODULES_MAX = 40
_CURRENCY = re.compile(r"[€$£]|(?<![A-Za-z])(?:EUR|USD|GBP|CHF|Euro|euro|cents?|ct)(?![A-Za-z])")
_SAME = frozenset(("sum", "max", "min", "abs", "fsum", "Decimal", "float", "round"))
Asks = Callable[[ast.expr], bool]


class Spread:
    """What is money in one program although no name says so."""

    def __init__(self, program: Program, is_money: Asks, speaks: Callable[[Module], bool]) -> None:
        self._program = program
        self._is_money = is_money
        self._speaks = speaks
        self._names: set[tuple[object, str]] = set()
        self._done = False
        self._busy = False
        self._measured: dict[Module, set[str]] = {}

    def holds(self, node: ast.expr | ast.arg | ast.AnnAssign) -> bool:
        """Return whether a name, an attribute or a parameter is money by its use."""
        if self._busy:
            return bool(self._names) and self._key(node) in self._names
        if not self._done:
            self._busy = True
            self._spread()
            self._busy, self._done = False, True
        return self._key(node) in self._names

    def measures(self, name: str, module: Module) -> bool:
        """Return whether a name is a measure by its use: litres are added to it, it is compared with seconds."""
        if module not in self._measured:
            found = self._measured[module] = set()
            for node in module.parents:
                for one, other in self._pairs(node, calls=False):
                    for here, there in ((one, other), (other, one)):
                        if _is_measure(here) and (key := self._key(there)) is not None:
                            found.add(key[1])
            for function in module.functions.values():
                answers = function.returns if not isinstance(function.node, ast.Lambda) else []
                if answers and all(_is_measure(a) for a in answers):
                    found.add(function.name)
        return name in self._measured[module]

    def _spread(self) -> None:
        texts = self._program.files.texts()
        near = islice((path for path, content in texts if may_be_money(content)), _MODULES_MAX)
        modules = [self._program.files.module(path) for path in near]
        modules = [m for m in modules if self._speaks(m)]
        for module in modules:
            for shown in self._shown(module):
                self._add(shown)
        for _ in range(_ROUNDS_MAX):
            before = len(self._names)
            for module in modules:
                for node in module.parents:
                    for one, other in self._pairs(node):
                        if self._is_money(one):
                            self._add(other)
                        elif self._is_money(other):
                            self._add(one)
            if len(self._names) == before:
                return

    def _pairs(self, node: ast.AST, *, calls: bool = True) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Yield what must be of one kind: both are money, or neither is."""
        match node:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                yield node.left, node.right
            case ast.Compare(ops=[ast.Lt() | ast.LtE() | ast.Gt() | ast.GtE() | ast.Eq() | ast.NotEq()]):
                yield node.left, node.comparators[0]
            case ast.AugAssign(op=ast.Add() | ast.Sub()):
                yield node.target, node.value
            case ast.Assign(
                targets=[ast.Name() | ast.Attribute() as target], value=ast.Name() | ast.Attribute() as value
            ):
                yield target, value
            case ast.Call() if not calls:
                return
            case ast.Call(func=ast.Name(id="max" | "min")):
                yield from zip(node.args, node.args[1:], strict=False)
            case ast.Call():
                yield from self._handed(node)

    def _handed(self, call: ast.Call) -> Iterator[tuple[ast.expr, ast.expr]]:
        """Yield what is handed over together with where the parameter is read."""
        for function in self._program.names.functions(call)[:3]:
            for parameter, values in self._program.calls.bind(call, function).items():
                binding = function.module.scopes.by_target.get(parameter)
                for load in (function.module.loads(binding) if binding else [])[:1]:
                    yield from ((value, load) for value in values)

    def _shown(self, module: Module) -> Iterator[ast.expr]:
        """Yield what is written beside a sign of a currency, with cents."""
        for node in module.parents:
            if not isinstance(node, ast.JoinedStr):
                continue
            for number, part in enumerate(node.values):
                if not isinstance(part, ast.FormattedValue) or part.format_spec is None:
                    continue
                if not re.search(r"\.2f", ast.unparse(part.format_spec)):
                    continue
                beside = [node.values[n] for n in (number - 1, number + 1) if 0 <= n < len(node.values)]
                texts = [str(b.value) for b in beside if isinstance(b, ast.Constant)]
                close = [t[-5:] if b is node.values[number - 1] else t[:6] for t, b in zip(texts, beside, strict=False)]
                if any(_CURRENCY.search(t) for t in close):
                    yield part.value

    def _add(self, node: ast.expr) -> None:
        match node:
            case ast.Name() | ast.Attribute() | ast.Subscript():
                key = self._key(node)
                if key is not None and not about_something_else(key[1]):
                    self._names.add(key)
            case ast.Call() if getattr(node.func, "id", getattr(node.func, "attr", "")) in _SAME:
                for value in node.args[:1]:
                    self._add(value)
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                self._add(node.left)
                self._add(node.right)
            case ast.List() | ast.Tuple():
                for value in node.elts:
                    self._add(value)
            case ast.Starred():
                self._add(node.value)
            case ast.GeneratorExp() | ast.ListComp():
                self._add(node.elt)

    def _key(self, node: ast.AST) -> tuple[object, str] | None:
        """Return by what a name is known: a local one by its function, a field by its own name."""
        match node:
            case ast.Name():
                module = self._program.files.module_of(node)
                target = module.scopes.by_target.get(node)
                bindings = [target] if target is not None else module.bindings(node)
                return (bindings[0].scope.node, node.id) if bindings else None
            case ast.arg():
                function = self._program.function_of(node)
                return (function.node, node.arg) if function is not None else None
            case ast.Attribute():
                return "field", node.attr
            case ast.AnnAssign(target=ast.Name() as target):
                owner = self._program.files.parent(node)
                if isinstance(owner, ast.ClassDef):
                    return "field", target.id
                return self._key(target)
            case ast.Subscript(slice=ast.Constant(value=str() as key)):
                return "field", key
        return None


def _is_measure(node: ast.expr, depth: int = 0) -> bool:
    """Return whether an expression is a weight, a length or a time: all that is named in it is."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript(slice=ast.Constant(value=str())):
            return measured(node.id if isinstance(node, ast.Name) else _last(node))
        case ast.Call(func=ast.Attribute(attr="time" | "monotonic" | "perf_counter" | "total_seconds" | "timestamp")):
            return True
        case ast.Call(func=ast.Name(id="float" | "abs" | "max" | "min" | "sum" | "round"), args=[first, *_]):
            return depth < _DEPTH_MAX and _is_measure(first, depth + 1)
        case ast.GeneratorExp():
            return depth < _DEPTH_MAX and _is_measure(node.elt, depth + 1)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return depth < _DEPTH_MAX and (_is_measure(node.left, depth + 1) or _is_measure(node.right, depth + 1))
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            sides = [s for s in (node.left, node.right) if not isinstance(s, ast.Constant)]
            return depth < _DEPTH_MAX and bool(sides) and all(_is_measure(s, depth + 1) for s in sides)
    return False


def _last(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return str(node.slice.value) if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) else ""

"""What an expression's value may be, as far as the artifact says so.

`UNKNOWN` stands for every value that the artifact does not fix: environment, settings of elsewhere, a parameter that
nobody here fills. A list or dict is given by its elements' expressions, so each still has its place.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final

from squads.gates.python.bindings import CHANGED, Binding
from squads.gates.python.calls import Calls
from squads.gates.python.files import Files
from squads.gates.python.names import Names, default_of

Constant = str | bytes | int | float | complex | bool | None


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""A value that the artifact does not fix."""

Value = Constant | Unknown
_OF_CONSTANTS = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.JoinedStr, ast.Call)
_FOLLOWED_MAX = 30
_NESTED_MAX = 10


@dataclass(slots=True)
class Entries:
    """What a dict may hold."""

    known: dict[str, list[ast.expr]] = field(default_factory=dict)
    complete: bool = True
    """Whether nothing else can be in it."""


@dataclass(slots=True)
class Elements:
    """What a list, tuple or set may hold."""

    known: list[ast.expr] = field(default_factory=list)
    complete: bool = True


class Values:
    """Answers about the values of one program."""

    def __init__(self, files: Files, names: Names, calls: Calls) -> None:
        self.files = files
        self.names = names
        self.calls = calls
        self._asked: list[ast.expr | None] = []
        self._opening: set[ast.expr] = set()

    def constants(self, node: ast.expr | None) -> frozenset[Value]:
        """Return every constant that `node` may be, with `UNKNOWN` where it may be something else."""
        found: set[Value] = set()
        if self._deeper(node):
            for origin in self.origins(node):
                found |= self._constant(origin)
            self._asked.pop()
        return frozenset(found) if found else frozenset((UNKNOWN,))

    def _single(self, node: ast.expr | None) -> Value:
        """Return the one constant that `node` is; `UNKNOWN` where it may be several. Asks no further than that."""
        found: set[Value] = set()
        if self._deeper(node):
            origins = self.origins(node)
            if all(isinstance(o, _OF_CONSTANTS) for o in origins):
                for origin in origins:
                    found |= self._constant(origin)
                    if len(found) > 1 or UNKNOWN in found:
                        break
            self._asked.pop()
        return next(iter(found)) if len(found) == 1 else UNKNOWN

    def _deeper(self, node: ast.expr | None) -> bool:
        """Return whether to go on: not in a circle, and not without end. Sums double the work with every level."""
        if node in self._asked or len(self._asked) >= _NESTED_MAX:
            return False
        self._asked.append(node)
        return True

    def origins(self, node: ast.expr | None) -> list[ast.expr]:
        """Return the expressions that `node` may be the very value of: names, returns, parameters are looked through.

        What cannot be looked through stands for itself.
        """
        found: list[ast.expr] = []
        if node is not None:
            self._follow(node, found, set())
        return found

    def entries(self, node: ast.expr | None) -> Entries:
        """Return what a dict may hold, with what is stored into it later."""
        found = Entries()
        if node is not None:
            self._entries(node, found, set())
        return found

    def elements(self, node: ast.expr | None) -> Elements:
        """Return what a list, tuple or set may hold; a string is one element."""
        found = Elements()
        if not self._deeper(node):
            return Elements(complete=False)
        for origin in self.origins(node):
            if isinstance(origin, ast.List | ast.Tuple | ast.Set):
                for element in origin.elts:
                    if isinstance(element, ast.Starred):
                        inner = self.elements(element.value)
                        found.known += inner.known
                        found.complete &= inner.complete
                    else:
                        found.known += self.origins(element)
            elif isinstance(origin, ast.BinOp):
                for side in (self.elements(origin.left), self.elements(origin.right)):
                    found.known += side.known
                    found.complete &= side.complete
            elif isinstance(origin, ast.Call) and origin.args and self._converts(origin):
                inner = self.elements(origin.args[0])
                found.known += inner.known
                found.complete &= inner.complete
            elif isinstance(origin, ast.Constant) and isinstance(origin.value, str):
                found.known.append(origin)
            else:
                found.complete = False
        imported = self._imported(node) if isinstance(node, ast.Name) else []
        for binding in [*self.bindings(node), *imported]:
            for store in binding.stores:
                if store.method in ("append", "add", "insert", "appendleft"):
                    found.known += self.origins(store.value)
                elif store.method in ("extend", "update"):
                    found.known += self.elements(store.value).known
        self._asked.pop()
        return found

    def bindings(self, node: ast.expr | None) -> list[Binding]:
        """Return the bindings of a name or of an attribute of `self`; empty for other expressions."""
        if isinstance(node, ast.Name):
            return self.files.module_of(node).bindings(node)
        if isinstance(node, ast.Attribute):
            return self.names.attribute_bindings(node)
        return []

    def all_bindings(self, node: ast.Name | ast.Attribute) -> list[Binding]:
        """Return what a name or attribute is bound to, in another module of the artifact where it was imported."""
        return self._imported(node) or self.bindings(node)

    def _follow(self, node: ast.expr, found: list[ast.expr], seen: set[object]) -> None:
        if node in seen or len(seen) > _FOLLOWED_MAX * 8:
            return
        seen.add(node)
        if isinstance(node, ast.Name | ast.Attribute):
            bindings = self.all_bindings(node)
            opened = [b for b in bindings if self._open(b, found, seen)]
            if not opened or len(opened) < len(bindings):
                found.append(node)
        elif isinstance(node, ast.NamedExpr | ast.Await):
            self._follow(node.value, found, seen)
        elif isinstance(node, ast.IfExp):
            self._follow(node.body, found, seen)
            self._follow(node.orelse, found, seen)
        elif isinstance(node, ast.BoolOp):
            for value in node.values:
                self._follow(value, found, seen)
        elif isinstance(node, ast.Call):
            functions = [f for f in self.names.functions(node) if f.name != "__init__" and f.returns]
            for function in functions:
                for value in function.returns:
                    self._follow(value, found, seen)
            if not functions:
                found.append(node)
        elif isinstance(node, ast.Subscript):
            items = self._items(node)
            for value in items:
                self._follow(value, found, seen)
            if not items:
                found.append(node)
        else:
            found.append(node)

    def _imported(self, node: ast.Name | ast.Attribute) -> list[Binding]:
        """Return the bindings in another module of the artifact that an imported name stands for."""
        if not isinstance(node, ast.Name):
            return []
        module = self.files.module_of(node)
        found: list[Binding] = []
        waiting = [(module, b) for b in module.bindings(node)]
        for _ in range(_FOLLOWED_MAX):
            if not waiting:
                break
            home, binding = waiting.pop()
            if binding.imported and binding.imported[1]:
                name, attribute, dots = binding.imported
                for other in self.files.imported(home, name, dots):
                    waiting += [(other, b) for b in other.scopes.module.bindings.get(attribute, ())]
            elif home is not module:
                found.append(binding)
        return found

    def _open(self, binding: Binding, found: list[ast.expr], seen: set[object]) -> bool:
        """Follow one binding, and return whether it could be looked through."""
        if binding in seen:
            return True
        seen.add(binding)
        if isinstance(binding.node, ast.arg):
            return self._parameter(binding.node, found, seen)
        if binding.value is None or binding.path == (CHANGED,):
            return False
        if not binding.path:
            self._follow(binding.value, found, seen)
            return True
        step = binding.path[0]
        if len(binding.path) == 1 and isinstance(step, int):
            display = binding.value
            if isinstance(display, ast.Tuple | ast.List) and -len(display.elts) <= step < len(display.elts):
                self._follow(display.elts[step], found, seen)
                return True
        return False

    def _parameter(self, node: ast.arg, found: list[ast.expr], seen: set[object]) -> bool:
        function = self.files.function_of(node)
        if function is None or (function.bound and function.parameters[:1] == [node]):
            return False
        default = default_of(function, node)
        if default is not None:
            self._follow(default, found, seen)
        filled = default is not None
        for call in self.calls.callers(function):
            for value in self.calls.bind(call, function).get(node, ()):
                filled = True
                self._follow(value, found, seen)
        return filled

    def _items(self, node: ast.Subscript) -> list[ast.expr]:
        if node in self._opening:  # a function that gives itself a part of what it was given
            return []
        self._opening.add(node)
        try:
            return self._item(node)
        finally:
            self._opening.discard(node)

    def _item(self, node: ast.Subscript) -> list[ast.expr]:
        key = self._single(node.slice) if not isinstance(node.slice, ast.Slice) else UNKNOWN
        if not isinstance(key, str | int):
            return []
        if isinstance(key, str):
            return self.entries(node.value).known.get(key, [])
        for origin in self.origins(node.value):
            elements = origin.elts if isinstance(origin, ast.List | ast.Tuple) else []
            if isinstance(key, int) and -len(elements) <= key < len(elements):
                return [elements[key]]
        return []

    def _entries(self, node: ast.expr, to: Entries, seen: set[ast.expr]) -> None:
        if node in seen:
            return
        seen.add(node)
        for origin in self.origins(node):
            if origin is not node and origin in seen:
                continue
            seen.add(origin)
            if isinstance(origin, ast.Dict):
                for key, value in zip(origin.keys, origin.values, strict=True):
                    if key is None:
                        self._entries(value, to, seen)
                    else:
                        self._put(to, key, value)
            elif isinstance(origin, ast.BinOp) and isinstance(origin.op, ast.BitOr):
                self._entries(origin.left, to, seen)
                self._entries(origin.right, to, seen)
            elif isinstance(origin, ast.Call) and self.names.names(origin.func) & {
                "dict",
                "copy.copy",
                "copy.deepcopy",
            }:
                for value in origin.args:
                    self._entries(value, to, seen)
                for word in origin.keywords:
                    if word.arg is None:
                        self._entries(word.value, to, seen)
                    else:
                        to.known[word.arg] = [word.value]
            elif isinstance(origin, ast.Call) and self.calls.method(origin) == "copy":
                self._entries(self.calls.receiver(origin) or origin.func, to, seen)
            elif not (isinstance(origin, ast.Constant) and origin.value is None):
                to.complete = False
        imported = self._imported(node) if isinstance(node, ast.Name) else []
        for binding in [*self.bindings(node), *imported]:
            for store in binding.stores:
                if store.method == "update":
                    self._entries(store.value, to, seen)
                elif store.key is not None:
                    self._put(to, store.key, store.value, later=True)

    def _put(self, to: Entries, key: ast.expr, value: ast.expr, *, later: bool = False) -> None:
        names = self.constants(key) if not isinstance(key, ast.Constant) else frozenset((key.value,))
        for name in names:
            if isinstance(name, str):
                plain = isinstance(key, ast.Constant) and not later
                to.known[name] = [value] if plain else [*to.known.get(name, []), value]
            else:
                to.complete = False

    def _converts(self, call: ast.Call) -> bool:
        return bool(self.names.names(call.func) & {"list", "tuple", "set", "frozenset", "sorted"})

    def _constant(self, node: ast.expr) -> frozenset[Value]:
        if isinstance(node, ast.Constant):
            return frozenset((UNKNOWN if node.value is ... else node.value,))
        if isinstance(node, ast.UnaryOp):
            inner = self.constants(node.operand)
            if isinstance(node.op, ast.Not):
                return frozenset(UNKNOWN if isinstance(v, Unknown) else not v for v in inner)
            if isinstance(node.op, ast.USub):
                return frozenset(-v if isinstance(v, int | float) else UNKNOWN for v in inner)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            one = self._single(node.left)
            other = self._single(node.right) if isinstance(one, str) else UNKNOWN
            if isinstance(one, str) and isinstance(other, str):
                return frozenset((one + other,))
        if isinstance(node, ast.JoinedStr) and all(isinstance(v, ast.Constant) for v in node.values):
            return frozenset(("".join(str(v.value) for v in node.values if isinstance(v, ast.Constant)),))
        if isinstance(node, ast.Call) and node.args and self.names.names(node.func) & {"bool", "str"}:
            inner = self.constants(node.args[0])
            if "bool" in self.names.names(node.func):
                return frozenset(UNKNOWN if isinstance(v, Unknown) else bool(v) for v in inner)
            return inner
        return frozenset((UNKNOWN,))

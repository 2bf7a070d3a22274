"""Expressions, on one way through a program: each gives its values, and may split the way.

Every method takes a state that it may use up, and returns the states that come out of it.
"""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace

from squads.gates.python.bindings import Binding
from squads.gates.python.module import Class, Function, Module
from squads.gates.saml import words
from squads.gates.saml.conditions import Conditions, Forks
from squads.gates.saml.sameness import WEAK
from squads.gates.saml.values import (
    NONE,
    Callee,
    Const,
    Data,
    Imported,
    Items,
    Object,
    Setting,
    State,
    Type,
    Value,
    Verdict,
    derived,
    outside,
    parts,
    texts,
)

_UNKNOWN_PART = "\N{REPLACEMENT CHARACTER}"
_ITEMS_MAX = 200


FORKS_MAX = 16
"""How many ways are kept apart inside of one expression."""


def fewer(found: list[tuple[State, list[Value]]]) -> list[tuple[State, list[Value]]]:
    """Return some of many ways, of each kind one: those that differ in what is believed, or in what is doubted."""
    kept: dict[object, tuple[State, list[Value]]] = {}
    for state, values in found:
        telling = tuple(v for v in values if isinstance(v, Verdict) or (isinstance(v, Data) and v.form != "opaque"))
        kept.setdefault((frozenset(state.trust.items()), state.remarks, telling), (state, values))
    return list(kept.values())[:FORKS_MAX]


class Expressions(Conditions):
    """Evaluates expressions; calls and reads are answered by the walker that builds upon it."""

    # Values

    def eval(self, node: ast.expr | None, state: State) -> Forks:
        """Return the values of an expression."""
        match node:
            case None:
                return [(state, NONE)]
            case ast.Constant():
                return [(state, Const(node.value) if not isinstance(node.value, type(...)) else NONE)]
            case ast.Name():
                return [(state, self.name(node, state))]
            case ast.Attribute():
                return [out for s, base in self.eval(node.value, state) for out in self.attribute(node, base, s)]
            case ast.Subscript():
                return self._subscript(node, state)
            case ast.Call():
                return self.call(node, state)
            case ast.Await() | ast.Starred():
                return self.eval(node.value, state)
            case ast.NamedExpr():
                found = self.eval(node.value, state)
                for s, value in found:
                    s.env[node.target.id] = value
                return found
            case ast.IfExp():
                yes, no = self.test(node.test, state)
                return [f for s in yes for f in self.eval(node.body, s)] + [
                    f for s in no for f in self.eval(node.orelse, s)
                ]
            case ast.BoolOp():
                return self._chain(node, state)
            case ast.UnaryOp(op=ast.Not()):
                return [(s, self._negated(v)) for s, v in self.eval(node.operand, state)]
            case ast.Compare():
                return self._compare(node, state)
            case ast.List() | ast.Tuple() | ast.Set():
                return [(s, self.display(vs)) for s, vs in self.each(node.elts, state)]
            case ast.Dict():
                return self._dict(node, state)
            case ast.JoinedStr() | ast.FormattedValue():
                return self._text(node, state)
            case ast.BinOp():
                return [(s, self._binary(node, *vs)) for s, vs in self.each([node.left, node.right], state)]
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self._comprehension(node.generators, [node.elt], state)
            case ast.DictComp():
                return self._comprehension(node.generators, [node.key, node.value], state)
            case ast.Lambda():
                function = self.module.functions[node]
                return [(state, Callee(function, None, self.closure(state.env)))]
            case ast.Yield() | ast.YieldFrom():
                return self.yielded(node, state)
        children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
        return [(s, self.mixed(vs, s)) for s, vs in self.each(children, state)]

    @abstractmethod
    def yielded(self, node: ast.Yield | ast.YieldFrom, state: State) -> Forks:
        """Note what a generator gives."""

    def each(self, nodes: Iterable[ast.expr], state: State) -> list[tuple[State, list[Value]]]:
        """Return the values of several expressions, in order."""
        found: list[tuple[State, list[Value]]] = [(state, [])]
        for node in nodes:
            found = [(s2, [*vs, v]) for s, vs in found for s2, v in self.eval(node, s)]
            if len(found) > FORKS_MAX:
                self.spend(len(found), node)
                found = fewer(found)
        return found

    def mixed(self, values: Iterable[Value], state: State) -> Value:
        """Return what is made of several values in a way that is not looked into."""
        data = [d for v in values for d in parts(v, state)]
        return derived(*data) if data else outside("a value")

    @staticmethod
    def display(values: list[Value]) -> Items:
        """Return a list of values."""
        return Items(tuple((None, v) for v in values[:_ITEMS_MAX]))

    # Names

    def name(self, node: ast.Name, state: State) -> Value:
        """Return what a name means here."""
        if node.id in state.env:
            return state.env[node.id]
        bindings = self.module.bindings(node)
        for binding in reversed(bindings):
            if binding.scope is self.module.scopes.module or binding.imported:
                return self.bound(self.module, binding)
        for thing in self.names.things(node):
            return self._thing(thing)
        return outside(node.id)

    def _thing(self, thing: object) -> Value:
        if isinstance(thing, Function):
            return Callee(thing)
        if isinstance(thing, Class):
            return Type(thing)
        if isinstance(thing, Module):
            return Imported(thing)
        return outside(str(thing))

    def bound(self, module: Module, binding: Binding) -> Value:
        """Return what a binding of a module or class gives its name."""
        node = binding.node
        if node in self._globals:
            return self._globals[node]
        if node in self._asked:
            return outside(binding.name)
        self._asked.add(node)
        before, self.module = self.module, module
        try:
            value = self._bound(module, binding)
        finally:
            self.module = before
            self._asked.discard(node)
        self._globals[node] = value
        return value

    def _bound(self, module: Module, binding: Binding) -> Value:
        node = binding.node
        if binding.imported:
            name, attribute, dots = binding.imported
            homes = self.names.files.imported(module, name, dots)
            for home in homes:
                if not attribute:
                    return Imported(home)
                if attribute in home.scopes.module.bindings:
                    return self.bound(home, home.scopes.module.bindings[attribute][-1])
            for thing in self.names.bound(module, binding):
                return self._thing(thing)
            return outside(f"{name}.{attribute}".strip("."))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            return Callee(module.functions[node])
        if isinstance(node, ast.ClassDef):
            return Type(module.classes[node])
        if binding.value is None:
            return outside(binding.name)
        found = self.eval(binding.value, State())
        value = found[-1][1] if found else outside(binding.name)
        for step in binding.path:
            value = self.item(value, Const(step) if isinstance(step, int) else None)
        return value

    # Attributes and items

    def attribute(self, node: ast.Attribute, base: Value, state: State) -> Forks:
        """Return an attribute of a value; a property of the artifact is run."""
        name = node.attr
        match base:
            case Object():
                known = state.attributes.get((base.number, name))
                if known is not None:
                    return [(state, known)]
                return self._member(node, base, base.made_by, state)
            case Type():
                return self._member(node, base, base.made_by, state)
            case Imported():
                bindings = base.module.scopes.module.bindings.get(name)
                if bindings:
                    return [(state, self.bound(base.module, bindings[-1]))]
                beside = self.names.files.imported(base.module, name, 1)
                return [(state, Imported(beside[0]) if beside else outside(name))]
            case Data():
                return [(state, self._of_data(node, base, name, state))]
            case Items():
                return [(state, outside(name))]
            case Verdict():
                return [(state, base)]  # the return code of a command that verifies
        return [(state, self.mixed([base], state))]

    def _of_data(self, node: ast.AST, base: Data, name: str, state: State) -> Value:
        if base.key and words.SAYS_OF_ITSELF.search(name):
            return replace(base, tag=WEAK)
        if base.form in ("opaque", "unclear"):
            for origin in base.origins:
                if (origin, name) in state.attributes:
                    return state.attributes[origin, name]
        if base.form == "opaque":
            return Data(frozenset(f"{o}.{name}"[:160] for o in base.origins), reads=base.reads, key=base.key)
        if name in words.KNOWN_ATTRIBUTES or words.prefixed(name):
            return self.read(node, base, [name], state)
        return base

    def _member(self, node: ast.Attribute, base: Object | Type, owner: Class, state: State) -> Forks:
        for home in self.names.family(owner):
            if node.attr in home.methods:
                function = home.methods[node.attr]
                made = {self._last_word(d) for d in getattr(function.node, "decorator_list", ())}
                if isinstance(base, Object) and any("property" in m for m in made):
                    return self.run(Callee(function, base), [], {}, state)
                if "staticmethod" in made:
                    return [(state, Callee(function))]
                if "classmethod" in made:
                    return [(state, Callee(function, Type(owner)))]
                return [(state, Callee(function, base if isinstance(base, Object) else None))]
            if node.attr in home.scope.bindings:
                value = self.bound(home.module, home.scope.bindings[node.attr][-1])
                return [(state, Setting(value.value) if isinstance(value, Const) and not texts(value) else value)]
        value = outside(f"{'self' if isinstance(base, Object) else owner.node.name}.{node.attr}")
        return [(state, value)]

    @staticmethod
    def _last_word(node: ast.expr) -> str:
        target = node.func if isinstance(node, ast.Call) else node
        return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""

    def _subscript(self, node: ast.Subscript, state: State) -> Forks:
        found: Forks = []
        for s, (base, key) in self.each([node.value, node.slice], state):
            if isinstance(base, Data):
                found.append((s, self.item_of_data(node, base, key, s)))
            elif isinstance(base, Items):
                found.append((s, self.item(base, key if isinstance(key, Const) else None)))
            elif isinstance(base, Setting | Const):
                found.append((s, base if isinstance(base, Const) else Setting(None)))
            else:
                found.append((s, self.mixed([base, key], s)))
        return found

    def item_of_data(self, node: ast.AST, base: Data, key: Value, state: State) -> Data:
        """Return `base[key]`; a key that names identity is a reading of it."""
        strings = texts(key)
        if base.form == "opaque":
            origins = frozenset(f"{o}[{strings[0]!r}]"[:160] if strings else f"{o}[]"[:160] for o in base.origins)
            if strings and words.RESPONSE_KEY.search(strings[0]):
                origins = frozenset((f"the field {strings[0]}",))
            found, strong = words.identity(strings)
            if found and strong:
                self.read(node, base, strings, state)
                return base
            return Data(origins, reads=base.reads, key=base.key)
        return self.read(node, base, strings, state)

    def item(self, value: Value, key: Const | None) -> Value:
        """Return an element of a value: the one under `key`, or any."""
        if isinstance(value, Items):
            for number, (written, held) in enumerate(value.entries):
                if key is not None and (written == key or (written is None and key.value == number)):
                    return held
            if len(value.entries) == 1:
                return value.entries[0][1]
            data = [d for _, v in value.entries for d in parts(v, State())]
            consts = [v for _, v in value.entries if isinstance(v, Const | Setting)]
            return derived(*data) if data else consts[0] if consts and key is None else outside("an item")
        if isinstance(value, Data):
            return value
        return outside("an item")

    # Displays

    def _dict(self, node: ast.Dict, state: State) -> Forks:
        found: Forks = []
        keys = [k if k is not None else ast.Constant(None) for k in node.keys]
        for s, values in self.each([*keys, *node.values], state):
            entries: list[tuple[Const | None, Value]] = []
            for written, key, value in zip(node.keys, values[: len(keys)], values[len(keys) :], strict=True):
                if written is None and isinstance(value, Items):
                    entries += value.entries
                else:
                    entries.append((key if isinstance(key, Const) and written is not None else None, value))
            found.append((s, Items(tuple(entries[:_ITEMS_MAX]))))
        return found

    def _text(self, node: ast.JoinedStr | ast.FormattedValue, state: State) -> Forks:
        if isinstance(node, ast.FormattedValue):
            return self.eval(node.value, state)
        found: Forks = []
        for s, values in self.each(node.values, state):
            data = [d for v in values for d in parts(v, s) if d.form != "opaque" or d.reads]
            if data:
                found.append((s, derived(*data)))
            else:
                pieces = [str(v.value) if isinstance(v, Const) else _UNKNOWN_PART for v in values]
                found.append((s, Const("".join(pieces))))
        return found

    def _binary(self, node: ast.BinOp, left: Value, right: Value) -> Value:
        data = [d for v in (left, right) for d in parts(v, State()) if d.form != "opaque" or d.reads]
        if data:
            return derived(*data)
        if isinstance(left, Items) and isinstance(right, Items):
            return Items((*left.entries, *right.entries)[:_ITEMS_MAX])
        if isinstance(left, Const) and isinstance(left.value, str) and isinstance(node.op, ast.Mod):
            filled = left.value
            for piece in [v for _, v in right.entries] if isinstance(right, Items) else [right]:
                text = str(piece.value) if isinstance(piece, Const) else _UNKNOWN_PART
                filled = filled.replace("%s", text, 1)
            return Const(filled)
        if isinstance(node.op, ast.Add) and (texts(left) or texts(right)):
            pieces = [t[0] if t else _UNKNOWN_PART for t in (texts(left), texts(right))]
            opaque = [v for v in (left, right) if isinstance(v, Data)]
            return opaque[0] if opaque and not words.identity(pieces)[0] else Const("".join(pieces))
        opaque = [v for v in (left, right) if isinstance(v, Data)]
        return opaque[0] if opaque else Setting(None)

    def _comprehension(self, generators: list[ast.comprehension], parts_: list[ast.expr], state: State) -> Forks:
        outer = dict(state.env)
        going = [state]
        for generator in generators:
            entered: list[State] = []
            for s in going:
                for s2, value in self.eval(generator.iter, s):
                    for s3 in self.assign(generator.target, self.item(value, None), s2):
                        kept = [s3]
                        for condition in generator.ifs:
                            kept = [x for k in kept for x in self.test(condition, k)[0]]
                        entered += kept
            going = entered
        found: Forks = []
        for s in going:
            for s2, values in self.each(parts_, s):
                s2.env = dict(outer)
                data = [d for v in values for d in parts(v, s2)]
                if not data:
                    found.append((s2.copy(), Items()))
                found.append((s2, derived(*data) if data else Items(((None, values[-1]),))))
        return found or [(state, Items())]

    @abstractmethod
    def assign(self, target: ast.expr, value: Value, state: State) -> list[State]:
        """Give a target a value."""

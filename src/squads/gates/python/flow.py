"""Where a value comes from, and where it goes.

Both ways are followed one step at a time, across functions and files of the artifact, and a call that was entered is
left to where it was called from. Every walk is bounded. Each step is told to the one who asked, who decides whether
the value is still of interest: `follow` and `trace` yield steps, and `through` says of a call to something unknown
whether its result carries on what it was given.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import replace

from squads.gates.check import CannotLook
from squads.gates.python.bindings import CHANGED, EACH, ENTER, MATCHED, REST, Binding
from squads.gates.python.calls import Calls
from squads.gates.python.files import Files
from squads.gates.python.module import Class, Instance, Module
from squads.gates.python.names import Names, default_of
from squads.gates.python.steps import Kind, Step, Through
from squads.gates.python.values import Values

STEPS_MAX = 20_000
"""The most steps of one walk."""
_CALLS_MAX = 5
_PATH_MAX = 4


class Flow:
    """Answers about the ways of values in one program."""

    def __init__(self, files: Files, names: Names, calls: Calls, values: Values) -> None:
        self.files = files
        self.names = names
        self.calls = calls
        self.values = values

    def follow(self, start: ast.expr, through: Through) -> Iterator[Step]:
        """Yield every step of the value of `start` forward. `through(call, step)`: its result goes on as the value."""
        yield from self._walk(start, self._forward, through)

    def trace(self, start: ast.expr, through: Through) -> Iterator[Step]:
        """Yield every step from `start` back to what it was made of. `through(call, step)`: look into its arguments."""
        yield from self._walk(start, self._backward, through)

    def _walk(
        self, start: ast.expr, move: Callable[[Step, Through], Iterator[Step]], through: Through
    ) -> Iterator[Step]:
        seen: set[tuple[ast.AST, str, object, object, object]] = set()
        waiting = [Step("same", start)]
        while waiting:
            for found in move(waiting.pop(), through):
                mark = (found.node, found.kind, found.calls, found.taken, found.held)
                if mark in seen:
                    continue
                if len(seen) >= STEPS_MAX:
                    place = self.files.place(start)
                    raise CannotLook(
                        f"{place}: this value goes through more than {STEPS_MAX} places; gate smaller changes"
                    )
                seen.add(mark)
                yield found
                waiting.append(found)

    # Forward

    def _forward(self, step: Step, through: Through) -> Iterator[Step]:
        node = step.node
        if step.kind in ("test", "returned", "stored", "raised", "dropped") or not isinstance(node, ast.expr):
            return
        if step.kind in ("argument", "method") and isinstance(node, ast.Call) and not through(node, step):
            return
        module = self.files.module_of(node)
        for binding in module.scopes.by_value.get(node, ()):
            yield from self._to_binding(step, module, binding)
        for binding, store in module.scopes.stores.get(node, ()):
            key = store.key.value if isinstance(store.key, ast.Constant) else None
            for load in self._loads(module, binding):
                yield self._hold(step, load, EACH if store.method in ("append", "add") else key)
        parent = module.parents.get(node)
        if isinstance(parent, ast.keyword | ast.Starred | ast.FormattedValue):
            holder = parent
            parent = module.parents.get(parent)
        else:
            holder = node  # type: ignore[assignment]  # what stands in the parent
        yield from self._to_parent(step, module, node, holder, parent)

    def _to_binding(self, step: Step, module: Module, binding: Binding) -> Iterator[Step]:
        target = binding.node
        if isinstance(target, ast.Attribute):
            reads = list(self._attribute_loads(target))
            for read in reads:
                yield replace(step, kind="same", node=read, key=None, back=step)
            if not reads:
                yield replace(step, kind="stored", node=target, key=target.attr, back=step)
            return
        steps = [step]
        for key in binding.path:
            steps = [s for one in steps for s in self._take(one, one.node, None if key == REST else key)]
        for one in steps:
            kind: Kind = "same" if not binding.path else "made" if binding.path == (CHANGED,) else one.kind
            for load in self._loads(module, binding):
                yield replace(one, kind=kind, node=load, back=step)

    def _to_parent(
        self, step: Step, module: Module, node: ast.expr, holder: ast.AST, parent: ast.AST | None
    ) -> Iterator[Step]:
        match parent:
            case ast.Call():
                yield from self._into_call(step, parent, node)
            case ast.Attribute() if isinstance(parent.ctx, ast.Load):
                call = module.parents.get(parent)
                if isinstance(call, ast.Call) and call.func is parent:
                    yield from self._method(step, call, parent.attr)
                else:
                    yield from self._take(step, parent, parent.attr)
            case ast.Subscript() if parent.value is node and isinstance(parent.ctx, ast.Load):
                yield from self._take(step, parent, self._key(parent.slice))
            case ast.Subscript() if parent.slice is node:
                yield replace(step, kind="key", node=parent, key=None, back=step)
            case ast.Await() | ast.NamedExpr():
                yield replace(step, kind="same", node=parent, key=None, back=step)
            case ast.IfExp() if parent.test is not node:
                yield replace(step, kind="same", node=parent, key=None, back=step)
            case ast.BoolOp():
                yield replace(step, kind="same", node=parent, key=None, back=step)
            case ast.If() | ast.While() | ast.Assert() | ast.IfExp() | ast.comprehension() | ast.Match():
                if not isinstance(parent, ast.comprehension) or parent.iter is not node:
                    yield replace(step, kind="test", node=node, key=None, back=step)
            case ast.Return() | ast.Lambda() | ast.Yield() | ast.YieldFrom():
                yield from self._leave(step, parent)
            case ast.List() | ast.Tuple() | ast.Set():
                number = next((n for n, e in enumerate(parent.elts) if e is holder), None)
                yield self._hold(step, parent, None if holder is not node else number)
            case ast.Dict():
                for key, value in zip(parent.keys, parent.values, strict=True):
                    if value is node and key is None:
                        yield replace(step, kind="same", node=parent, key=None, back=step)
                    elif value is node:
                        yield self._hold(step, parent, self._key(key))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                if parent.elt is node:
                    yield self._hold(step, parent, EACH)
            case ast.DictComp() if parent.value is node:
                yield self._hold(step, parent, None)
            case ast.Raise():
                yield replace(step, kind="raised", node=parent, key=None, back=step)
            case ast.Expr():
                yield replace(step, kind="dropped", node=parent, key=None, back=step)
            case ast.BinOp() | ast.JoinedStr() | ast.Compare() | ast.UnaryOp() | ast.DictComp():
                yield replace(step, kind="made", node=parent, key=None, back=step)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
                for target in targets:
                    if isinstance(target, ast.Subscript):
                        yield replace(step, kind="stored", node=target, key=self._key(target.slice), back=step)

    def _into_call(self, step: Step, call: ast.Call, node: ast.expr) -> Iterator[Step]:
        functions = self.names.functions(call)
        if not functions or len(step.calls) >= _CALLS_MAX:
            yield replace(step, kind="argument", node=call, key=None, back=step)
            return
        for function in functions:
            for parameter, values in self.calls.bind(call, function).items():
                if node not in values:
                    continue
                inside = replace(step, kind="same", key=None, calls=(*step.calls, call), back=step)
                if parameter in (function.node.args.vararg, function.node.args.kwarg):
                    inside = replace(inside, held=(None, *inside.held)[:_PATH_MAX])
                binding = function.module.scopes.by_target[parameter]
                for load in self._loads(function.module, binding):
                    yield replace(inside, node=load)

    def _method(self, step: Step, call: ast.Call, name: str) -> Iterator[Step]:
        if name in ("get", "pop", "setdefault", "__getitem__", "getlist") and call.args:
            yield from self._take(step, call, self._key(call.args[0]))
        elif name in ("items", "values", "copy"):
            yield replace(step, kind="same", node=call, key=None, back=step)
        elif self.names.functions(call):
            return
        else:
            yield replace(step, kind="method", node=call, key=name, back=step)

    def _leave(self, step: Step, leaving: ast.AST) -> Iterator[Step]:
        function = self.files.function_of(step.node)
        if function is None:
            return
        if isinstance(leaving, ast.Yield):
            yield replace(step, kind="returned", node=leaving, key=None, back=step)
            step = replace(step, held=(EACH, *step.held)[:_PATH_MAX])
        if step.calls:
            call, rest = step.calls[-1], step.calls[:-1]
            yield replace(step, kind="same", node=call, key=None, calls=rest, back=step)
            return
        callers = self.calls.callers(function)
        yield replace(step, kind="returned", node=leaving, key=len(callers), back=step)
        for call in callers:
            yield replace(step, kind="same", node=call, key=None, back=step)

    def _take(self, step: Step, node: ast.AST, key: object) -> Iterator[Step]:
        """Yield the step to a part; none where another part of what holds the value is taken."""
        if key == ENTER:
            yield replace(step, kind="same", node=node, key=None, back=step)
        elif step.held:
            inner = step.held[0]
            if key is None or inner is None or key in (inner, MATCHED) or EACH in (key, inner):
                yield replace(step, kind="same", node=node, key=None, held=step.held[1:], back=step)
        else:
            taken = (*step.taken, key)[:_PATH_MAX]
            yield replace(step, kind="part", node=node, key=key, taken=taken, back=step)

    @staticmethod
    def _hold(step: Step, node: ast.AST, key: object) -> Step:
        return replace(step, kind="put", node=node, key=key, held=(key, *step.held)[:_PATH_MAX], back=step)

    def _loads(self, module: Module, binding: Binding) -> list[ast.Name]:
        """Return where a binding is read, in its own file and in those that import it."""
        found = module.loads(binding)
        if binding.scope is module.scopes.module:
            for other, local in self.files.importers(binding.name):
                assert local.imported is not None
                homes = self.files.imported(other, local.imported[0], local.imported[2])
                if any(binding in h.scopes.module.bindings.get(binding.name, ()) for h in homes):
                    found += other.loads(local)
        return found

    def _attribute_loads(self, target: ast.Attribute) -> Iterator[ast.Attribute]:
        owners = {t.made_by for t in self.names.things(target.value) if isinstance(t, Instance)}
        owners |= {t for t in self.names.things(target.value) if isinstance(t, Class)}
        if not owners:
            return
        for module in self.files.modules:
            for load in module.attributes.get(target.attr, ()):
                for thing in self.names.things(load.value):
                    owner = thing.made_by if isinstance(thing, Instance) else thing
                    if isinstance(owner, Class) and not owners.isdisjoint(self.names.family(owner)):
                        yield load
                        break

    @staticmethod
    def _key(node: ast.expr | None) -> object:
        return node.value if isinstance(node, ast.Constant) else None

    # Backward

    def _backward(self, step: Step, through: Through) -> Iterator[Step]:
        node = step.node
        if not isinstance(node, ast.expr):
            return
        match node:
            case ast.Name() | ast.Attribute():
                yield from self._from_name(step, node)
            case ast.Await() | ast.NamedExpr() | ast.Starred() | ast.FormattedValue():
                yield self._back(step, "same", node.value)
            case ast.IfExp():
                yield self._back(step, "same", node.body)
                yield self._back(step, "same", node.orelse)
            case ast.BoolOp():
                for value in node.values:
                    yield self._back(step, "same", value)
            case ast.Subscript():
                yield self._part(step, node.value, self._key(node.slice))
            case ast.Call():
                yield from self._from_call(step, node, through)
            case ast.List() | ast.Tuple() | ast.Set():
                for number, element in enumerate(node.elts):
                    yield from self._open(step, element, number)
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if key is None:
                        yield self._back(step, "same", value)
                    else:
                        yield from self._open(step, value, self._key(key))
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                yield from self._open(step, node.elt, EACH)
            case ast.DictComp():
                yield from self._open(step, node.value, None)
            case ast.BinOp():
                yield self._back(step, "made", node.left)
                yield self._back(step, "made", node.right)
            case ast.JoinedStr():
                for value in node.values:
                    yield self._back(step, "made", value)

    @staticmethod
    def _back(step: Step, kind: Kind, node: ast.AST) -> Step:
        return replace(step, kind=kind, node=node, key=None, back=step)

    @staticmethod
    def _part(step: Step, node: ast.AST, key: object) -> Step:
        return replace(step, kind="part", node=node, key=key, held=(key, *step.held)[:_PATH_MAX], back=step)

    def _open(self, step: Step, node: ast.AST, key: object) -> Iterator[Step]:
        if not step.held:
            yield replace(step, kind="put", node=node, key=key, back=step)
        elif key is None or step.held[0] is None or key == step.held[0] or EACH in (key, step.held[0]):
            yield replace(step, kind="put", node=node, key=key, held=step.held[1:], back=step)

    def _from_name(self, step: Step, node: ast.Name | ast.Attribute) -> Iterator[Step]:
        bindings = self.values.all_bindings(node)
        for binding in bindings:
            if isinstance(binding.node, ast.arg):
                yield from self._from_parameter(step, binding.node)
            elif binding.value is not None:
                found = step
                for key in reversed(binding.path):
                    if key not in (ENTER, CHANGED):
                        found = self._part(found, node, None if key in (REST, MATCHED) else key)
                kind: Kind = "same" if not binding.path or binding.path == (ENTER,) else "part"
                if binding.path == (CHANGED,):
                    kind = "made"
                key_taken = found.key if kind == "part" else None
                yield replace(found, kind=kind, node=binding.value, key=key_taken, back=step)
            for earlier in binding.earlier:
                if earlier.value is not None:
                    yield self._back(step, "made", earlier.value)
            for store in binding.stores:
                plain = store.method in ("extend", "update")
                if plain:
                    yield self._back(step, "put", store.value)
                else:
                    under = EACH if store.method else self._key(store.key)
                    yield from self._open(step, store.value, under)
        if isinstance(node, ast.Attribute) and not bindings:
            yield self._part(step, node.value, node.attr)

    def _from_parameter(self, step: Step, node: ast.arg) -> Iterator[Step]:
        function = self.files.function_of(node)
        if function is None:
            return
        default = default_of(function, node)
        if default is not None:
            yield self._back(step, "same", default)
        if step.calls:
            call, rest = step.calls[-1], step.calls[:-1]
            if function in self.names.functions(call):
                for value in self.calls.bind(call, function).get(node, ()):
                    yield replace(step, kind="same", node=value, key=None, calls=rest, back=step)
                return
        for call in self.calls.callers(function):
            for value in self.calls.bind(call, function).get(node, ()):
                yield self._back(step, "same", value)
        if function.parameters[:1] == [node]:
            for call in self.calls.mapped(function):
                yield self._part(step, call.args[1], EACH)

    def _from_call(self, step: Step, call: ast.Call, through: Through) -> Iterator[Step]:
        functions = [f for f in self.names.functions(call) if f.name != "__init__"]
        method, subject = self.calls.method(call), self.calls.subject(call)
        if functions and len(step.calls) < _CALLS_MAX:
            for function in functions:
                for value in function.returns:
                    yield replace(step, kind="same", node=value, key=None, calls=(*step.calls, call), back=step)
        elif subject is not None and method in ("get", "pop", "setdefault", "__getitem__") and call.args:
            yield self._part(step, subject, self._key(call.args[0]))
            for default in call.args[1:2]:
                yield self._back(step, "same", default)
            if self.calls.fetches(call) and through(call, step):
                yield self._back(step, "argument", call.args[0])
        elif through(call, step):
            if subject is not None:
                yield replace(step, kind="method", node=subject, key=method, back=step)
            for value in self.calls.arguments(call).every:
                yield self._back(step, "argument", value)

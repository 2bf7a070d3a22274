"""What values the expressions of one program have, as far as its own text fixes them: nothing is run but `pure`.

What is not fixed is asked of `World`: there a value may be unknown, or a sample that stands for a secret.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from squads.gates.python import Function, Program
from squads.gates.python.bindings import CHANGED, EACH, ENTER, Binding
from squads.gates.secrets import pure
from squads.gates.secrets.pure import GAP, UNKNOWN, Box, Thing, known, written
from squads.gates.secrets.world import Frame, World, compared, is_a

STEPS_MAX = 60_000
DEPTH_MAX = 7
"""How deep calls are gone into."""
_NESTED_MAX = 60
_USED_MAX = 40


class Expressions:
    """Reads values in one program and one world; what calls give is said by `Machine`."""

    def __init__(self, program: Program, world: World) -> None:
        self.program = program
        self.world = world
        self.used: list[ast.Constant] = []
        """The literals that the last values were made of."""
        self._asked: list[object] = []
        self._running: list[Function] = []
        self._bound: dict[Binding, tuple[object, list[ast.Constant]]] = {}
        self.steps = 0
        self.steps_max = STEPS_MAX
        self.depth_max = DEPTH_MAX

    def begin(self, steps_max: int, depth_max: int = DEPTH_MAX) -> None:
        """Start anew: nothing used, so many steps to go, and calls so deep."""
        self.used, self.steps, self.steps_max, self.depth_max = [], 0, steps_max, depth_max

    @property
    def cut(self) -> bool:
        """Whether the steps were used up."""
        return self.steps > self.steps_max

    def unwind(self) -> None:
        """Forget what was under way when a run was broken off."""
        self._asked.clear()
        self._running.clear()

    # Expressions

    def value(self, node: ast.expr | None, frame: Frame | None = None) -> object:
        """Return what `node` is worth."""
        self.steps += 1
        if node is None or self.cut or len(self._asked) > _NESTED_MAX:
            return UNKNOWN
        self._asked.append(node)
        try:
            return pure.small(self._value(node, frame))
        finally:
            self._asked.pop()

    def _value(self, node: ast.expr, frame: Frame | None) -> object:
        match node:
            case ast.Constant():
                if isinstance(node.value, str | bytes):
                    self.used += [node] if len(self.used) < _USED_MAX * 10 else []
                return UNKNOWN if node.value is ... or isinstance(node.value, complex) else node.value
            case ast.JoinedStr():
                return "".join(self._part(v, frame) for v in node.values)
            case ast.Name():
                if frame is not None and node.id in frame.env:
                    return frame.env[node.id]
                return self._named(node)
            case ast.Attribute():
                return self._attribute(node, frame)
            case ast.BinOp():
                return pure.operated(
                    type(node.op).__name__, self.value(node.left, frame), self.value(node.right, frame)
                )
            case ast.BoolOp():
                return self._either(node, frame)
            case ast.IfExp():
                sure = self.truth(node.test, frame)
                parts = [node.body] if sure else [node.orelse] if sure is False else [node.body, node.orelse]
                return self.join([self.value(p, frame) for p in parts])
            case ast.Compare() | ast.UnaryOp():
                sure = self.truth(node, frame)
                if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                    inner = self.value(node.operand, frame)
                    return -inner if isinstance(inner, int) else UNKNOWN
                return UNKNOWN if sure is None else sure
            case ast.Tuple() | ast.List() | ast.Set():
                found = list(self._elements(node.elts, frame))
                if isinstance(node, ast.Set):
                    return {f for f in found if isinstance(f, str | int | bytes)}
                return tuple(found) if isinstance(node, ast.Tuple) else found
            case ast.Dict():
                return self._display(node, frame)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, frame)
            case ast.Subscript():
                return self._item(node, frame)
            case ast.Call():
                return self._call(node, frame)
            case ast.NamedExpr():
                found_one = self.value(node.value, frame)
                if frame is not None:
                    frame.env[node.target.id] = found_one
                return found_one
            case ast.Await() | ast.Starred():
                return self.value(node.value, frame)
            case ast.Yield() | ast.YieldFrom():
                if frame is not None and node.value is not None:
                    frame.yields.append(self.value(node.value, frame))
        return UNKNOWN

    def _part(self, node: ast.expr, frame: Frame | None) -> str:
        if not isinstance(node, ast.FormattedValue):
            return written(self.value(node, frame))
        text = written(self.value(node.value, frame))
        form = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
        form_text = form[0].value if form and isinstance(form[0], ast.Constant) else ""
        if isinstance(form_text, str) and "." in form_text and form_text.rpartition(".")[2].isdigit():
            return text[: int(form_text.rpartition(".")[2][:4])]
        return text

    def _either(self, node: ast.BoolOp, frame: Frame | None) -> object:
        if isinstance(node.op, ast.And):
            return self.join([self.value(v, frame) for v in node.values[-1:]])
        found: list[object] = []
        for one in node.values:
            found.append(self.value(one, frame))
            if self.world.certain(found[-1]) and found[-1]:
                break
        return self.join(found)

    def join(self, values: list[object]) -> object:
        """Return the one of several values that tells most."""
        if values and all(one is values[0] for one in values):
            return values[0]
        return max(values, key=self.world.weight, default=UNKNOWN)

    def truth(self, node: ast.expr, frame: Frame | None) -> bool | None:
        """Return whether a test holds; None where that is not known."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            inner = self.truth(node.operand, frame)
            return None if inner is None else not inner
        if isinstance(node, ast.BoolOp):
            every = [self.truth(v, frame) for v in node.values]
            last = isinstance(node.op, ast.Or)
            return last if last in every else None if None in every else not last
        if isinstance(node, ast.Call) and len(node.args) == 2 and self.program.calls.method(node) == "isinstance":
            return is_a(self.value(node.args[0], frame), ast.unparse(node.args[1]))
        if isinstance(node, ast.Call) and len(node.args) == 1 and self.program.names.names(node.func) & {"any", "all"}:
            parts = self.value(node.args[0], frame)
            every_one = self.program.calls.method(node) == "all"
            if not isinstance(parts, list | tuple | set) or not self.world.certain(*parts):
                return None
            return all(parts) if every_one else any(parts)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return compared(
                self.world, node.ops[0], self.value(node.left, frame), self.value(node.comparators[0], frame)
            )
        if isinstance(node, ast.Compare):
            return None
        value = self.value(node, frame)
        if isinstance(value, str) and value.strip(GAP):
            return True  # also a secret: an empty one shows nothing
        return bool(value) if self.world.certain(value) and not isinstance(value, Thing) else None

    def _elements(self, nodes: list[ast.expr], frame: Frame | None) -> Iterator[object]:
        for node in nodes:
            found = self.value(node, frame)
            if isinstance(node, ast.Starred) and isinstance(found, list | tuple):
                yield from found
            else:
                yield found

    def _display(self, node: ast.Dict, frame: Frame | None) -> Box:
        box = Box()
        for key, its in zip(node.keys, node.values, strict=True):
            found = self.value(its, frame)
            if key is None:
                if isinstance(found, dict):
                    box.update(found)
                box.more = box.more or not isinstance(found, dict) or getattr(found, "more", False)
                continue
            name = self.value(key, frame)
            if isinstance(name, str | int | bytes | tuple) and known(name):
                if found is UNKNOWN and isinstance(name, str) and isinstance(its, ast.Name | ast.Attribute):
                    found = self.world.named(name, its)
                box[name] = found
            else:
                box.more = True
                box[f"{GAP}{len(box)}"] = found
        if frame is not None:
            self.world.ran(node, frame, self)
        return box

    def _comprehension(self, node: ast.AST, frame: Frame | None) -> object:
        inner = Frame(
            dict(frame.env) if frame else {}, frame.function if frame else None, frame.callers if frame else ()
        )
        found: list[object] = []
        generators = node.generators  # type: ignore[attr-defined]  # all four kinds have them

        def each(number: int) -> None:
            if number == len(generators):
                if isinstance(node, ast.DictComp):
                    found.append((self.value(node.key, inner), self.value(node.value, inner)))
                else:
                    found.append(self.value(node.elt, inner))  # type: ignore[attr-defined]  # the three others
                return
            for one in self.items(self.value(generators[number].iter, inner)):
                self.assign(generators[number].target, one, inner)
                if all(self.truth(test, inner) is not False for test in generators[number].ifs):
                    each(number + 1)

        each(0)
        if isinstance(node, ast.DictComp):
            box = Box()
            for pair in found[: pure.ITEMS_MAX]:
                key, its = pair if isinstance(pair, tuple) else (UNKNOWN, pair)
                plain = isinstance(key, str | int | bytes) and known(key)
                box[key if plain else f"{GAP}{len(box)}"] = its
                box.more = box.more or not plain
            return box
        return {f for f in found if isinstance(f, str | int | bytes)} if isinstance(node, ast.SetComp) else found

    def items(self, value: object) -> list[object]:
        """Return what a loop over `value` goes through; something unknown once."""
        if isinstance(value, str):
            return [*value[:512]] if GAP not in value else [UNKNOWN]
        if isinstance(value, bytes | list | tuple | set | frozenset | dict):
            return pure.ordered(value)[: pure.ITEMS_MAX] or ([UNKNOWN] if getattr(value, "more", False) else [])
        return [UNKNOWN]

    # Names, attributes, items

    def _named(self, node: ast.Name | ast.Attribute) -> object:
        found = [self._binding(b, node) for b in self.program.values.all_bindings(node)]
        value = self.join(found) if found else UNKNOWN
        if value is UNKNOWN:
            name = node.id if isinstance(node, ast.Name) else node.attr
            return self.world.named(name, node)
        return value

    def _binding(self, binding: Binding, node: ast.expr) -> object:
        if binding in self._bound:
            found, used = self._bound[binding]
            self.used += used if len(self.used) < _USED_MAX else []
            return pure.copied(found)
        if binding in self._asked:
            return UNKNOWN
        self._asked.append(binding)
        before = len(self.used)
        if isinstance(binding.node, ast.arg):
            found = self.world.parameter(binding.node, self.program.function_of(binding.node))
        elif binding.value is None or CHANGED in binding.path:
            found = UNKNOWN
        else:
            found = self.value(binding.value)
            for step in binding.path:
                found = self._step(found, step)
            for store in binding.stores:
                found = pure.copied(found)
                if isinstance(found, dict) and store.key is not None:
                    key = self.value(store.key)
                    if isinstance(key, str | int):
                        found[key] = self.value(store.value)
                elif store.method:
                    pure.method(found, store.method, [self.value(store.value)], {})
        if self._open(found, node):
            found = self.world.named(binding.name, node) if not isinstance(binding.node, ast.arg) else found
        self._asked.pop()
        if not self.cut:
            self._bound[binding] = found, list(dict.fromkeys(self.used[before:]))[:_USED_MAX]
        return found

    def _open(self, value: object, node: ast.expr) -> bool:
        """Return whether the name must say what a value is: nothing is known of it, or only that it is a text."""
        return value is UNKNOWN or (
            isinstance(value, str | bytes) and GAP in written(value) and self.world.insists(node)
        )

    def _step(self, value: object, step: int | str) -> object:
        if step == ENTER:
            return value
        if step == EACH:
            return self.join(self.items(value)[:1])
        if isinstance(step, int) and isinstance(value, list | tuple) and -len(value) <= step < len(value):
            return value[step]
        return UNKNOWN

    def _attribute(self, node: ast.Attribute, frame: Frame | None) -> object:
        base = self.value(node.value, frame) if not isinstance(node.value, ast.Constant) else UNKNOWN
        if isinstance(base, Thing) and node.attr in base.parts:
            return base.parts[node.attr]
        if not isinstance(base, Thing) or base.made_by is not None:
            bindings = self.program.names.attribute_bindings(node)
            found = self.join([self._binding(b, node) for b in bindings]) if bindings else UNKNOWN
            if found is not UNKNOWN and found is not None:
                return found
        return self.world.attribute(base, node)

    def _item(self, node: ast.Subscript, frame: Frame | None) -> object:
        base = self.value(node.value, frame)
        if isinstance(node.slice, ast.Slice):
            parts = [
                self.value(p, frame) if p is not None else None
                for p in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            return base if base is UNKNOWN or isinstance(base, Thing) else pure.sliced(base, *parts)
        key = self.value(node.slice, frame)
        if isinstance(base, dict) and isinstance(key, str | int | bytes | tuple) and known(key) and key in base:
            return base[key]
        if isinstance(base, list | tuple | str | bytes) and isinstance(key, int) and -len(base) <= key < len(base):
            return base[key]
        if isinstance(base, list | tuple | dict) and not known(key) and base and not getattr(base, "more", False):
            return self.join(list(base.values()) if isinstance(base, dict) else list(base))
        return self.world.item(base, key, node)

    def is_environment(self, call: ast.Call) -> bool:
        """Return whether a call reads the environment, or settings that are no dict of the artifact."""
        receiver = self.program.calls.receiver(call)
        if any("environ" in n or n.endswith("getenv") for n in self.program.names.names(call.func)):
            return True
        return receiver is None or not isinstance(self.value(receiver), dict)

    # Said by `Machine`

    def _call(self, call: ast.Call, frame: Frame | None) -> object:
        return UNKNOWN

    def assign(self, target: ast.expr, value: object, frame: Frame) -> None:
        """Bind a target to a value."""

"""What expressions of a function that is played are worth."""

from __future__ import annotations

import ast

from squads.gates.failures.after import called, is_log
from squads.gates.failures.ways import (
    NONE_OF_THEM,
    RAISED,
    Const,
    Made,
    Outcome,
    Value,
    Way,
    code_of,
    compares,
    in_range,
    marked,
    reckon,
    truth_of,
)
from squads.gates.python import Program

_STEPS_MAX = 10_000
_REFUSED = frozenset(
    ("Failed", "UnprocessedItems", "UnprocessedKeys", "Errors", "errors", "failed", "FailedRecordCount")
) | frozenset(("FailedPutCount", "FailedEntryCount", "failure_count", "failures", "responses_failed"))
_STATUS = frozenset(("status_code", "status", "returncode", "exitcode"))
_GOOD = frozenset(("ok", "is_success"))
_BAD = frozenset(("is_error", "is_client_error", "is_server_error"))


class TooMuch(Exception):
    """A function has more ways than are played."""


class Raises(Exception):
    """An expression raised: what a failing response does when it is asked to."""


class Reckoning:
    """Reckons expressions, one attempt of which goes well or fails."""

    def __init__(self, program: Program, call: ast.Call | None, outcome: Value | None) -> None:
        self._program = program
        self._call, self._outcome = call, outcome
        self._reckoned = 0
        self._texts: dict[ast.Call, int] = {}

    def value(self, node: ast.expr | None, way: Way) -> Value:
        """Return what an expression is worth on a way."""
        self._reckoned += 1
        if self._reckoned > _STEPS_MAX:
            raise TooMuch
        match node:
            case None:
                return Const(None)
            case ast.Constant():
                return Const(node.value)
            case ast.Name():
                return way.values[node.id] if node.id in way.values else self._free(node)
            case ast.Await() | ast.Starred():
                return self.value(node.value, way)
            case ast.NamedExpr():
                value = self.value(node.value, way)
                way.values[node.target.id] = value
                return value
            case ast.UnaryOp(op=ast.Not()):
                inner = self.value(node.operand, way)
                truth = truth_of(inner)
                return Const(not truth) if truth is not None else Made(id(node), hash(inner), marked(inner))
            case ast.BoolOp():
                return self._either(node, way)
            case ast.Compare():
                return self._compared(node, way)
            case ast.BinOp():
                left, right = self.value(node.left, way), self.value(node.right, way)
                if isinstance(left, Const) and isinstance(right, Const):
                    reckoned = reckon(node.op, left.value, right.value)
                    if reckoned is not None:
                        return reckoned
                return Made(id(node), hash((left, right)), marked(left) or marked(right))
            case ast.IfExp():
                truth = truth_of(self.value(node.test, way))
                if truth is not None:
                    return self.value(node.body if truth else node.orelse, way)
            case ast.Attribute():
                return self._asked(node, node.attr, self.value(node.value, way))
            case ast.Subscript() if isinstance(node.slice, ast.Constant):
                return self._asked(node, str(node.slice.value), self.value(node.value, way))
            case ast.Call():
                return self._called(node, way)
            case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
                return NONE_OF_THEM
        return self._mixed(node, [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)], way)

    def _mixed(self, node: ast.expr, parts: list[ast.expr], way: Way) -> Value:
        """Return what is made of parts; the names of a comprehension are looked up like others."""
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp | ast.Lambda):
            parts = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in way.values]
        elif isinstance(node, ast.JoinedStr):
            parts = [n.value for n in node.values if isinstance(n, ast.FormattedValue)]
        values = tuple(self.value(p, way) for p in parts)
        return Made(id(node), hash(values), any(map(marked, values)))

    def _free(self, node: ast.Name) -> Value:
        module = self._program.files.module_of(node)
        bindings = module.bindings(node)
        value = bindings[0].value if len(bindings) == 1 and bindings[0].scope.node is module.tree else None
        if isinstance(value, ast.Constant) and type(value.value) in (int, float):
            return Const(value.value)
        return Made(0, hash(node.id))

    def _either(self, node: ast.BoolOp, way: Way) -> Value:
        wants = isinstance(node.op, ast.Or)
        parts: list[Value] = []
        for one in node.values:
            value = self.value(one, way)
            truth = truth_of(value)
            if truth is wants:
                return value if not parts else self._undecided(node, parts, value, way, wants)
            if truth is None:
                parts.append(value)
            last = value
        if not parts:
            return last
        return Made(id(node), hash(tuple(parts)), any(map(marked, parts)))

    @staticmethod
    def _undecided(node: ast.BoolOp, parts: list[Value], value: Value, way: Way, wants: bool) -> Value:
        return Const(wants) if isinstance(value, Const) else Made(id(node), hash((*parts, value)), marked(value))

    def _compared(self, node: ast.Compare, way: Way) -> Value:
        values = [self.value(node.left, way), *(self.value(c, way) for c in node.comparators)]
        if isinstance(values[0], Const) and len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
            held = self._one_of(node.comparators[0], values[0].value, way)
            if held is not None:
                return Const(held is isinstance(node.ops[0], ast.In))
        if len(values) == 2 and Const(None) in values and isinstance(node.ops[0], ast.Is | ast.IsNot):
            other = values[0] if values[1] == Const(None) else values[1]
            if isinstance(other, Outcome) or (isinstance(other, Made) and other.by < 0):
                return Const(isinstance(node.ops[0], ast.IsNot))
        if len(values) == 2 and values[0] == values[1] and isinstance(node.ops[0], ast.Eq) and not marked(values[0]):
            return Const(True)
        if all(isinstance(v, Const) for v in values):
            known = [v.value for v in values if isinstance(v, Const)]
            parts = [compares(op, known[n], known[n + 1]) for n, op in enumerate(node.ops)]
            if all(p is not None for p in parts):
                return Const(all(parts))
        return Made(id(node), hash(tuple(values)), any(map(marked, values)))

    def _one_of(self, box: ast.expr, value: object, way: Way) -> bool | None:
        bound = self._program.values.bindings(box) if isinstance(box, ast.Name) else []
        displays = [box] if not bound else [b.value for b in bound if b.value is not None and not b.path]
        if len(displays) != 1 or not isinstance(display := displays[0], ast.Tuple | ast.List | ast.Set | ast.Call):
            return None
        if isinstance(display, ast.Call):
            if called(display) == "range" and isinstance(value, int):
                bounds = [self.value(a, way) for a in display.args]
                known = [b.value for b in bounds if isinstance(b, Const) and isinstance(b.value, int)]
                numbers = in_range(known) if len(known) == len(bounds) else None
                return value in numbers if numbers is not None else None
            inner = display.args[0] if display.args and called(display) in ("frozenset", "set", "tuple") else None
            return self._one_of(inner, value, way) if inner is not None else None
        held = [self.value(e, way) for e in display.elts]
        if any(isinstance(h, Const) and h.value == value for h in held):
            return True
        return False if all(isinstance(h, Const) for h in held) else None

    def _asked(self, node: ast.expr, key: str, value: Value) -> Value:
        if not isinstance(value, Outcome):
            code = code_of(node)
            return Const(code) if code is not None else Made(id(node), hash(value), marked(value))
        if key in _STATUS:
            return Const(value.code)
        if key in _GOOD:
            return Const(value.good)
        if key in _BAD:
            return Const(not value.good)
        if key in _REFUSED:
            return Made(-2, 0, True) if not value.good else Const(0)
        return Made(id(node), 1, not value.good)

    def _called(self, node: ast.Call, way: Way) -> Value:
        given = [*node.args, *(k.value for k in node.keywords)]
        values = tuple(self.value(g, way) for g in given)
        if node is self._call and self._outcome is not None:
            way.attempted()
            return self._outcome
        owner = self.value(node.func.value, way) if isinstance(node.func, ast.Attribute) else Const(None)
        name = called(node)
        if isinstance(owner, Outcome):
            if name in ("raise_for_status", "check_returncode"):
                if not owner.good:
                    raise Raises
                return Const(None)
            if name in ("get", "pop") and node.args and isinstance(node.args[0], ast.Constant):
                return self._asked(node, str(node.args[0].value), owner)
            return Made(id(node), 1, not owner.good)
        if name in ("len", "bool", "list", "tuple") and len(values) == 1:
            if values[0] == Made(-2, 0, True):
                return Const(1) if name in ("len", "bool") else values[0]
            if truth_of(values[0]) is False:
                return Const(0) if name in ("len", "bool") else NONE_OF_THEM
            if name == "bool" and truth_of(values[0]) is not None:
                return Const(True)
        if name in ("str", "repr", "format_exc") and RAISED in values:
            return RAISED
        heard = () if is_log(node) else (owner, *values)
        # The same call, written again, says the same.
        if node not in self._texts:
            self._texts[node] = hash(ast.unparse(node))
        return Made(self._texts[node], hash(heard), any(map(marked, heard)))

"""Conditions: which way a program goes, and what is known on it; and what the walker answers for all expressions."""

from __future__ import annotations

import ast
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

from squads.gates.python.module import Module
from squads.gates.python.names import Names
from squads.gates.saml import words
from squads.gates.saml.sameness import same
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
    outside,
    texts,
)

Forks = list[tuple[State, Value]]
Split = tuple[list[State], list[State]]

# Any: what cannot be compared raises a TypeError, which the caller expects.
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Is: operator.eq,
    ast.IsNot: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: operator.contains(b, a),
    ast.NotIn: lambda a, b: not operator.contains(b, a),
}


class Conditions(ABC):
    """Splits ways. What is evaluated, called and read is answered by the classes that build upon it."""

    module: Module
    names: Names

    def __init__(self) -> None:
        self._globals: dict[ast.AST, Value] = {}
        self._asked: set[ast.AST] = set()

    @abstractmethod
    def call(self, node: ast.Call, state: State) -> Forks:
        """Return what a call gives."""

    @abstractmethod
    def run(self, callee: Callee, args: list[Value], words: dict[str, Value], state: State) -> Forks:
        """Run a function of the artifact."""

    @abstractmethod
    def read(self, node: ast.AST, data: Data, strings: Iterable[str], state: State) -> Data:
        """Note that something is read from `data` by names; return what was read."""

    @abstractmethod
    def spend(self, steps: int, node: ast.expr | ast.stmt) -> None:
        """Count what was gone through. Raises `CannotLook` past the bound."""

    @abstractmethod
    def use(self, values: list[Value], state: State) -> None:
        """Note that what was read is acted upon."""

    @abstractmethod
    def closure(self, env: dict[str, Value]) -> int:
        """Keep the names around a function that is made."""

    @abstractmethod
    def eval(self, node: ast.expr | None, state: State) -> Forks:
        """Return the values of an expression."""

    @abstractmethod
    def each(self, nodes: Iterable[ast.expr], state: State) -> list[tuple[State, list[Value]]]:
        """Return the values of several expressions, in order."""

    @abstractmethod
    def mixed(self, values: Iterable[Value], state: State) -> Value:
        """Return what is made of several values in a way that is not looked into."""

    def test(self, node: ast.expr, state: State) -> Split:
        """Return the states in which a condition is true, and those in which it is false."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yes, no = self.test(node.operand, state)
            return no, yes
        if isinstance(node, ast.BoolOp):
            going, left = [state], []
            for value in node.values:
                split = [self.test(value, s) for s in going]
                yes = [s for y, _ in split for s in y]
                no = [s for _, n in split for s in n]
                going, stopped = (yes, no) if isinstance(node.op, ast.And) else (no, yes)
                left += stopped
            return (going, left) if isinstance(node.op, ast.And) else (left, going)
        yes, no = [], []
        for s, found in self.eval(node, state):
            y, n = self.split(found, s)
            yes += y
            no += n
        return yes, no

    def split(self, value: Value, state: State) -> Split:
        """Return the states in which a value is true, and those in which it is false."""
        match value:
            case Const():
                return ([state], []) if value.value else ([], [state])
            case Setting():
                return ([state], []) if value.default else ([state.copy()], [state])
            case Verdict():
                good = state.copy()
                if value.certificate:
                    good.believe(value.origins, value.grade)
                return ([state], [good]) if value.negated else ([good], [state])
            case Callee() | Type() | Imported() | Object():
                return [state], []
            case Items():
                return ([state], []) if value.entries else ([], [state])
            case Data(form="unclear"):
                good = state.copy()
                for origin in value.origins:
                    if state.trust.get(origin) == "unclear":
                        del state.trust[origin]
                return [good], [state]
        return [state.copy()], [state]

    @staticmethod
    def _negated(value: Value) -> Value:
        match value:
            case Verdict():
                return Verdict(value.origins, value.grade, not value.negated, value.certificate)
            case Const():
                return Const(not value.value)
            case Setting():
                return Setting(not value.default)
            case Items():
                return Const(not value.entries)
        return value if not isinstance(value, Data) or value.form != "unclear" else outside("a condition")

    def _chain(self, node: ast.BoolOp, state: State) -> Forks:
        found: Forks = []
        going = [state]
        for number, part in enumerate(node.values):
            values = [f for s in going for f in self.eval(part, s)]
            if number == len(node.values) - 1:
                return found + values
            going = []
            for s, value in values:
                yes, no = self.split(value, s)
                on, stopped = (yes, no) if isinstance(node.op, ast.And) else (no, yes)
                going += on
                found += [(x, value) for x in stopped]
        return found

    def _compare(self, node: ast.Compare, state: State) -> Forks:
        found: Forks = []
        for s, values in self.each([node.left, *node.comparators], state):
            if len(values) == 2:
                found.append((s, self._compared(node, node.ops[0], values[0], values[1], s)))
            else:
                found.append((s, self.mixed(values, s)))
        return found

    def _compared(self, node: ast.AST, op: ast.cmpop, left: Value, right: Value, state: State) -> Value:
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Verdict) and isinstance(op, ast.In | ast.NotIn):
                return self.mixed([left, right], state)  # one error among others says nothing of the rest
            if isinstance(one, Verdict) and one.negated and _is_number(other):
                return self._counted(one, op, other, swapped=one is right, state=state)
            if isinstance(one, Verdict) and isinstance(other, Const | Items):
                true = bool(other.entries) if isinstance(other, Items) else bool(other.value)
                if isinstance(op, ast.Gt | ast.Lt):
                    true = True  # len(errors) > 0
                if isinstance(op, ast.NotEq | ast.IsNot):
                    true = not true
                if isinstance(op, ast.Lt) and one is left:
                    true = False  # len(errors) < 1
                return one if true else self._negated(one)
            if isinstance(one, Data) and one.form not in ("opaque", "own", "signed"):
                strings = texts(other)
                if strings and words.identity(strings)[0]:
                    seen = self.read(node, one, strings, state)
                    self.use([seen], state)
                    return seen
        self._same_element(op, left, right, state)
        told = same(left, right, state) if isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) else None
        if told is not None:
            return told if isinstance(op, ast.Eq | ast.In) else self._negated(told)
        if isinstance(left, Const | Setting) and isinstance(right, Const | Setting):
            a, b = (v.value if isinstance(v, Const) else v.default for v in (left, right))
            try:
                answer = bool(_ORDER[type(op)](a, b))
            except TypeError:
                return Setting(None)
            return Const(answer) if isinstance(left, Const) and isinstance(right, Const) else Setting(answer)
        if isinstance(left, Const) and isinstance(right, Items) and isinstance(op, ast.In | ast.NotIn):
            if all(isinstance(k or v, Const) for k, v in right.entries):
                return Const(any((k or v) == left for k, v in right.entries) == isinstance(op, ast.In))
        elif isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and NONE in (left, right):
            other = right if left == NONE else left
            if not isinstance(other, Data | Setting | Verdict):
                return Const(isinstance(op, ast.IsNot | ast.NotEq))
        return self.mixed([left, right], state)

    def _counted(self, answer: Verdict, op: ast.cmpop, number: Value, *, swapped: bool, state: State) -> Value:
        """Compare a return code, or how many errors there are, with a number: right is 0, and wrong is any other."""
        assert isinstance(number, Const)
        found = [
            bool(_ORDER[type(op)](*((number.value, k) if swapped else (k, number.value)))) for k in (0, 1, 2, 3, 255)
        ]
        if found[0] == found[1] or len(set(found[1:])) > 1:
            return self.mixed([outside("a condition")], state)
        return answer if found[1] else self._negated(answer)

    @staticmethod
    def _same_element(op: ast.cmpop, left: Value, right: Value, state: State) -> None:
        """Comparing what is signed with what is read (by its ID, or as an object) is the cure for wrapping."""
        if not isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn):
            return
        sides = [_alone(v) for v in (left, right)]
        for one, other in (sides, sides[::-1]):
            if isinstance(one, Data) and isinstance(other, Const) and "Assertion" in one.tag:
                state.remark("counted")
            if not isinstance(one, Data) or not isinstance(other, Data):
                continue
            if one.tag == "URI" and "@" in other.tag:
                state.remark("vainly")  # any ID of the message will do
            elif (one.form == "signed" or one.tag == "URI" or words.of_signature([one.tag])) and other.form == "tree":
                state.remark("compared")
                found = one.origins | other.origins if one.form == "tree" else other.origins
                state.trust.update({o: "verified" for o in found if state.trust.get(o) == "elsewhere"})


def _alone(value: Value) -> Value:
    """Return the one thing in a list that holds no other."""
    return value.entries[0][1] if isinstance(value, Items) and len(value.entries) == 1 else value


def _is_number(value: Value) -> bool:
    return isinstance(value, Const) and isinstance(value.value, int) and not isinstance(value.value, bool)

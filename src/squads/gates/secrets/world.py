"""What a run knows of what the program does not fix: by default nothing, in other worlds what they make of it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from squads.gates.python import Class, Function
from squads.gates.secrets.pure import GAP, UNKNOWN, Thing, known, written

if TYPE_CHECKING:
    from squads.gates.secrets.expressions import Expressions


@dataclass(eq=False)
class Frame:
    """One run of a function: its names, and what it gave back."""

    env: dict[str, object] = field(default_factory=dict)
    function: Function | None = None
    callers: tuple[ast.Call, ...] = ()
    returns: list[object] = field(default_factory=list)
    yields: list[object] = field(default_factory=list)
    risky: list[str] = field(default_factory=list)
    """What an error that is raised in here would say."""


class World:
    """What is not fixed: here, everything is unknown."""

    def named(self, name: str, node: ast.expr) -> object:
        """Return what something of this name holds that nothing more is known of."""
        return UNKNOWN

    def parameter(self, node: ast.arg, function: Function | None) -> object:
        """Return what a parameter holds that nobody here fills."""
        return UNKNOWN

    def attribute(self, base: object, node: ast.Attribute) -> object:
        """Return a part of an object that is not plain."""
        return base.parts.get(node.attr, UNKNOWN) if isinstance(base, Thing) else UNKNOWN

    def item(self, base: object, key: object, node: ast.expr) -> object:
        """Return an item of something that is no plain list or dict."""
        return UNKNOWN

    def call(self, call: ast.Call, frame: Frame | None, machine: Expressions) -> object | None:
        """Return what a call gives that this world knows better; None where it does not."""
        method = machine.program.calls.method(call)
        if method in ("get", "getenv", "get_secret") and len(call.args) == 2 and machine.is_environment(call):
            return machine.value(call.args[1], frame)
        if method in ("SecretStr", "SecretBytes", "Secret") and call.args:
            return machine.value(call.args[0], frame)
        return None

    def instance(self, made_by: Class) -> Thing:
        """Return a new object of a class of the artifact."""
        return Thing("instance", made_by=made_by)

    def result(self, call: ast.Call, receiver: object, args: list[object], frame: Frame | None) -> object:
        """Return what a call of something unknown gives."""
        return UNKNOWN

    def ran(self, node: ast.AST, frame: Frame, machine: Expressions) -> None:
        """Hear of a call or a raise that was gone through."""

    def weight(self, value: object) -> int:
        """Return how much a value tells: of several that may be, the heaviest counts."""
        return 0 if value is UNKNOWN or value is None else 1 + min(len(written(value).strip(GAP)), 999)

    def insists(self, node: ast.expr) -> bool:
        """Return whether the use of a name says what it holds, where only a part of its text is known."""
        return False

    def certain(self, *values: object) -> bool:
        """Return whether a comparison of these is the same in every run."""
        return known(*values)


def compared(world: World, operator: ast.cmpop, left: object, right: object) -> bool | None:
    """Return what a comparison of two values gives; None where that is not known."""
    if isinstance(operator, ast.In | ast.NotIn):
        inside = list(right) if isinstance(right, dict) and not getattr(right, "more", False) else right
        if not world.certain(left, inside) or not isinstance(inside, str | list | tuple | set | frozenset):
            return None
        found = written(left) in inside if isinstance(inside, str) else any(left == one for one in inside)
        return found is isinstance(operator, ast.In)
    if isinstance(operator, ast.Is | ast.IsNot):
        if right is None and isinstance(left, str) and left.strip(GAP):
            return isinstance(operator, ast.IsNot)
        return (left is right) is isinstance(operator, ast.Is) if world.certain(left, right) else None
    if not world.certain(left, right):
        return None
    if isinstance(operator, ast.Eq | ast.NotEq):
        return (left == right) is isinstance(operator, ast.Eq)
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    match operator:
        case ast.Lt():
            return left < right
        case ast.LtE():
            return left <= right
        case ast.Gt():
            return left > right
    return left >= right


def is_a(value: object, kinds: str) -> bool | None:
    """Return whether a value is of one of some kinds, by their names; None where that is not known."""
    if value is UNKNOWN or isinstance(value, Thing) or value == GAP:
        return None
    words = set(re.findall(r"\w+", kinds)) - {"collections", "abc", "typing"}
    own: dict[type, str] = {
        dict: "dict Mapping MutableMapping", str: "str", bytes: "bytes", list: "list Sequence Iterable", set: "set",
        tuple: "tuple Sequence Iterable", bool: "bool int", int: "int float", type(None): "NoneType",
    }  # fmt: skip
    known_words = {w for names in own.values() for w in names.split()}
    mine = next((names for kind, names in own.items() if isinstance(value, kind)), "")
    if words & set(mine.split()):
        return True
    return False if words <= known_words else None

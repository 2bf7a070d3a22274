"""Goes through statements as a run would: both ways where a test is not known, a loop once where its end is not."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING

from squads.gates.secrets import pure
from squads.gates.secrets.pure import UNKNOWN, Thing
from squads.gates.secrets.world import Frame

if TYPE_CHECKING:
    from squads.gates.secrets.machine import Machine

_ROUNDS_MAX = 64


def go(machine: Machine, body: Sequence[ast.stmt], frame: Frame) -> str:
    """Go through a body, and return how it ends: empty where it goes on, else `return`, `raise`, `break`..."""
    for statement in body:
        end = _one(machine, statement, frame)
        if end or machine.steps > machine.steps_max:
            return end or "return"
    return ""


def _one(machine: Machine, node: ast.stmt, frame: Frame) -> str:
    machine.steps += 1
    match node:
        case ast.Expr():
            machine.value(node.value, frame)
        case ast.Assign():
            value = machine.value(node.value, frame)
            for target in node.targets:
                machine.assign(target, value, frame)
            machine.world.ran(node, frame, machine)
        case ast.AnnAssign() if node.value is not None:
            machine.assign(node.target, machine.value(node.value, frame), frame)
        case ast.AugAssign():
            before, more = machine.value(node.target, frame), machine.value(node.value, frame)
            machine.assign(node.target, pure.operated(type(node.op).__name__, before, more), frame)
        case ast.Return():
            frame.returns.append(machine.value(node.value, frame) if node.value is not None else None)
            machine.world.ran(node, frame, machine)
            return "return"
        case ast.Raise():
            machine.value(node.exc, frame)
            machine.world.ran(node, frame, machine)
            return "raise"
        case ast.Break():
            return "break"
        case ast.Continue():
            return "continue"
        case ast.If():
            sure = machine.truth(node.test, frame)
            if sure is not None:
                return go(machine, node.body if sure else node.orelse, frame)
            return _ways(machine, [node.body, node.orelse], frame)
        case ast.For() | ast.AsyncFor():
            return _loop(machine, node, frame)
        case ast.While():
            return _while(machine, node, frame)
        case ast.With() | ast.AsyncWith():
            for item in node.items:
                value = machine.value(item.context_expr, frame)
                if item.optional_vars is not None:
                    machine.assign(item.optional_vars, value, frame)
            return go(machine, node.body, frame)
        case ast.Try() | ast.TryStar():
            return _try(machine, node, frame)
        case ast.Match():
            machine.value(node.subject, frame)
            return _ways(machine, [*(c.body for c in node.cases), []], frame)
        case ast.Delete():
            for target in node.targets:
                _deleted(machine, target, frame)
        case ast.Assert():
            machine.world.ran(node, frame, machine)
    return ""


def _deleted(machine: Machine, target: ast.expr, frame: Frame) -> None:
    if isinstance(target, ast.Subscript):
        base, key = machine.value(target.value, frame), machine.value(target.slice, frame)
        if isinstance(base, dict) and isinstance(key, str | int):
            base.pop(key, None)
    elif isinstance(target, ast.Name):
        frame.env.pop(target.id, None)


def _branched(frame: Frame) -> Frame:
    env = {k: pure.copied(v) for k, v in frame.env.items()}
    return Frame(env, frame.function, frame.callers, frame.returns, frame.yields, frame.risky)


def _ways(machine: Machine, bodies: Sequence[Sequence[ast.stmt]], frame: Frame) -> str:
    """Go through several bodies of which one runs, and keep of every name what tells most."""
    ends: list[str] = []
    left: list[Frame] = []
    for body in bodies:
        inner = _branched(frame)
        end = go(machine, body, inner)
        ends.append(end)
        if not end or end in ("break", "continue"):
            left.append(inner)
    _merge(machine, frame, left)
    return "" if "" in ends or not ends else ends[0] if len(set(ends)) == 1 else "" if left else "return"


def _merge(machine: Machine, frame: Frame, left: list[Frame]) -> None:
    if not left:
        return
    for name in {n for one in left for n in one.env}:
        values = [one.env[name] for one in left if name in one.env]
        frame.env[name] = machine.join(values)


def _loop(machine: Machine, node: ast.For | ast.AsyncFor, frame: Frame) -> str:
    items = machine.items(machine.value(node.iter, frame))
    for number, one in enumerate(items[:_ROUNDS_MAX]):
        machine.assign(node.target, one, frame)
        end = go(machine, node.body, frame)
        if end == "break":
            return ""
        if end in ("return", "raise"):
            return end if one is not UNKNOWN and number + 1 == len(items) else ""
    return go(machine, node.orelse, frame)


def _while(machine: Machine, node: ast.While, frame: Frame) -> str:
    for _ in range(_ROUNDS_MAX):
        sure = machine.truth(node.test, frame)
        end = go(machine, node.body, frame) if sure is not False else "break"
        if end == "break":
            return ""
        if end in ("return", "raise"):
            return "" if sure is None else end
        if not (sure and not isinstance(node.test, ast.Constant)):
            break
    return ""


def _try(machine: Machine, node: ast.Try | ast.TryStar, frame: Frame) -> str:
    before = frame.risky
    frame.risky = []
    inner = _branched(frame)
    inner.risky = frame.risky
    end = go(machine, [*node.body, *node.orelse], inner)
    said, frame.risky = frame.risky, before
    frame.risky += said
    broken = _branched(frame)
    _merge(machine, broken, [_branched(frame), _branched(inner)])
    left = [] if end else [inner]
    for handler in node.handlers:
        way = _branched(broken)
        if handler.name:
            way.env[handler.name] = Thing("exception", list(said))
        ended = go(machine, handler.body, way)
        if not ended:
            left.append(way)
        end = end if end and ended else ""
    _merge(machine, frame, left or [inner])
    return go(machine, node.finalbody, frame) or (end if not left else "")

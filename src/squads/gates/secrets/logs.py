"""Secrets that Python writes where others read them.

Every function is gone through once with samples in place of secrets, and whatever is written on the way is looked at:
what hides enough of a secret passes, whatever it is called, and a mask that leaves it does not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from squads.gates.python import Function, Module, Program
from squads.gates.secrets.machine import Machine
from squads.gates.secrets.pure import UNKNOWN, Box
from squads.gates.secrets.python import Shown
from squads.gates.secrets.statements import go
from squads.gates.secrets.unread import left_out
from squads.gates.secrets.uses import Uses
from squads.gates.secrets.watched import Watched
from squads.gates.secrets.world import Frame

# Steps in one function, one module, and all of an artifact.
_STEPS_MAX = 4_000
_MODULE_STEPS_MAX = 15_000
_PROGRAM_STEPS_MAX = 100_000


class InLogs:
    """Finds the secrets that one program's modules write out."""

    def __init__(self, program: Program, uses: Uses) -> None:
        self._program = program
        self._uses = uses
        self._world: Watched | None = None
        self._left = _PROGRAM_STEPS_MAX
        self.given_up = ""
        """Why the rest of the artifact was not gone through, with the first place of it; empty where all of it was."""

    def shown(self, module: Module) -> Iterator[Shown]:
        """Yield what a module writes out, or gives to be written."""
        if self._world is None:
            self._world = Watched(self._program, self._uses)
            self._world.machine = Machine(self._program, self._world)
        world = self._world
        world.told = {}
        if self._left <= 0:
            self.given_up = self.given_up or (
                f"{module.path}:1: what the artifact writes takes more than {_PROGRAM_STEPS_MAX} steps to go through: "
                "from this file on nobody looked at its logs and errors; gate smaller changes"
            )
            return
        self._left -= self._gone_through(module, min(_MODULE_STEPS_MAX, self._left))
        yield from world.told.values()

    def _gone_through(self, module: Module, left: int) -> int:
        """Go through the statements and functions of a module, and return how many steps that took."""
        world, machine = self._world, self._world.machine if self._world is not None else None
        assert world is not None
        assert machine is not None
        before = left
        top = [s for s in module.tree.body if not isinstance(s, ast.FunctionDef | ast.ClassDef)]
        machine.begin(_STEPS_MAX)
        self._go(machine, top, Frame())
        if machine.cut:
            self._again(module, top, None)
        for function in module.functions.values():
            if isinstance(function.node, ast.Lambda):
                continue
            if left <= 0:
                self._again(module, function.node.body, function)
                continue
            machine.begin(min(_STEPS_MAX, left))
            env = self._given(function)
            self._go(machine, function.node.body, Frame(env, function))
            cut = machine.cut
            for wrapper in self._wrappers(function):
                self._wrapped(wrapper, env, function)
            left -= machine.steps
            if cut:
                self._again(module, function.node.body, function)
        return before - left

    def _again(self, module: Module, body: Sequence[ast.stmt], function: Function | None) -> None:
        """Go through statements that were cut off once more, without going into calls, where a secret could leave."""
        world, machine = self._world, self._world.machine if self._world is not None else None
        assert world is not None
        assert machine is not None
        if left_out(self._program, self._uses, body, world.heard) is None:
            return
        machine.begin(_STEPS_MAX, depth_max=0)
        self._go(machine, body, Frame(self._given(function) if function is not None else {}, function))
        place = left_out(self._program, self._uses, body, world.heard) if machine.cut else None
        if place is not None:
            self.given_up = self.given_up or (
                f"{module.path}:{getattr(place, 'lineno', 1)}: what comes before this takes more than {_STEPS_MAX} "
                "steps to go through, so nobody looked at what is written here beside a secret; make it shorter"
            )

    def _given(self, function: Function) -> dict[str, object]:
        """Return what the parameters of a function hold that nobody fills."""
        world = self._world
        assert world is not None
        arguments = function.node.args
        env = {p.arg: world.parameter(p, function) for p in [*function.parameters, *arguments.kwonlyargs]}
        rests = [r for r in (arguments.vararg, arguments.kwarg) if r is not None]
        return env | {r.arg: world.parameter(r, None) for r in rests}

    def _wrappers(self, function: Function) -> Iterator[Function]:
        """Yield the functions inside the artifact's decorators that run in its place and take whatever it takes."""
        node = function.node
        for decorator in [] if isinstance(node, ast.Lambda) else node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            for thing in self._program.names.things(called):
                if isinstance(thing, Function):
                    for inner in ast.walk(thing.node):
                        found = thing.module.functions.get(inner)
                        if found is None or found is thing or isinstance(found.node, ast.Lambda):
                            continue
                        if found.node.args.vararg:
                            yield found

    def _wrapped(self, wrapper: Function, env: dict[str, object], function: Function) -> None:
        """Go through a wrapper with what the wrapped function is given, by position and by name."""
        assert self._world is not None
        machine = self._world.machine
        assert machine is not None
        assert not isinstance(wrapper.node, ast.Lambda)
        arguments = wrapper.node.args
        inner: dict[str, object] = {p.arg: UNKNOWN for p in wrapper.parameters}
        given = {k: v for k, v in env.items() if k not in ("self", "cls")}
        if arguments.vararg:
            inner[arguments.vararg.arg] = list(given.values())
        if arguments.kwarg:
            inner[arguments.kwarg.arg] = Box(given)
        self._go(machine, wrapper.node.body, Frame(inner, wrapper))

    @staticmethod
    def _go(machine: Machine, body: Sequence[ast.stmt], frame: Frame) -> None:
        try:
            go(machine, body, frame)
        except RecursionError:
            machine.unwind()  # what is nested this deep writes no log that anybody reads

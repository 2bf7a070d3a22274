"""Goes through the functions of one program with what they are given, as far as that is known.

A helper of the artifact is gone through statement by statement, so what a mask does is seen and not what it is called.
"""

from __future__ import annotations

import ast

from squads.gates.python import Class, Function
from squads.gates.python.names import default_of
from squads.gates.secrets import functions as functions_
from squads.gates.secrets import pure
from squads.gates.secrets.expressions import Expressions
from squads.gates.secrets.pure import GAP, UNKNOWN, Box, Thing, known, written
from squads.gates.secrets.statements import go
from squads.gates.secrets.world import Frame


class Machine(Expressions):
    """Reads values in one program and one world, through calls too."""

    def _call(self, call: ast.Call, frame: Frame | None) -> object:
        known_better = self.world.call(call, frame, self)
        if known_better is not None:
            return known_better
        functions = self.program.names.functions(call)
        made_by = [t for t in self.program.names.things(call.func) if isinstance(t, Class)]
        if made_by:
            return self._instance(call, made_by[0], functions, frame)
        if functions and len(self._running) < self.depth_max:
            found = [self.run(f, call, frame) for f in functions[:3] if self._running.count(f) < 2]
            if found:
                value = self.join(found)
                return self.world.result(call, UNKNOWN, [], frame) if value is UNKNOWN else value
        receiver = self.program.calls.receiver(call)
        args = list(self._elements(call.args, frame))
        words = {k.arg: self.value(k.value, frame) for k in call.keywords if k.arg}
        for spread in call.keywords:
            if spread.arg is None and isinstance(more := self.value(spread.value, frame), dict):
                words |= {k: v for k, v in more.items() if isinstance(k, str)}
        names = self.program.names.names(call.func)
        if "map" in names and len(call.args) == 2:
            return [self._applied(call.args[0], e, frame) for e in self.items(args[1])]
        found_one = functions_.called(names, args, words)
        if found_one is not UNKNOWN:
            return found_one
        if receiver is None:
            return self.world.result(call, UNKNOWN, args, frame)
        on = self.value(receiver, frame)
        name = self.program.calls.method(call)
        if isinstance(on, Thing) and on.kind == "pattern" and name in ("search", "match", "fullmatch") and args:
            return functions_.searched(on, args[0], name)
        if isinstance(on, Thing) and on.kind == "pattern" and name == "sub" and len(args) >= 2:
            return functions_.replaced(on, args[0], written(args[1]))
        if not isinstance(on, Thing) and on is not UNKNOWN:
            if isinstance(on, dict) and name == "update" and args and not isinstance(args[0], dict):
                args = []
            found_one = pure.method(on, name, args, words)
        return self.world.result(call, on, args, frame) if found_one is UNKNOWN else found_one

    def _applied(self, function: ast.expr, value: object, frame: Frame | None) -> object:
        for thing in self.program.names.things(function):
            if isinstance(thing, Function) and len(self._running) < self.depth_max:
                return self._run(thing, {p.arg: value for p in thing.parameters[:1]}, None, frame)
        return functions_.called(self.program.names.names(function), [value], {})

    def _instance(self, call: ast.Call, made_by: Class, functions: list[Function], frame: Frame | None) -> Thing:
        thing = self.world.instance(made_by)
        bases = {
            n.rpartition(".")[2]
            for c in self.program.names.family(made_by)
            for b in c.node.bases
            for n in self.program.names.names(b)
        }
        if functions and len(self._running) < self.depth_max and self._running.count(functions[0]) < 2:
            self.run(functions[0], call, frame, itself=thing)
            return thing
        fields = [
            s.target.id for c in reversed(self.program.names.family(made_by)) for s in c.node.body
            if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
        ]  # fmt: skip
        for name, value in zip(fields, self._elements(call.args, frame), strict=False):
            thing.parts[name] = value
        for word in call.keywords:
            if word.arg:
                thing.parts[word.arg] = self.value(word.value, frame)
        if bases & {"Exception", "RuntimeError", "ValueError"}:
            thing.text = [self.value(a, frame) for a in call.args]
        thing.parts = {k: v for k, v in thing.parts.items() if v is not UNKNOWN}
        return thing

    def run(self, function: Function, call: ast.Call, frame: Frame | None, *, itself: object = None) -> object:
        """Return what a function of the artifact gives for a call."""
        env: dict[str, object] = {}
        bound = self.program.calls.bind(call, function)
        arguments = function.node.args
        for parameter in [*function.parameters, *arguments.kwonlyargs]:
            values = bound.get(parameter)
            default = default_of(function, parameter)
            if values:
                env[parameter.arg] = self.value(values[0], frame)
            elif default is not None:
                env[parameter.arg] = self.value(default)
            if env.get(parameter.arg, UNKNOWN) is UNKNOWN:
                env[parameter.arg] = self.world.parameter(parameter, function)
        receiver = self.program.calls.receiver(call)
        if function.bound and function.parameters and function.parameters[0] not in bound:
            env[function.parameters[0].arg] = itself or (self.value(receiver, frame) if receiver else UNKNOWN)
        if arguments.vararg:
            env[arguments.vararg.arg] = [self.value(v, frame) for v in bound.get(arguments.vararg, ())]
        if arguments.kwarg:
            box = Box()
            for word in call.keywords:
                if word.arg and word.arg not in env:
                    box[word.arg] = self.value(word.value, frame)
                elif not word.arg and isinstance(more := self.value(word.value, frame), dict):
                    box.update(more)
            env[arguments.kwarg.arg] = box
        return self._run(function, env, call, frame)

    def of_object(self, function: Function, thing: Thing) -> object:
        """Return what a method without arguments gives for an object."""
        if self._running.count(function) or len(self._running) >= self.depth_max:
            return GAP
        return self._run(function, {p.arg: thing for p in function.parameters[:1]}, None, None)

    def _run(self, function: Function, env: dict[str, object], call: ast.Call | None, frame: Frame | None) -> object:
        callers = (*(frame.callers if frame else ()), *([call] if call else ()))
        inner = Frame(env, function, callers)
        inner.risky = frame.risky if frame else []
        self._running.append(function)
        try:
            if isinstance(function.node, ast.Lambda):
                return self.value(function.node.body, inner)
            go(self, function.node.body, inner)
        finally:
            self._running.pop()
        if inner.yields:
            return inner.yields
        return self.join(inner.returns) if inner.returns else UNKNOWN

    # Targets

    def assign(self, target: ast.expr, value: object, frame: Frame) -> None:
        """Bind a target to a value."""
        if isinstance(target, ast.Name):
            frame.env[target.id] = self.world.named(target.id, target) if self._open(value, target) else value
        elif isinstance(target, ast.Tuple | ast.List):
            parts = list(value) if isinstance(value, list | tuple) else []
            for number, one in enumerate(target.elts):
                self.assign(one, parts[number] if number < len(parts) else UNKNOWN, frame)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, frame)
        elif isinstance(target, ast.Attribute):
            base = self.value(target.value, frame)
            if isinstance(base, Thing) and value is not UNKNOWN:
                base.parts[target.attr] = value
        elif isinstance(target, ast.Subscript):
            base, key = self.value(target.value, frame), self.value(target.slice, frame)
            if isinstance(base, dict) and isinstance(key, str | int | bytes) and known(key):
                base[key] = self.world.named(str(key), target) if value is UNKNOWN else value
            elif isinstance(base, list) and isinstance(key, int) and -len(base) <= key < len(base):
                base[key] = value

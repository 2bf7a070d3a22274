"""Context managers that drop what was raised inside: an `__exit__` that answers yes, a `yield` in a `try`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.failures.after import After, called, calls, statements
from squads.gates.failures.beside import recorded
from squads.gates.failures.words import EFFECTS, EXPECTED, leaves
from squads.gates.python import Function, Module, Program
from squads.gates.secrets.words import words_of

_PERMITS = re.compile(r"(?i)suppress|ignor|swallow|quiet|expect|raises|assert|tolera|best|catch|captur|mock|fake|skip")


class Managers:
    """Answers about the context managers of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)

    def left(self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Return | None:
        """Return an `__exit__` that drops what was raised inside, whether it looked at it or not."""
        owner = module.parents.get(node)
        if _PERMITS.search(owner.name if isinstance(owner, ast.ClassDef) else "") or len(node.body) < 2:
            return None
        if recorded(node.body, {a.arg for a in node.args.args[1:]}):
            return None
        for one in statements(node.body):
            if isinstance(one, ast.Return) and one.value is not None and self._drops(one, node):
                return one
        return None

    def pushed(self, node: ast.With | ast.AsyncWith) -> Iterator[tuple[ast.Call, ast.AST]]:
        """Yield what is pushed onto an `ExitStack` and answers yes to whatever was raised, with where it answers."""
        for item in node.items:
            stack = item.optional_vars
            if not isinstance(stack, ast.Name) or "ExitStack" not in ast.unparse(item.context_expr):
                continue
            for call in calls(node.body):
                if called(call) not in ("push", "push_async_exit") or not isinstance(call.func, ast.Attribute):
                    continue
                if ast.unparse(call.func.value) != stack.id or not call.args:
                    continue
                answer = self._yes(call.args[0])
                if answer is not None:
                    yield call, answer

    def _yes(self, node: ast.expr, depth: int = 0) -> ast.AST | None:
        """Return where a function answers yes whatever it is given; None where it may say anything else."""
        for thing in self._program.names.things(node) if not isinstance(node, ast.Lambda) else ():
            if isinstance(thing, Function) and not isinstance(thing.node, ast.Lambda) and not thing.node.decorator_list:
                ends = [s for s in statements(thing.node.body) if isinstance(s, ast.Return)]
                if (
                    ends
                    and ends == thing.node.body[-1:]
                    and isinstance(ends[0].value, ast.Constant)
                    and ends[0].value.value
                ):
                    return ends[0]
        if isinstance(node, ast.Lambda):
            body = node.body
            if isinstance(body, ast.Constant) and body.value:
                return body
            if isinstance(body, ast.Call) and depth == 0:
                return self._yes(body.func, 1)
        return None

    def _drops(self, one: ast.Return, node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        """Return whether a value given back by an `__exit__` is true for an error that nobody raises to leave."""
        names = [a.arg for a in node.args.args[1:4]]
        value = one.value
        test = self._guard(one, node)
        tested = ast.unparse(test) if test is not None else ""
        if isinstance(value, ast.Constant) and value.value is True:
            if any(re.search(rf"\b{n} is None|not {n}\b", tested) for n in names):
                return False
            asked = [n for n in ast.walk(test) if isinstance(n, ast.Call | ast.Compare)] if test is not None else []
            types = [t for a in asked for t in self._types(a, names)]
            return any(map(_matters, types)) if types else not tested or any(n in tested for n in names)
        if isinstance(value, ast.Constant):
            return False
        if isinstance(value, ast.UnaryOp):
            return bool(self._types(value.operand, names))
        if any(
            value is not None and ast.unparse(value) == text
            for n in names
            for text in (f"{n} is not None", f"bool({n})")
        ):
            return True
        return value is not None and any(_matters(t) for a in ast.walk(value) for t in self._types(a, names))

    def _guard(self, node: ast.AST, top: ast.AST) -> ast.expr | None:
        parent = self._program.files.parent(node)
        while parent is not None and parent is not top:
            if isinstance(parent, ast.If):
                return parent.test
            parent = self._program.files.parent(parent)
        return None

    def _types(self, node: ast.AST, names: list[str]) -> list[str]:
        """Return the exceptions that a test asks for: `isinstance(error, (A, B))`, `kind is A`."""
        match node:
            case ast.Call() if called(node) in ("isinstance", "issubclass") and len(node.args) == 2:
                subject, kinds = node.args
            case ast.Compare() if len(node.comparators) == 1:
                subject, kinds = node.left, node.comparators[0]
            case _:
                return []
        if not isinstance(subject, ast.Name) or subject.id not in names:
            return []
        return self._named(kinds)

    def around_yield(self, node: ast.Try | ast.TryStar, handler: ast.ExceptHandler) -> bool:
        """Return whether a handler of a generator that is a context manager drops what the block under it raised."""
        function = self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda) or _PERMITS.search(function.name):
            return False
        if not any("contextmanager" in ast.unparse(d) for d in function.node.decorator_list):
            return False
        if not any(isinstance(s, ast.Yield) for s in statements(node.body)):
            return False
        if any(isinstance(s, ast.Raise) for s in statements(handler.body)) or self._told(handler):
            return False
        kinds = self._named(handler.type) if handler.type is not None else ["BaseException"]
        if not any(map(_matters, kinds)):
            return False
        return self._changes(node) or any(self._claims(call) for call in self._program.calls.callers(function))

    def _told(self, handler: ast.ExceptHandler) -> bool:
        return bool(handler.name) and recorded(handler.body, {handler.name or ""})

    def _changes(self, node: ast.Try | ast.TryStar) -> bool:
        """Return whether leaving the block well writes something: a commit, a save."""
        words = {w for c in calls([*node.body, *node.orelse]) for w in words_of(called(c))}
        return not words.isdisjoint(EFFECTS)

    def _claims(self, call: ast.Call) -> bool:
        item = self._program.files.parent(call)
        block = self._program.files.parent(item) if isinstance(item, ast.withitem) else None
        if not isinstance(block, ast.With | ast.AsyncWith):
            return False
        near, far = self._after.rest(block)
        return self._after.said([*near, *far], set()).how == "success"

    def _named(self, kinds: ast.expr) -> list[str]:
        held = self._program.values.origins(kinds) if isinstance(kinds, ast.Name) else [kinds]
        return [
            ast.unparse(e).rsplit(".", 1)[-1]
            for k in held or [kinds]
            for e in (k.elts if isinstance(k, ast.Tuple) else [k])
            if not isinstance(e, ast.Constant)
        ]


def _matters(name: str) -> bool:
    """Return whether an exception of this name is no way to leave a block on purpose."""
    return not leaves(name) and name not in EXPECTED

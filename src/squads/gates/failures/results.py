"""Failures that come as results nobody looks at: return codes, gathered exceptions, futures, the end of all tries."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.failures.after import After, bound, called, is_log, statements
from squads.gates.failures.beside import recorded
from squads.gates.failures.handlers import Swallowed
from squads.gates.failures.retries import Retries
from squads.gates.failures.words import is_quiet
from squads.gates.python import Function, Module, Program

_RUNS = frozenset(
    ("subprocess.run", "subprocess.call", "os.system", "subprocess.Popen().wait", "subprocess.Popen().communicate")
)
_READS = frozenset(("returncode", "check_returncode"))


class Results:
    """Finds the results of one program that say "failed" to nobody."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._after = After(program)

    def found(self, module: Module) -> Iterator[Swallowed]:
        """Yield what one module does not look at."""
        for call in module.calls:
            function = self._program.function_of(call)
            if function is not None and is_quiet(function.name):
                continue
            names = self._program.names.names(call.func)
            said: Swallowed | None = None
            if names & _RUNS or self._waits(call):
                said = self._command(module, call)
            elif called(call) == "gather" and self._kept(call):
                said = self._gathered(module, call, function)
            elif called(call) in ("submit", "map") and re.search(r"(?i)pool|executor", ast.unparse(call.func)):
                said = self._submitted(module, call, function)
            elif called(call) == "add_done_callback":
                said = self._callback(call)
            if said is not None:
                yield said
        retries = Retries(self._program)
        for node in module.parents:
            retried: Swallowed | None = None
            if isinstance(node, ast.For | ast.AsyncFor | ast.While):
                retried = retries.look(node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in ("__exit__", "__aexit__"):
                retried = self._left(module, node)
            if retried is not None:
                yield retried

    # Context managers

    def _left(self, module: Module, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Swallowed | None:
        """Return an `__exit__` that drops whatever was raised inside, whether it looked at it or not."""
        owner = module.parents.get(node)
        name = owner.name if isinstance(owner, ast.ClassDef) else ""
        if re.search(
            r"(?i)suppress|ignor|swallow|quiet|expect|raises|assert|tolera|best|catch|captur|mock|fake|skip", name
        ):
            return None
        returns = [s for s in statements(node.body) if isinstance(s, ast.Return)]
        always = [s for s in returns if isinstance(s.value, ast.Constant) and s.value.value is True]
        last = node.body[-1]
        if not always or last not in always or len(returns) != len(always):
            return None
        if recorded(node.body, {a.arg for a in node.args.args[1:]} | {"self"}) or len(node.body) < 2:
            return None
        return Swallowed(last, f"`True` out of {node.name} drops whatever was raised inside")

    # Commands

    def _waits(self, call: ast.Call) -> bool:
        names = self._program.names.names(call.func)
        return any(re.search(r"create_subprocess_\w+\(\)\.(?:wait|communicate)$", n) for n in names)

    def _command(self, module: Module, call: ast.Call) -> Swallowed | None:
        for word in call.keywords:
            if word.arg is None or (
                word.arg == "check" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            ):
                return None
        statement = self._statement(call)
        if statement is None:
            return None
        value = statement.value if isinstance(statement, ast.Expr | ast.Assign) else None
        value = value.value if isinstance(value, ast.Await) else value
        if value is not call:
            return None
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if not isinstance(target, ast.Name):
                    if not isinstance(target, ast.Tuple):
                        return None
                    continue
                if self._looked_at(module, target):
                    return None
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        around = self._program.function_of(call)
        if isinstance(receiver, ast.Name) and around is not None and called(call) in ("wait", "communicate"):
            text = ast.unparse(around.node)
            if re.search(rf"\b{re.escape(receiver.id)}\.(?:returncode|poll)\b", text):
                return None
        near, far = self._after.rest(statement)
        guards = bound([statement]) if isinstance(statement, ast.Assign) else set()
        said = self._after.said([*near, *far], set())
        if said.how == "nothing" or (said.how == "value" and self._output(said.node, guards)):
            return None
        if said.how == "value" and (called(call) in ("wait", "communicate") or not isinstance(statement, ast.Expr)):
            told = any(isinstance(n, ast.Attribute) and n.attr in _READS for s in near for n in ast.walk(s))
            if not told:
                return None
        return Swallowed(call, f"nobody looks at the command's return code, and the function {said.what}", said.node)

    def _output(self, node: ast.AST | None, guards: set[str]) -> bool:
        """Return whether what is returned is what the command printed."""
        return node is not None and any(isinstance(n, ast.Name) and n.id in guards for n in ast.walk(node))

    def _looked_at(self, module: Module, target: ast.Name) -> bool:
        binding = module.scopes.by_target.get(target)
        for load in module.loads(binding) if binding else ():
            parent = module.parents.get(load)
            if (not isinstance(parent, ast.Attribute) or parent.attr in _READS) and not self._in_log(load):
                return True
        return False

    def _in_log(self, node: ast.AST) -> bool:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            # What is printed is shown to whoever runs a script, and they look.
            if isinstance(parent, ast.Call) and is_log(parent) and called(parent) != "print":
                return True
            parent = self._program.files.parent(parent)
        return False

    def _statement(self, node: ast.AST) -> ast.stmt | None:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            parent = self._program.files.parent(parent)
        return parent

    # What runs beside

    def _kept(self, call: ast.Call) -> bool:
        return any(
            k.arg == "return_exceptions" and isinstance(k.value, ast.Constant) and k.value.value is True
            for k in call.keywords
        )

    def _gathered(self, module: Module, call: ast.Call, function: Function | None) -> Swallowed | None:
        if function is None:
            return None
        text = ast.unparse(function.node)
        if ".cancel()" in text or "cancel_" in text:
            return None
        statement = self._statement(call)
        if isinstance(statement, ast.Expr):
            return Swallowed(call, "the failures that `gather` returns are dropped")
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            return None
        name = statement.targets[0].id
        if re.search(r"isinstance\(|\.exception\(\)|raise\b|BaseException|is not None|type\(|case ", text):
            return None
        binding = module.scopes.by_target.get(statement.targets[0])
        loads = module.loads(binding) if binding else []
        for load in loads:
            parent = module.parents.get(load)
            counts = isinstance(parent, ast.Call) and called(parent) in ("len", "list", "bool", "any", "all", "sum")
            counts = counts or (isinstance(parent, ast.Call) and is_log(parent))
            gone = isinstance(parent, ast.comprehension | ast.For)
            if not (counts or gone):
                return None
        return Swallowed(call, f"nobody asks whether `{name}` holds failures")

    def _submitted(self, module: Module, call: ast.Call, function: Function | None) -> Swallowed | None:
        if function is None or not isinstance(module.parents.get(call), ast.Expr):
            return None
        statement = self._statement(call)
        if statement is None:
            return None
        near, far = self._after.rest(statement)
        said = self._after.said([*near, *far], set())
        if said.how != "success":
            return None
        return Swallowed(call, f"nobody asks the future for its result, and the function {said.what}", said.node)

    def _callback(self, call: ast.Call) -> Swallowed | None:
        given = call.args[0] if call.args else None
        if isinstance(given, ast.Lambda) and isinstance(given.body, ast.Call) and called(given.body) == "exception":
            return Swallowed(call, "the callback fetches the failure and drops it")
        return None

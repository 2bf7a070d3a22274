"""What becomes of a coroutine after the call that made it: awaited, handed to somebody who may await it, or lost."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from squads.gates.coroutines.calls import Makers
from squads.gates.python import Function, Module, Program
from squads.gates.words import word_set

_DEPTH_MAX = 12
# What looks at a value, and never awaits it.
_LOOKS = word_set(
    "print str repr len bool int float list tuple set frozenset dict sorted sum any all max min isinstance type id "
    "enumerate "
    "zip format round abs json.dumps json.loads hash next iter filter reversed fastapi.responses.JSONResponse "
    "starlette.responses.JSONResponse flask.jsonify dataclasses.asdict map asyncio.iscoroutine inspect.iscoroutine "
    "inspect.isawaitable callable hasattr getattr asyncio.isfuture inspect.getcoroutinestate warnings.warn vars "
    "sys.exit exit"
)
_RUNS = frozenset(("asyncio.gather", "asyncio.run", "asyncio.wait_for", "asyncio.shield", "anyio.run"))
_OWN = word_set("close send throw cr_await cr_frame cr_running cr_code __await__ add_done_callback aclose asend athrow")


@dataclass(frozen=True, slots=True)
class Lost:
    """Where and how a coroutine is lost."""

    node: ast.AST
    how: str


def runs_functions(names: frozenset[str], method: str, text: str) -> bool:
    """Return whether what a call is given first is called later: it must be a function, not what one made."""
    plain = {n.replace("()", "") for n in names}
    if plain & {"contextlib.ExitStack.callback", "contextlib.AsyncExitStack.callback", "atexit.register"}:
        return True
    if any(n.endswith(("BackgroundTasks.add_task", "Scheduler.add_job")) for n in plain):
        return True
    return (method == "add_task" and "background" in text.lower()) or (
        method == "add_job" and "scheduler" in text.lower()
    )


class Fates:
    """Follows what calls of one program made."""

    def __init__(self, program: Program, makers: Makers) -> None:
        self._program = program
        self._makers = makers
        self._asking: list[ast.AST] = []

    def lost(self, node: ast.expr, *, task: bool = False, inner: bool = False) -> Lost | None:
        """Return how what `node` made is lost; None where somebody awaits it, or may.

        `task`: it runs by itself, and only has to be held. `inner`: it is in a list or another box.
        """
        if node in self._asking or len(self._asking) > _DEPTH_MAX:
            return None
        self._asking.append(node)
        try:
            return self._of(node, task, inner)
        finally:
            self._asking.pop()

    def _of(self, node: ast.expr, task: bool, inner: bool) -> Lost | None:
        module = self._program.files.module_of(node)
        parent = module.parents.get(node)
        while isinstance(parent, ast.Starred | ast.keyword):
            if isinstance(parent, ast.Starred):
                inner = False
            node, parent = parent, module.parents.get(parent)  # type: ignore[assignment]  # a keyword stands for its value
        match parent:
            case ast.Expr() | ast.Delete():
                return Lost(node, "dropped")
            case ast.Await():
                return Lost(node, "awaited as a list") if inner else None
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
                return self._assigned(module, node, parent, task, inner)
            case ast.Return():
                return self._returned(node, task, inner)
            case ast.Lambda():
                return None
            case ast.Call():
                return self._given(module, node, parent, task, inner)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict():
                return self._boxed(module, node, parent, task)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.lost(parent, task=task, inner=True)
            case ast.comprehension():
                if node in parent.ifs:
                    return None if task else Lost(node, "used as a condition, which always holds")
                return self._gone_through(module, parent.target, parent, task, inner)
            case ast.If() | ast.While() | ast.Assert():
                return None if task or inner else Lost(node, "used as a condition, which always holds")
            case ast.UnaryOp() | ast.Compare():
                return None if task or inner else Lost(node, "compared as if it were the result")
            case ast.IfExp():
                if node is parent.test:
                    return None if task or inner else Lost(node, "used as a condition, which always holds")
                return self.lost(parent, task=task, inner=inner)
            case ast.BoolOp():
                return self.lost(parent, task=task, inner=inner)
            case ast.Attribute():
                if parent.attr == "close" and not task and not inner:
                    return Lost(node, "closed, and never awaited")
                if task or inner or parent.attr in _OWN:
                    return None
                return Lost(node, f"asked for `.{parent.attr}`, which only its result has")
            case ast.Subscript():
                return (
                    None
                    if task or inner or parent.value is not node
                    else Lost(node, "indexed as if it were the result")
                )
            case ast.BinOp() | ast.FormattedValue():
                return None if task or inner else Lost(node, "used as if it were the result")
            case ast.For():
                return self._gone_through(module, parent.target, parent, task, inner)
        return None

    def _gone_through(self, module: Module, target: ast.expr, parent: ast.AST, task: bool, inner: bool) -> Lost | None:
        if not inner:
            return None if task else Lost(target, "gone through, and a coroutine has no elements")
        if isinstance(target, ast.Tuple | ast.List):
            parts = [self._gone_through(module, t, parent, task, inner) for t in target.elts]
            return parts[-1] if parts and all(parts) else None
        if not isinstance(target, ast.Name):
            return None
        binding = module.scopes.by_target.get(target)
        loads = module.loads(binding) if binding else []
        if binding is None:
            return None
        if not loads:
            return Lost(target, "gone through, and none of it awaited")
        fates = [self.lost(load, task=task) for load in loads]
        return fates[0] if fates and all(fates) else None

    def _assigned(self, module: Module, node: ast.expr, parent: ast.AST, task: bool, inner: bool) -> Lost | None:
        if isinstance(parent, ast.NamedExpr):
            outer = self.lost(parent, task=task, inner=inner)
            if outer is None:
                return None
        targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]  # type: ignore[attr-defined]
        first: Lost | None = None
        for target in targets:
            if isinstance(target, ast.Tuple | ast.List):
                return None if inner or task else Lost(node, "unpacked as if it were the result")
            if isinstance(target, ast.Attribute):
                said = self._attribute(module, node, target, task)
            elif isinstance(target, ast.Name):
                said = self._name(module, node, target, task, inner)
            elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and not task and not inner:
                said = self._stored(module, node, target.value)
            elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Attribute) and not task:
                said = self._hoarded(node, target.value)
            else:
                return None
            if said is None:
                return None
            first = first or said
        return first

    def _stored(self, module: Module, node: ast.expr, box: ast.Name) -> Lost | None:
        """Return the fate of what is put into a dict of the function that is only given back as if it held results."""
        function = self._program.function_of(node)
        if function is None or not isinstance(function.node, ast.AsyncFunctionDef) or function.parameters is None:
            return None
        told = ast.unparse(function.node.returns) if function.node.returns else ""
        for binding in module.bindings(box):
            if not isinstance(binding.value, ast.Dict) or binding.scope.node is not function.node:
                return None
            for load in module.loads(binding):
                parent = module.parents.get(load)
                stores = isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Store)
                if not stores and not isinstance(parent, ast.Return):
                    return None
        if not module.bindings(box) or re.search(r"Awaitable|Coroutine|Future|Task|Any", told):
            return None
        return Lost(node, f"put into `{box.id}`, which nobody awaits")

    def _attribute(self, module: Module, node: ast.expr, target: ast.Attribute, task: bool) -> Lost | None:
        if task or not target.attr.startswith("_"):
            return None
        read = any(target.attr in m.attributes for m in self._program.files.modules)
        return None if read else Lost(node, f"kept in `{target.attr}`, which nobody reads")

    def _name(self, module: Module, node: ast.expr, target: ast.Name, task: bool, inner: bool) -> Lost | None:
        binding = module.scopes.by_target.get(target)
        if binding is None or (binding.scope is module.scopes.module and self._program.function_of(target) is None):
            return None if binding is None or target.id != "_" else Lost(node, "dropped")
        if target.id in module.scopes.module.elsewhere or binding.scope.node is module.tree:
            return None
        loads = module.loads(binding)
        if not loads:
            return Lost(node, "dropped" if target.id == "_" else f"bound to `{target.id}`, which nobody reads")
        fates = [self.lost(load, task=task, inner=inner) for load in loads]
        return fates[0] if all(fates) else None

    def _boxed(self, module: Module, node: ast.expr, parent: ast.expr, task: bool) -> Lost | None:
        around = module.parents.get(parent)
        if isinstance(parent, ast.Tuple | ast.List) and isinstance(around, ast.Assign):
            number = next((n for n, e in enumerate(parent.elts) if e is node), None)
            for target in around.targets:
                if (
                    isinstance(target, ast.Tuple | ast.List)
                    and number is not None
                    and len(target.elts) == len(parent.elts)
                ):
                    its = target.elts[number]
                    return self._name(module, node, its, task, False) if isinstance(its, ast.Name) else None
        return self.lost(parent, task=task, inner=True)

    def _returned(self, node: ast.expr, task: bool, inner: bool) -> Lost | None:
        function = self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda):
            return None
        if inner:
            told = ast.unparse(function.node.returns) if function.node.returns else ""
            given = isinstance(node, ast.DictComp | ast.Dict) and isinstance(function.node, ast.AsyncFunctionDef)
            if task or re.search(r"Awaitable|Coroutine|Future|Task|Any", told):
                return None
            if not given:
                return self._of_callers(node, function)
            return Lost(node, "put into a dict, and returned to somebody who asks for results")
        callers = self._program.calls.callers(function)
        if isinstance(function.node, ast.FunctionDef):
            return None  # its calls make the coroutine, and are looked at themselves
        if task:
            return None
        told = ast.unparse(function.node.returns) if function.node.returns else ""
        if any(w in told for w in ("Awaitable", "Coroutine", "Callable", "Future", "Task")):
            return None
        if callers:
            fates = []
            for call in callers:
                parent = self._program.files.parent(call)
                fates.append(self.lost(parent) if isinstance(parent, ast.Await) else None)
            return Lost(node, "returned out of a coroutine, so that one `await` is too few") if all(fates) else None
        return Lost(node, "returned out of a coroutine, so that one `await` is too few")

    def _of_callers(self, node: ast.expr, function: Function) -> Lost | None:
        """Return the fate of a list that a coroutine function gives back, where every caller awaits no more than it."""
        calls = self._program.calls.callers(function) if isinstance(function.node, ast.AsyncFunctionDef) else []
        return Lost(node, "put into a list that nobody awaits") if calls and all(map(self._run_only, calls)) else None

    def _run_only(self, call: ast.Call) -> bool:
        """Return whether a coroutine is run and what it gives back is dropped or awaited by nobody."""
        one: ast.AST | None = self._program.files.parent(call)
        if isinstance(one, ast.Await):
            return self.lost(one, inner=True) is not None
        while isinstance(one, ast.Call) and self._program.names.names(one.func) & _RUNS:
            one = self._program.files.parent(one)
            one = self._program.files.parent(one) if isinstance(one, ast.Await) else one
        return isinstance(one, ast.Expr)

    def _given(self, module: Module, node: ast.expr, call: ast.Call, task: bool, inner: bool) -> Lost | None:
        if call.func is node:
            return None if task or inner else Lost(node, "called")
        names = self._program.names.names(call.func)
        method = self._program.calls.method(call)
        functions = [f for f in self._program.names.functions(call) if f.name != "__init__"]
        if functions:
            return self._into(node, call, functions, task, inner)
        if (
            names & {"list", "tuple", "set", "sorted", "reversed", "map", "filter", "enumerate", "zip", "iter"}
            and inner
        ):
            return self.lost(call, task=task, inner=True)
        if names & _LOOKS and not task:
            return Lost(node, f"given to {method}(), which awaits nothing")
        if not task and not inner and runs_functions(names, method, ast.unparse(call.func)) and call.args[:1] == [node]:
            return Lost(node, f"handed to {method}(), which wants the function and not its coroutine")
        receiver = self._program.calls.receiver(call)
        if method in ("append", "add", "appendleft", "extend") and isinstance(receiver, ast.Name):
            return self._collected(module, node, receiver, task)
        if method in ("append", "add", "appendleft") and isinstance(receiver, ast.Attribute) and not task:
            return self._hoarded(node, receiver)
        if method in ("debug", "info", "warning", "error", "exception") and not task:
            return Lost(node, f"given to {method}(), which awaits nothing")
        return None

    def _collected(self, module: Module, node: ast.expr, box: ast.Name, task: bool) -> Lost | None:
        """Return the fate of what is put into a list: that of the list, wherever it is used for more than adding."""
        bindings = module.bindings(box)
        if not bindings or any(isinstance(b.node, ast.arg) or b.scope.node is module.tree for b in bindings):
            return None
        loads: list[ast.Name] = []
        for binding in bindings:
            for load in module.loads(binding):
                parent = module.parents.get(load)
                adds = isinstance(parent, ast.Attribute) and parent.attr in (
                    "append",
                    "add",
                    "appendleft",
                    "clear",
                    "discard",
                )
                if not adds and load not in loads:
                    loads.append(load)
        fates = [self.lost(load, task=task, inner=True) for load in loads]
        if not fates:
            return Lost(node, f"put into `{box.id}`, which nobody awaits")
        return Lost(node, f"put into `{box.id}`, which nobody awaits") if all(fates) else None

    def _hoarded(self, node: ast.expr, box: ast.Attribute) -> Lost | None:
        """Return the fate of what is put into a private attribute, where all that reads it is of the artifact."""
        if not box.attr.startswith("_"):
            return None
        for module in self._program.files.modules:
            for load in module.attributes.get(box.attr, ()):
                if isinstance(load.ctx, ast.Load) and not self._only_kept(module, load):
                    return None
        return Lost(node, f"put into `{box.attr}`, which nobody awaits")

    def _only_kept(self, module: Module, load: ast.Attribute) -> bool:
        """Return whether one use of a box awaits nothing of what is in it."""
        parent = module.parents.get(load)
        match parent:
            case ast.Attribute():
                call = module.parents.get(parent)
                if not isinstance(call, ast.Call) or call.func is not parent:
                    return False
                if parent.attr in ("append", "add", "appendleft", "clear", "discard", "remove"):
                    return True
                if parent.attr in ("pop", "popleft", "get"):
                    return self.lost(call) is not None
                return parent.attr in ("values", "items", "copy") and self.lost(call, inner=True) is not None
            case ast.Subscript():
                return isinstance(parent.ctx, ast.Store | ast.Del) or self.lost(parent) is not None
            case ast.If() | ast.While() | ast.UnaryOp() | ast.Compare():
                return True
            case ast.Call() if isinstance(parent.func, ast.Name) and parent.func.id in ("len", "bool"):
                return True
        return self.lost(load, inner=True) is not None

    def _into(self, node: ast.expr, call: ast.Call, functions: list[Function], task: bool, inner: bool) -> Lost | None:
        fates: list[Lost | None] = []
        for function in functions:
            if any(not isinstance(function.node, ast.Lambda) and function.node.decorator_list for _ in (0,)):
                return None
            for parameter, values in self._program.calls.bind(call, function).items():
                if not any(v is node for v in values):
                    continue
                binding = function.module.scopes.by_target.get(parameter)
                loads = function.module.loads(binding) if binding else []
                if function.node.args.vararg is parameter or function.node.args.kwarg is parameter:
                    return None
                if not loads and not isinstance(function.node, ast.Lambda) and _stub(function.node):
                    return None
                if not loads:
                    fates.append(Lost(node, f"given to {function.name}(), which does not use it"))
                    continue
                inside = [self.lost(load, task=task, inner=inner) for load in loads]
                fates.append(inside[0] if all(inside) else None)
        found = [f for f in fates if f is not None]
        return (
            Lost(node, f"given to {functions[0].name}(), which never awaits it")
            if found and len(found) == len(fates)
            else None
        )


def _stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return all(
        isinstance(s, ast.Pass | ast.Raise) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in node.body
    )

"""Whether what a program does depends on a value: it is followed through names, tests, loops, boxes and helpers."""

from __future__ import annotations

import ast
import re

from squads.gates.failures.after import called, is_log
from squads.gates.failures.sources import Kind
from squads.gates.failures.telling import Telling
from squads.gates.failures.words import BEST_EFFORT
from squads.gates.python import Function, Module, Program
from squads.gates.secrets.words import words_of

_SEEN_MAX = 400
# What says nothing of how things went, of each kind of outcome.
_MUTE = {
    "command": frozenset(("stdout", "stderr", "args", "pid", "output")),
    "response": frozenset(("elapsed", "url", "headers", "request", "text", "encoding", "history", "cookies")),
}
_HANDED_ON = frozenset(
    ("len", "bool", "str", "repr", "isinstance", "type", "list", "tuple", "any", "all", "sum", "zip", "enumerate")
) | frozenset(("sorted", "set", "filter", "iter", "reversed", "next", "dict", "int", "min", "max"))
STATUS = re.compile(
    r"(?i)^(?:\w+_)?(?:status(?:es)?|ok|success\w*|errors?|fail\w*|return_?codes?|exit_?codes?|status_?codes?|code|outcomes?"
    r"|rejected|refused|accepted|unprocessed\w*|is_success|is_error|result|ack|acknowledged)$"
)


class Following:
    """Follows the values of one program, one at a time."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._telling = Telling(program)
        self._seen: set[ast.AST] = set()
        self._kind: Kind = "answer"
        self._carried: Function | None = None
        self._parsed = False
        self._slots: dict[int, bool] = {}
        self._source: ast.AST | None = None

    def _follow(self, node: ast.AST) -> bool:
        """Return whether what the program does depends on a value."""
        if node in self._seen or len(self._seen) > _SEEN_MAX:
            return False
        self._seen.add(node)
        module = self._program.files.module_of(node)
        parent = module.parents.get(node)
        match parent:
            case None | ast.Expr() | ast.Delete():
                return False
            case (
                ast.Await()
                | ast.Starred()
                | ast.Compare()
                | ast.BoolOp()
                | ast.UnaryOp()
                | ast.BinOp()
                | ast.JoinedStr()
                | ast.FormattedValue()
                | ast.List()
                | ast.Tuple()
                | ast.Set()
                | ast.Dict()
                | ast.ListComp()
                | ast.SetComp()
                | ast.GeneratorExp()
                | ast.DictComp()
            ):
                return self._follow(parent)
            case ast.keyword():
                around = module.parents.get(parent)
                return self._given(around, node) if isinstance(around, ast.Call) else True
            case ast.Assign() | ast.AnnAssign() | ast.NamedExpr():
                targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
                found = [self._target(module, t) for t in targets]
                return any(found) | (isinstance(parent, ast.NamedExpr) and self._follow(parent))
            case ast.withitem():
                return parent.optional_vars is not None and self._target(module, parent.optional_vars)
            case ast.Return():
                return self._returned(node)
            case ast.Attribute():
                return self._attribute(module, parent)
            case ast.Subscript():
                # What a table of futures holds for one of them is no outcome.
                table = self._kind == "future" and not isinstance(parent.slice, ast.Constant)
                return parent.value is node and not table and self._follow(parent)
            case ast.Call():
                return self._given(parent, node)
            case ast.IfExp():
                return parent.test is node or self._follow(parent)
            case ast.If() if isinstance(node, ast.Name) and self._is_whole(module, node):
                return False  # asked whether there is any, not how they went
            case ast.If():
                return self._telling.acts(parent.body, parent) or self._telling.acts(parent.orelse, parent)
            case ast.Match():
                return any(self._telling.acts(case.body, parent) for case in parent.cases)
            case ast.For() | ast.AsyncFor():
                return self._target(module, parent.target)
            case ast.comprehension():
                return self._comprehended(module, parent, node)
        return True

    def _is_whole(self, module: Module, node: ast.Name) -> bool:
        """Return whether a name holds all that was gathered or started, and not only what failed of it."""
        if self._kind not in ("gathered", "future", "process"):
            return False
        values = [b.value for b in module.bindings(node) if b.value is not None]
        bare = [v.value if isinstance(v, ast.Await) else v for v in values]
        return any(v is self._source or _started(v) for v in bare)

    def _comprehended(self, module: Module, parent: ast.comprehension, node: ast.AST) -> bool:
        whole = module.parents.get(parent)
        if whole is None or parent.iter is not node:
            return whole is None or self._follow(whole)
        read = [self._target(module, parent.target)]
        return any(read)

    def _target(self, module: Module, target: ast.expr) -> bool:
        if isinstance(target, ast.Starred):
            target = target.value
        if isinstance(target, ast.Tuple | ast.List):
            slots = self._slots
            if slots and len(target.elts) > max(slots) and not any(isinstance(e, ast.Starred) for e in target.elts):
                self._slots = {}
                asks = {True: self._target, False: self._tested}
                found = [asks[told](module, target.elts[n]) for n, told in slots.items()]
            else:
                found = [self._target(module, t) for t in target.elts]
            return any(found)
        if not isinstance(target, ast.Name):
            return True
        binding = module.scopes.by_target.get(target)
        if binding is None or binding.scope.node is module.tree:
            return binding is None or bool(module.loads(binding))
        # All of them are followed: one may lead out of the function.
        found = [self._follow(load) for load in module.loads(binding)]
        return any(found)

    def _tested(self, module: Module, target: ast.expr) -> bool:
        """Return whether a name is asked whether it holds anything."""
        binding = module.scopes.by_target.get(target)
        for load in module.loads(binding) if binding else ():
            node, parent = load, module.parents.get(load)
            while isinstance(parent, ast.Compare | ast.BoolOp | ast.UnaryOp):
                node, parent = parent, module.parents.get(parent)  # type: ignore[assignment]
            if isinstance(parent, ast.While | ast.Assert | ast.IfExp | ast.Match | ast.Return):
                return True
            if isinstance(parent, ast.If) and parent.test is node and self._follow(node):
                return True
        return False

    def _returned(self, node: ast.AST) -> bool:
        function = self._program.function_of(node)
        keys = [k for k in (key_of(n) for n in ast.walk(node)) if k]
        if function is not None and (not self._parsed or any(STATUS.match(k) for k in keys)):
            self._carried = function
        return function is None

    def _attribute(self, module: Module, node: ast.Attribute) -> bool:
        if node.attr in _MUTE.get(self._kind, ()):
            return False
        call = module.parents.get(node)
        if isinstance(call, ast.Call) and call.func is node:
            if self._kind == "response" and node.attr in ("json", "read", "text", "release", "close"):
                self._parsed = True
                return self._follow(call)
            if node.attr in (
                "startswith",
                "endswith",
                "get",
                "items",
                "values",
                "keys",
                "strip",
                "lower",
                "is_success",
            ):
                return self._follow(call)
            if self._kind in ("gathered", "future") and node.attr == "exception":
                return self._follow(call)
            silent = self._kind in ("gathered", "future") and node.attr in ("done", "cancelled", "append", "add")
            return self._kind != "process" and not silent
        return self._follow(node)

    def _given(self, call: ast.Call, node: ast.AST) -> bool:
        if call.func is node:
            return True
        name = called(call)
        if is_log(call):
            return False
        if name in ("wait", "as_completed") and self._kind in ("future", "gathered"):
            return self._follow(call)
        if isinstance(call.func, ast.Name) and name in _HANDED_ON:
            if name == "len" and self._kind in ("gathered", "future", "process"):
                return False
            return self._follow(call)
        adds = isinstance(call.func, ast.Attribute) and name in ("append", "add", "extend", "update")
        if adds and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            return self._telling.box_is_read(call.func.value, self._program.function_of(call))
        functions = [f for f in self._program.names.functions(call) if f.name != "__init__"]
        if not functions:
            return not BEST_EFFORT & set(words_of(ast.unparse(call.func))) or name in ("set",)
        read = []
        for function in functions:
            for parameter, values in self._program.calls.bind(call, function).items():
                if any(v is node for v in values):
                    binding = function.module.scopes.by_target.get(parameter)
                    loads = function.module.loads(binding) if binding else []
                    carried = self._carried
                    read += [self._follow(load) for load in loads]
                    if self._carried is not carried:
                        self._carried = carried
                        read.append(self._follow(call))
        return any(read)


def key_of(node: ast.AST) -> str:
    """Return which part of a value is read: the name of an attribute, the key of an item."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return ""


def _started(node: ast.expr) -> bool:
    return bool(re.search(r"create_task|ensure_future|\.submit\(", ast.unparse(node)))

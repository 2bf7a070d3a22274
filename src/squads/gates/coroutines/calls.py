"""Which calls of a program make a coroutine, and which functions give one back without being `async` themselves."""

from __future__ import annotations

import ast
import re
from typing import Literal

from squads.gates.coroutines.dynamic import Dynamic
from squads.gates.coroutines.libraries import makes_coroutine, makes_task, may_be_coroutine
from squads.gates.coroutines.typed import Typed
from squads.gates.python import Class, Function, Instance, Module, Program
from squads.gates.python.bindings import EACH
from squads.gates.words import word_set

Made = Literal["coroutine", "generator", "task"]

_KEEPS = word_set(
    "wraps staticmethod classmethod abstractmethod override final overload retry on_exception on_predicate get "
    "post put "
    "delete patch route websocket fixture trace traced instrument timed log_calls logged cached alru_cache "
    "validate_call "
    "typechecked deprecated on_event middleware exception_handler listener subscriber handler event listens_for "
    "command "
    "api_route head options measure rate_limit require_role transactional atomic tool resource hook on subscribe "
    "register"
)
_SYNC = re.compile(
    r"\basyncio\.run\(|run_until_complete\(|anyio\.run\(|async_to_sync\(|run_coroutine_threadsafe\(|run_sync\("
)
_PUT_IN = re.compile(r"(?:^|\.)(?:Depends|Security|Provide|Inject|FromDishka|Resource)(?:\(\)|\[\])")
# Method names so common that a receiver of unknown type may well be something else.
_COMMON = word_set(
    "get set put read write close open send run start stop execute fetch add remove delete update create call post "
    "next "
    "connect wait join acquire release append pop save load flush commit rollback list find search append __call__"
) | {name for kind in (list, dict, str, set, bytes, int) for name in dir(kind)}


class Makers:
    """Answers what calls of one program make."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._dynamic = Dynamic(program)
        self._typed = Typed(program)
        self.handed_at: dict[ast.Call, list[ast.expr]] = {}
        """Where what a call runs was handed over, if that is elsewhere."""
        self._known: dict[Function, Made | None] = {}
        self._asking: list[Function] = []
        self._methods: dict[str, list[Function]] | None = None
        self._awaited: dict[tuple[Module, str], set[str]] = {}

    def made(self, call: ast.Call) -> tuple[Made | None, str]:
        """Return what a call makes, and how what it calls is named; None where it may be something else."""
        functions = self.functions(call)
        if functions:
            kinds = {self._bare(f) if self._inside_decorator(call, f) else self.of(f) for f in functions}
            if len(kinds) == 1:
                return kinds.pop(), min(f.name for f in functions)
            return None, ""
        if self._dynamic.promised(call.func) or self._dropped_promise(call):
            return "coroutine", ast.unparse(call.func)
        # What a framework puts in for a parameter is of the type that the parameter is annotated with.
        names = {n for n in self._program.names.names(call.func) if not _PUT_IN.search(n)}
        if names and all(makes_coroutine(n) for n in names):
            return "coroutine", sorted(names)[0].replace("()", "")
        if any(makes_task(n) for n in names) or self._loop_task(call):
            return "task", "create_task"
        if isinstance(call.func, ast.Attribute) and may_be_coroutine(call.func.attr):
            owners = self._typed.names(call.func.value)
            if owners and all(makes_coroutine(f"{n}.{call.func.attr}") for n in owners):
                return "coroutine", f"{sorted(owners)[0].replace('()', '')}.{call.func.attr}"
        return None, ""

    def functions(self, call: ast.Call) -> list[Function]:
        """Return the functions of the artifact that a call may run, also through a parameter or a list of handlers."""
        things = self._program.names.things(call.func)
        found = [t for t in things if isinstance(t, Function)]
        found += [
            m for t in things if isinstance(t, Instance)
            for m in self._program.names.member(t.made_by, "__call__") if isinstance(m, Function)
        ]  # fmt: skip
        if any(isinstance(t, Class) for t in things):
            return []
        if found:
            return found + [o for f in found for o in self._overriding(f)]
        named = self._dynamic.functions(call.func)
        if named:
            return named
        if isinstance(call.func, ast.Name):
            return self._handed(call.func)
        if isinstance(call.func, ast.Attribute) and not things:
            return self._by_method(call, call.func)
        return []

    def _dropped_promise(self, call: ast.Call) -> bool:
        """Return whether what may be a coroutine by its annotation is dropped, and nobody asks what it is."""
        if not isinstance(self._program.files.parent(call), ast.Expr):
            return False
        return self.may_promise(call.func)

    def may_promise(self, node: ast.expr) -> bool:
        """Return whether calling what is annotated may make a coroutine, in a function that never asks."""
        around = self._program.function_of(node)
        if around is None or not self._dynamic.promised(node, perhaps=True):
            return False
        while around is not None and not _looks(around):
            around = self._program.function_of(around.node)
        return around is None

    def named(self, node: ast.expr) -> Function | None:
        """Return the function of the artifact that an expression names, where calling it makes a coroutine."""
        found = [t for t in self._program.names.things(node) if isinstance(t, Function)]
        if found and all(self.of(f) == "coroutine" for f in found):
            return found[0]
        return None

    def of(self, function: Function) -> Made | None:
        """Return what calling a function makes."""
        if function not in self._known:
            if function in self._asking or len(self._asking) > 12:
                return None
            self._asking.append(function)
            self._known[function] = self._of(function)
            self._asking.pop()
        return self._known[function]

    def is_property(self, function: Function) -> bool:
        """Return whether reading an attribute runs it."""
        return not isinstance(function.node, ast.Lambda) and any(
            ast.unparse(d).rsplit(".", 1)[-1] in ("property", "cached_property") for d in function.node.decorator_list
        )

    def _of(self, function: Function) -> Made | None:
        node = function.node
        if isinstance(node, ast.Lambda):
            return self._returned([node.body])
        if not all(self._keeps(d) for d in node.decorator_list):
            return None
        yields = any(isinstance(n, ast.Yield | ast.YieldFrom) for n in _own(node))
        if isinstance(node, ast.AsyncFunctionDef):
            return "generator" if yields else "coroutine"
        if yields or self.is_property(function):
            return None
        return self._returned(function.returns)

    def _returned(self, values: list[ast.expr]) -> Made | None:
        kinds: set[Made | None] = set()
        for value in values:
            kind = self.made(value)[0] if isinstance(value, ast.Call) else None
            if isinstance(value, ast.Name):
                origins = self._program.values.bindings(value)
                held = [b.value for b in origins if b.value is not None and not b.path]
                if len(origins) == len(held) == 1 and isinstance(held[0], ast.Call):
                    kind = self.made(held[0])[0]
            kinds.add(kind)
        return kinds.pop() if len(kinds) == 1 and kinds & {"coroutine"} else None

    def _inside_decorator(self, call: ast.Call, function: Function) -> bool:
        """Return whether a call is made in the decorator of a function, where it is not decorated yet."""
        if isinstance(function.node, ast.Lambda) or not function.node.decorator_list:
            return False
        around = self._program.function_of(call)
        while around is not None:
            if around.name in {n for d in function.node.decorator_list for n in re.findall(r"\w+", ast.unparse(d))}:
                return True
            around = self._program.function_of(around.node)
        return False

    @staticmethod
    def _bare(function: Function) -> Made | None:
        if not isinstance(function.node, ast.AsyncFunctionDef):
            return None
        return "generator" if any(isinstance(n, ast.Yield) for n in _own(function.node)) else "coroutine"

    def _keeps(self, decorator: ast.expr) -> bool:
        """Return whether a decorated coroutine function still makes a coroutine when it is called."""
        callee = decorator.func if isinstance(decorator, ast.Call) else decorator
        mine = [t for t in self._program.names.things(callee) if isinstance(t, Function)]
        if mine:
            return all(self._wraps_async(f) for f in mine)
        return ast.unparse(callee).rsplit(".", 1)[-1] in _KEEPS | {"property", "cached_property"}

    def _wraps_async(self, decorator: Function) -> bool:
        node = decorator.node
        if isinstance(node, ast.Lambda) or _SYNC.search(ast.unparse(node)):
            return False
        inner = [n for n in ast.walk(node) if isinstance(n, ast.AsyncFunctionDef)]
        defined = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef) and n is not node]
        first = decorator.parameters[0].arg if decorator.parameters else ""
        given_back = any(isinstance(r, ast.Name) and r.id == first for r in decorator.returns)
        # A plain wrapper that returns what it called gives back the coroutine too.
        hands_on = any(
            isinstance(s, ast.Return) and isinstance(s.value, ast.Call) for d in defined for s in ast.walk(d)
        )
        return bool(inner) or given_back or hands_on

    def _overriding(self, function: Function) -> list[Function]:
        """Return the methods of the artifact that stand in for an abstract one; only those that are coroutines."""
        if function.owner is None or isinstance(function.node, ast.AsyncFunctionDef | ast.Lambda):
            return []
        body = [s for s in function.node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        abstract = all(isinstance(s, ast.Pass | ast.Raise) for s in body)
        if not abstract and any(isinstance(s, ast.Return) for s in ast.walk(function.node)):
            return []
        return [
            other
            for other in self._all_methods().get(function.name, [])
            if other.owner not in (None, function.owner) and function.owner in self._program.names.family(other.owner)
            and isinstance(other.node, ast.AsyncFunctionDef)
        ] if abstract else []  # fmt: skip

    def _all_methods(self) -> dict[str, list[Function]]:
        if self._methods is None:
            self._methods = {}
            for module in self._program.files.modules:
                for function in module.functions.values():
                    if function.owner is not None:
                        self._methods.setdefault(function.name, []).append(function)
                for call in module.calls:
                    if isinstance(call.func, ast.Attribute) and isinstance(module.parents.get(call), ast.Await):
                        self._awaited.setdefault((module, call.func.attr), set()).add(ast.unparse(call.func.value))
        return self._methods

    def _by_method(self, call: ast.Call, function: ast.Attribute) -> list[Function]:
        """Return the one method that a receiver of unknown type can only mean: all of that name are coroutines."""
        found = self._all_methods().get(function.attr, [])
        if not found or any(self.of(f) != "coroutine" for f in found):
            return []
        if self._external(function.value):
            return []
        here = (self._program.files.module_of(call), function.attr)
        # A change shows part of a program: a method called by one plain word may be that of a class which is not shown.
        receiver = ast.unparse(function.value)
        if receiver in self._awaited.get(here, set()):
            return found[:1]
        plain = "_" not in function.attr.strip("_")
        if function.attr in _COMMON or (plain and not _called_as(receiver, found)):
            return []
        return found[:1]

    def _external(self, receiver: ast.expr) -> bool:
        """Return whether a receiver is made here by something that is not of the artifact."""
        return any(
            isinstance(o, ast.Call | ast.Constant | ast.Dict | ast.List) for o in self._program.values.origins(receiver)
        ) and not self._program.names.things(receiver)

    def _handed(self, name: ast.Name) -> list[Function]:
        """Return the functions that callers hand in under a parameter's name, or that a list of handlers holds."""
        found: list[Function] = []
        for binding in self._program.files.module_of(name).bindings(name):
            if isinstance(binding.node, ast.arg):
                around = self._program.function_of(binding.node)
                if around is None or _looks(around):
                    return []
                found += self._decorated(around, binding.node)
                for call in self._program.calls.callers(around):
                    for value in self._program.calls.bind(call, around).get(binding.node, ()):
                        handed = [t for t in self._program.names.things(value) if isinstance(t, Function)]
                        self._note(name, value, handed)
                        found += handed
            elif binding.path == (EACH,) and binding.value is not None:
                around = self._program.function_of(name)
                if around is not None and _looks(around):
                    return []
                for element in self._elements(binding.value):
                    handed = [t for t in self._program.names.things(element) if isinstance(t, Function)]
                    self._note(name, element, handed)
                    found += handed
        return found

    def _note(self, name: ast.Name, value: ast.expr, handed: list[Function]) -> None:
        call = self._program.files.parent(name)
        if handed and isinstance(call, ast.Call):
            self.handed_at.setdefault(call, []).append(value)

    def _decorated(self, decorator: Function, parameter: ast.arg) -> list[Function]:
        """Return the functions that a decorator is put on, where a parameter takes what it decorates."""
        if decorator.parameters[:1] != [parameter]:
            return []
        names = {decorator.name}
        outer = self._program.function_of(decorator.node)
        if outer is not None:
            names.add(outer.name)
        found = []
        for module in self._program.files.modules:
            for function in module.functions.values():
                node = function.node
                for mark in [] if isinstance(node, ast.Lambda) else node.decorator_list:
                    callee = mark.func if isinstance(mark, ast.Call) else mark
                    if ast.unparse(callee).rsplit(".", 1)[-1] not in names:
                        continue
                    if self._program.names.things(callee) & {decorator, outer}:
                        found.append(function)
        return found

    def _elements(self, box: ast.expr) -> list[ast.expr]:
        """Return what a list holds, also where it is kept in an attribute that methods append to."""
        found = list(self._program.values.elements(box).known)
        if isinstance(box, ast.Attribute):
            for module in self._program.files.modules:
                for load in module.attributes.get(box.attr, ()):
                    parent = module.parents.get(load)
                    call = module.parents.get(parent) if isinstance(parent, ast.Attribute) else None
                    if (
                        isinstance(call, ast.Call)
                        and isinstance(parent, ast.Attribute)
                        and parent.attr in ("append", "add")
                    ):
                        for value in call.args:
                            found += self._program.values.origins(value)
        return found

    def _loop_task(self, call: ast.Call) -> bool:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        return (
            isinstance(call.func, ast.Attribute)
            and call.func.attr == "create_task"
            and isinstance(receiver, ast.Name | ast.Attribute)
            and re.search(r"loop$", ast.unparse(receiver)) is not None
        )


def _called_as(receiver: str, methods: list[Function]) -> bool:
    """Return whether a receiver is called as the class of one of these methods, such as `self._mailer` for `Mailer`."""
    word = receiver.rsplit(".", 1)[-1].strip("_").replace("_", "").lower()
    owners = {m.owner.node.name.lower() for m in methods if m.owner is not None}
    return len(word) > 2 and any(word in owner or owner in word for owner in owners)


def _own(node: ast.AST) -> list[ast.AST]:
    """Return the nodes of a function, those of inner functions left out."""
    found: list[ast.AST] = []
    waiting = list(ast.iter_child_nodes(node))
    while waiting:
        one = waiting.pop()
        found.append(one)
        if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(one))
    return found


def _looks(function: Function) -> bool:
    """Return whether a function asks whether what it is given must be awaited."""
    return (
        re.search(
            r"isawaitable|iscoroutine|is_async|is_coro|ensure_future|create_task|async_to_sync",
            ast.unparse(function.node),
        )
        is not None
    )

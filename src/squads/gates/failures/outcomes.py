"""Outcomes: values that say whether something failed, and whether anybody asks them before success is said.

An outcome is a command's return code, a response, what `gather` or a pool kept, an answer of the artifact's own
functions that may be `False`. It is followed from where it is made through names, tests, loops and helpers. It was
looked at where what the program does depends on it; a log line depends on it, and does nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.failures.after import After, Said, answers_shell, called, statements
from squads.gates.failures.beside import claims_of, plain
from squads.gates.failures.following import STATUS, Following, key_of
from squads.gates.failures.played import Played
from squads.gates.failures.sources import MAILS, READS, Kind, Sources, interesting
from squads.gates.python import Function, Module, Program

_RUNNERS = ("run", "start_soon", "to_thread", "run_sync", "start")
"""Whoever is given a function and runs it; what fails in it is raised, what it answers may be lost."""
_ANSWERS = frozenset(
    ("anyio.run", "trio.run", "asyncio.to_thread", "anyio.to_thread.run_sync", "trio.to_thread.run_sync")
)
"""Those of them that answer what the function answered."""
_CALLERS_MAX = 40
_ROUNDS_MAX = 3


def called_as(receiver: str, methods: list[Function]) -> bool:
    """Return whether a receiver is called as the class of one of these methods, such as `self._mailer` for `Mailer`."""
    word = receiver.rsplit(".", 1)[-1].strip("_").replace("_", "").lower()
    owners = {m.owner.node.name.lower() for m in methods if m.owner is not None}
    return len(word) > 2 and any(word in owner or owner in word for owner in owners)


class Outcomes(Following):
    """Follows the outcomes of one program."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._after = After(program)
        self._sources = Sources(program)
        self._played = Played(program)
        self._carriers: dict[Function, Kind] = {}
        self.softened: dict[Function, ast.ExceptHandler] = {}
        self._methods: dict[str, list[Function]] | None = None
        self._run: dict[ast.Call, list[Function]] = {}
        self._named: dict[str, list[ast.Call]] = {}
        self._indexed = 0
        self._all: dict[Module, list[tuple[ast.Call, Kind, Said]]] | None = None

    def modules(self) -> list[Module]:
        """Return the modules in which outcomes may be made."""
        return list(self._read())

    def unseen(self, module: Module) -> list[tuple[ast.Call, Kind, Said]]:
        """Return the outcomes made in a module that nobody looks at, with the success that is said all the same."""
        return self._read().get(module, [])

    def _read(self) -> dict[Module, list[tuple[ast.Call, Kind, Said]]]:
        if self._all is None:
            self._all = {}
            texts = self._program.files.texts()
            modules = [self._program.files.module(p) for p, content in texts if interesting(content)]
            self._carry(modules)
            more = self._mentioning(texts, modules)
            if more:
                modules += more
                self._carry(modules)
            for one in modules:
                self._all[one] = list(self._lost(one))
        return self._all

    def _mentioning(self, texts: list[tuple[str, bytes]], modules: list[Module]) -> list[Module]:
        """Return the modules that mention a function whose answer says whether it worked, and were not read yet."""
        words = {re.escape(f.name.encode()) for f in self._carriers if not f.name.startswith("__")}
        if not words:
            return []
        pattern, read = re.compile(rb"\b(?:" + b"|".join(sorted(words)) + rb")\("), {m.path for m in modules}
        return [self._program.files.module(p) for p, content in texts if p not in read and pattern.search(content)]

    def kind_of(self, call: ast.Call) -> Kind | None:
        """Return what kind of outcome a call makes; None where it makes none."""
        kind = self._sources.kind(call)
        if kind is not None:
            return kind
        for function in self.functions(call):
            if function in self._carriers:
                return self._carriers[function]
        return None

    def functions(self, call: ast.Call) -> list[Function]:
        """Return what a call runs; a method of something unknown is the only one of the artifact that has its name."""
        if call not in self._run:
            self._run[call] = self._functions(call)
        return self._run[call]

    def _functions(self, call: ast.Call) -> list[Function]:
        found = self._program.names.functions(call)
        if not found and called(call) in _RUNNERS and self._program.names.names(call.func) & _ANSWERS:
            return self._handed(call)
        if found or not isinstance(call.func, ast.Attribute) or self._program.names.things(call.func):
            return found
        if self._methods is None:
            self._methods = {}
            for module in self._program.files.modules:
                for function in module.functions.values():
                    if function.owner is not None:
                        self._methods.setdefault(function.name, []).append(function)
        named = self._methods.get(call.func.attr, [])
        plain = "_" in call.func.attr.strip("_") or called_as(ast.unparse(call.func.value), named)
        return named if len(named) == 1 and plain and not hasattr(dict, call.func.attr) else []

    def _callers(self, function: Function) -> list[ast.Call]:
        found = list(self._program.calls.callers(function))
        for runner in _RUNNERS:
            found += [c for c in self._calls_named(runner) if function in self._handed(c)]
        if function.owner is not None:
            found += [c for c in self._calls_named(function.name) if c not in found and function in self.functions(c)]
        return found[:_CALLERS_MAX]

    def _handed(self, call: ast.Call) -> list[Function]:
        """Return the functions that a call is given to run them: `group.start_soon(push, boat)`."""
        return [t for a in call.args[:2] for t in self._program.names.things(a) if isinstance(t, Function)]

    def _calls_named(self, name: str) -> list[ast.Call]:
        """Return the calls of something called `name` in all files that were parsed so far."""
        modules = self._program.files.modules
        for module in modules[self._indexed :]:
            for call in module.calls:
                self._named.setdefault(called(call), []).append(call)
        self._indexed = len(modules)
        return list(self._named.get(name, ()))

    def _carry(self, modules: list[Module]) -> None:
        """Find the functions that hand outcomes on to their callers, also through each other."""
        for module in modules:
            for function in module.functions.values():
                handler = self._sources.softened(function)
                if handler is not None:
                    self.softened[function] = handler
                if handler is not None or self._sources.answers(function):
                    self._carriers[function] = "answer"
        for _ in range(_ROUNDS_MAX):
            before = len(self._carriers)
            for module in modules:
                for call in module.calls:
                    kind = self.kind_of(call)
                    around = self._program.function_of(call)
                    if kind is None or around is None or around in self._carriers:
                        continue
                    acted = self._acted(call, kind)
                    if self._carried is not None and (not acted or self._parsed):
                        self._carriers.setdefault(self._carried, kind)
            if len(self._carriers) == before:
                return

    def _lost(self, module: Module) -> Iterator[tuple[ast.Call, Kind, Said]]:
        for call in module.calls:
            kind = self.kind_of(call)
            if kind is None:
                continue
            ended = self._played.outcome(call, kind)
            if ended is not None and ended.said.how == "success" and not _is_of_all(call, kind, ended.said):
                yield call, kind, ended.said
                continue
            if self._looked_at(call, kind):
                continue
            if kind == "command" and called(call) in ("wait", "communicate") and self._asked_elsewhere(call):
                continue
            said = self._claimed(call, kind)
            if said is not None and not _is_of_all(call, kind, said):
                yield call, kind, said

    def told(self, module: Module, node: ast.Assign) -> Said | None:
        """Return the success that is said after a call whose answer has a status, and only a log gets that."""
        target, call = node.targets[0], node.value.value if isinstance(node.value, ast.Await) else node.value
        if not isinstance(target, ast.Name) or not isinstance(call, ast.Call) or self.kind_of(call) is not None:
            return None
        binding = module.scopes.by_target.get(target)
        holders = [module.parents.get(load) for load in module.loads(binding)] if binding else []
        asked = [h for h in holders if isinstance(h, ast.Attribute | ast.Subscript) and STATUS.match(key_of(h))]
        whole = [h for h in holders if not isinstance(h, ast.Attribute | ast.Subscript)]
        if not asked or whole or len(module.bindings(target) or [binding]) > 1:
            return None
        self._kind, self._carried, self._slots, self._source = "answer", None, {}, call
        for one in asked:
            self._seen.clear()
            if self._follow(one) or self._carried is not None:
                return None
        statement: ast.stmt = node
        near, far = self._after.rest(statement)
        said = self._after.said([*near, *far], set())
        return said if said.how == "success" else None

    def _asked_elsewhere(self, call: ast.Call) -> bool:
        """Return whether the process that a call waits for is asked for its return code."""
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        around = self._program.function_of(call)
        if receiver is None or around is None:
            return True
        for node in statements([around.node]) if isinstance(around.node, ast.Lambda) else statements(around.node.body):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in READS
                and ast.unparse(node.value) == ast.unparse(receiver)
            ):
                self._seen.clear()
                if self._follow(node):
                    return True
        return False

    # What becomes of it

    def _looked_at(self, node: ast.expr, kind: Kind) -> bool:
        """Return whether somebody looks at an outcome, or it is handed on to the callers."""
        return self._acted(node, kind) or self._carried is not None

    def _acted(self, node: ast.expr, kind: Kind) -> bool:
        """Return whether a function itself does something that depends on an outcome."""
        self._seen.clear()
        self._source = node
        self._kind = kind
        self._carried = None
        self._parsed = False
        self._slots = {}
        if kind == "future" and isinstance(node, ast.Call) and called(node) == "map":
            # Whoever goes through what `map` gives back meets what was raised.
            return not isinstance(self._program.files.parent(node), ast.Expr)
        if isinstance(node, ast.Call) and called(node) == "wait" and kind == "gathered":
            self._slots = {0: True}  # what is still running did not fail
        for function in self.functions(node) if isinstance(node, ast.Call) else ():
            self._slots |= self._sources.slots(function)
        found = [self._follow(node)]
        if isinstance(node, ast.Call) and called(node) == "wait" and kind == "gathered":
            # The failures are in what is waited for.
            module = self._program.files.module_of(node)
            for name in (n for a in node.args[:1] for n in ast.walk(a) if isinstance(n, ast.Name)):
                found += [self._follow(load) for b in module.bindings(name) for load in module.loads(b)]
        return any(found)

    # What is said all the same

    def _statement(self, node: ast.AST) -> ast.stmt | None:
        parent = self._program.files.parent(node)
        while parent is not None and not isinstance(parent, ast.stmt):
            parent = self._program.files.parent(parent)
        return parent

    def _claimed(self, call: ast.Call, kind: Kind, depth: int = 0) -> Said | None:
        """Return the success that is said after a call, in its function or by those who call that."""
        statement = self._statement(call)
        function = self._program.function_of(call)
        if statement is None:
            return None
        near, far = self._after.rest(statement)
        inner = statement.body if isinstance(statement, ast.With | ast.AsyncWith) else []
        said = self._after.said([*inner, *near, *far], set(), exit_code=answers_shell(function))
        erases = "ignore_errors" in ast.unparse(call) and not re.search(r"(?i)eras|delet|remov|purg|wip", said.what)
        if kind == "switched" and erases:
            return None
        counted = kind == "answer" and (isinstance(said.node, ast.AugAssign) or said.what.startswith("puts "))
        if said.how == "success" and not counted:
            return said
        if kind in ("gathered", "future", "process") and said.how == "value":
            return said
        # A function that hands nothing on leaves its callers to believe that all went well.
        if function is None or depth >= 2:
            return None
        for other in self._callers(function):
            claimed = self._claimed(other, kind, depth + 1)
            if claimed is not None and claimed.how == "success" and claims_of(function, claimed):
                return claimed
        return said if said.how == "value" and kind == "command" and not self._printed(call) else None

    def _printed(self, call: ast.Call) -> bool:
        """Return whether what a command printed is used."""
        around = self._program.function_of(call)
        if around is None or isinstance(around.node, ast.Lambda):
            return True
        if called(call) in ("communicate", "wait"):
            return True
        return any(
            isinstance(n, ast.Attribute)
            and n.attr in ("stdout", "output")
            and isinstance(n.ctx, ast.Load)
            and ast.unparse(n.value) not in ("self", "sys")
            for n in statements(around.node.body)
        )


def _is_of_all(call: ast.Call, kind: Kind, said: Said) -> bool:
    """Return whether a mail went to several people, and a bare `True` only says that it went out."""
    return kind == "batch" and called(call) in MAILS and plain(said)

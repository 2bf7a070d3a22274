"""Calls: which argument fills which parameter, and who calls a function of the artifact."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from squads.gates.python.files import Files
from squads.gates.python.module import Class, Function, Instance, Module
from squads.gates.python.names import Names

# Dicts that spread dicts that spread dicts: past this depth nobody reads what a call is given.
_SPREADS_MAX = 8
_CLIENTS = re.compile(r"^(httpx|requests|aiohttp|urllib3|niquests|httplib2|treq)\b")
_REQUEST_WORDS = frozenset(("timeout", "headers", "params", "verify", "follow_redirects", "allow_redirects", "ssl"))
_ANSWER_WORDS = frozenset(("json", "text", "content", "raise_for_status", "status_code"))


@dataclass(slots=True)
class Arguments:
    """What a call hands over, with `functools.partial` and `**{...}` unfolded."""

    positional: list[ast.expr] = field(default_factory=list)
    keywords: dict[str, ast.expr] = field(default_factory=dict)
    more: list[ast.expr] = field(default_factory=list)
    """`*rest` and `**rest` that could not be unfolded: anything may be in them."""

    def get(self, position: int | None, *names: str) -> ast.expr | None:
        """Return the argument at `position` (from 0) or under one of `names`."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        return None

    @property
    def every(self) -> list[ast.expr]:
        """All of them, in no order that matters."""
        return [*self.positional, *self.keywords.values(), *self.more]


class Calls:
    """Answers about the calls of one program."""

    def __init__(self, files: Files, names: Names) -> None:
        self.files = files
        self.names = names
        self._arguments: dict[ast.Call, Arguments] = {}
        self._callers: dict[Function, list[ast.Call]] = {}
        self._calls: dict[Module, dict[Function, list[ast.Call]]] = {}
        self._mentioned: dict[tuple[str, str], list[Module]] = {}
        self._living: dict[str, list[tuple[str, bytes]]] = {}

    def arguments(self, call: ast.Call) -> Arguments:
        """Return what `call` hands over."""
        if call not in self._arguments:
            found = self._arguments[call] = Arguments()
            for earlier in self._partials(call.func, 0):
                self._add(found, earlier.args[1:], earlier.keywords)
            self._add(found, call.args, call.keywords)
        return self._arguments[call]

    def method(self, call: ast.Call) -> str:
        """Return the last word of what is called: `split` of `token.split()`."""
        function = call.func
        if isinstance(function, ast.Attribute):
            return function.attr
        return function.id if isinstance(function, ast.Name) else ""

    def receiver(self, call: ast.Call) -> ast.expr | None:
        """Return the object before the dot."""
        return call.func.value if isinstance(call.func, ast.Attribute) else None

    def subject(self, call: ast.Call) -> ast.expr | None:
        """Return the object that a method is called on; None where what stands before the dot is a module or class."""
        receiver = self.receiver(call)
        if receiver is None or any(isinstance(t, Module | Class) for t in self.names.things(receiver)):
            return None
        names = self.names.names(receiver)
        return receiver if not names or any(n.endswith((")", "]")) or "()." in n for n in names) else None

    def fetches(self, call: ast.Call) -> bool:
        """Return whether `call` is a `get` that goes to a place, as a client of HTTP does, and no look into a dict."""
        if any(_CLIENTS.search(n) for n in self.names.names(call.func)) or self._answered(call):
            return True
        return any(k.arg in _REQUEST_WORDS for k in call.keywords)

    def _answered(self, call: ast.Call) -> bool:
        """Return whether what comes back is awaited, entered or read as an answer."""
        parent = self.files.parent(call)
        if isinstance(parent, ast.Attribute):
            return parent.attr in _ANSWER_WORDS
        return isinstance(parent, ast.Await | ast.withitem)

    def bind(self, call: ast.Call, function: Function) -> dict[ast.arg, list[ast.expr]]:
        """Return which expressions of `call` fill which parameters of `function`; defaults are not in it."""
        arguments = self.arguments(call)
        parameters = function.parameters
        if function.bound and not self._unbound(call):
            parameters = parameters[1:]
        bound: dict[ast.arg, list[ast.expr]] = {}
        for parameter, value in zip(parameters, arguments.positional, strict=False):
            bound[parameter] = [value]
        if function.node.args.vararg and len(arguments.positional) > len(parameters):
            bound[function.node.args.vararg] = arguments.positional[len(parameters) :]
        by_name = {p.arg: p for p in [*parameters, *function.node.args.kwonlyargs]}
        for name, value in arguments.keywords.items():
            if name in by_name:
                bound.setdefault(by_name[name], []).append(value)
            elif function.node.args.kwarg:
                bound.setdefault(function.node.args.kwarg, []).append(value)
        for value in arguments.more:
            for parameter in by_name.values():
                if parameter not in bound:
                    bound[parameter] = [value]
        return bound

    def callers(self, function: Function) -> list[ast.Call]:
        """Return the artifact's calls of `function`. Only files that mention it and its module are read."""
        if function not in self._callers:
            found: list[ast.Call] = []
            self._callers[function] = found
            owner = function.owner.node.name if function.owner else ""
            word = owner if function.name in ("__init__", "__call__") else function.name
            for module in self._near(function, word):
                found += self._called(module).get(function, ())
        return self._callers[function]

    def _called(self, module: Module) -> dict[Function, list[ast.Call]]:
        """Return what a module calls, gone through once: a thousand files may call a thousand functions of one name."""
        if module not in self._calls:
            called = self._calls[module] = {}
            for call in module.calls:
                for function in dict.fromkeys(self.names.functions(call)):
                    called.setdefault(function, []).append(call)
        return self._calls[module]

    def mapped(self, function: Function) -> list[ast.Call]:
        """Return the calls of `map(function, values)` in the file of `function`."""
        found = []
        for call in function.module.calls:
            maps = isinstance(call.func, ast.Name) and call.func.id == "map" and len(call.args) == 2
            if maps and function in self.names.things(call.args[0]):
                found.append(call)
        return found

    def _near(self, function: Function, word: str) -> list[Module]:
        """Return the modules that may call by `word`: the function's own, and those that mention where it lives."""
        home = function.module
        stem = home.path.rsplit("/", 1)[-1].partition(".")[0]
        stem = home.folder.rsplit("/", 1)[-1] if stem == "__init__" else stem
        if not word:
            return [home]
        if (word, stem) not in self._mentioned:
            # Thousands of functions share a few names; going through every file is done once for each.
            called, lives = word.encode(), stem.encode()
            if stem not in self._living:
                self._living[stem] = [(path, content) for path, content in self.files.texts() if lives in content]
            near = [path for path, content in self._living[stem] if called in content]
            self._mentioned[word, stem] = [self.files.module(path) for path in near]
        return [home, *(m for m in self._mentioned[word, stem] if m is not home)]

    def _add(self, to: Arguments, positional: list[ast.expr], keywords: list[ast.keyword]) -> None:
        for value in positional:
            if not isinstance(value, ast.Starred):
                to.positional.append(value)
            elif isinstance(value.value, ast.Tuple | ast.List):
                to.positional += value.value.elts
            else:
                to.more.append(value.value)
        for word in keywords:
            if word.arg is not None:
                to.keywords[word.arg] = word.value
                continue
            display = self._display(word.value)
            if display is None:
                to.more.append(word.value)
                continue
            for key, value in display.items():
                to.keywords[key] = value

    def _display(self, node: ast.expr, depth: int = 0) -> dict[str, ast.expr] | None:
        """Return the entries of a dict that is written where the name is bound, None where it is not that plain."""
        if depth > _SPREADS_MAX:
            return None
        if isinstance(node, ast.Name):
            bindings = self.files.module_of(node).bindings(node)
            if len(bindings) != 1 or bindings[0].path or bindings[0].value is None:
                return None
            entries = self._display(bindings[0].value, depth + 1)
            for store in bindings[0].stores:
                if entries is None or not isinstance(store.key, ast.Constant) or store.method:
                    return None
                entries[str(store.key.value)] = store.value
            return entries
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args:
            return {k.arg: k.value for k in node.keywords if k.arg}
        if not isinstance(node, ast.Dict):
            return None
        found: dict[str, ast.expr] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                inner = self._display(value, depth + 1)
                if inner is None:
                    return None
                found |= inner
            elif isinstance(key, ast.Constant):
                found[str(key.value)] = value
            else:
                return None
        return found

    def _partials(self, function: ast.expr, depth: int) -> list[ast.Call]:
        """Return the `partial(...)` calls behind what is called."""
        if depth > 4:
            return []
        if isinstance(function, ast.Call) and "functools.partial" in self.names.names(function.func) and function.args:
            return [*self._partials(function.args[0], depth + 1), function]
        if isinstance(function, ast.Call) and self.names.names(function.func) & {"staticmethod", "classmethod"}:
            return self._partials(function.args[0], depth + 1) if function.args else []
        if isinstance(function, ast.Name | ast.Attribute):
            bindings = (
                self.files.module_of(function).bindings(function)
                if isinstance(function, ast.Name)
                else self.names.attribute_bindings(function)
            )
            if len(bindings) == 1 and bindings[0].value is not None and not bindings[0].path:
                return self._partials(bindings[0].value, depth + 1)
        return []

    def _unbound(self, call: ast.Call) -> bool:
        """Return whether a method is called on its class (`Reader.read(reader, x)`), and hands over `self` itself."""
        receiver = self.receiver(call)
        if receiver is None:
            return False
        things = self.names.things(receiver)
        return (
            any(isinstance(t, Class) for t in things)
            and not any(isinstance(t, Instance) for t in things)
            and not any(
                any(isinstance(d, ast.Name) and d.id == "classmethod" for d in f.node.decorator_list)
                for f in self.names.functions(call)
                if not isinstance(f.node, ast.Lambda)
            )
        )

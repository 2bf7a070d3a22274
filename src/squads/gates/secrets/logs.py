"""Secrets that Python writes where others read them: into a log, onto a stream, into an error.

What hides enough of a secret passes: a digest, a length, a few letters of it, a function that is called for masking. A
function of the artifact is looked into, whatever it is called.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from squads.gates.python import Class, Function, Instance, Module, Program
from squads.gates.secrets.live import UNKNOWN, live
from squads.gates.secrets.python import Shown
from squads.gates.secrets.shapes import cleaned, few, keys_only, numbers_in, shown_field
from squads.gates.secrets.texts import Texts
from squads.gates.secrets.words import reveals
from squads.gates.words import word_set

_LEVELS = word_set("debug info warning warn error exception critical log fatal trace success notice msg")
_LOGGER = re.compile(r"(?i)log(?:ger|ging|uru)?\d*$|^_?log_?|structlog|logger")
_HIDES = re.compile(
    r"(?i)mask|redact|hash|digest|sha\d|md5|hmac|fingerprint|^len$|^bool$|^type$|^id$|obfusc|scrub|sanit|censor|hide"
    r"|encrypt|^any$|^all$|^isinstance$|^hasattr$|^int$|^sum$|strength|valid|check|verify|blur|truncat|shorten|safe"
)
_SHOWS = word_set(
    "str repr format dumps dict list tuple set sorted vars asdict pformat quote quote_plus b64encode urlsafe_b64encode "
    "hex encode decode strip lstrip rstrip upper lower join urlencode get get_secret_value model_dump model_dump_json "
    "json copy dump items values replace render_as_string bytes print removeprefix removesuffix title pop getenv "
    "astuple"
)
_DUMPS = word_set("dict model_dump model_dump_json json asdict vars repr str dumps pformat items copy astuple __dict__")
_DEPTH_MAX = 8
_WORDS = re.compile(
    rb"(?i)passw|pwd|passphrase|secret|token|api_?key|private_?key|credential|authorization|headers|environ|dsn|locals\("
)
Given = Mapping[ast.arg, ast.expr]


class InLogs:
    """Finds the secrets that one program's modules write out."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._texts = Texts(program)

    def shown(self, module: Module) -> Iterator[Shown]:
        """Yield what a module writes out."""
        if not _WORDS.search(module.source.text.encode()):
            return
        for call in module.calls:
            for argument, whole in self._written(call):
                name = self._leak(argument, {}, 0, whole=whole)
                if name:
                    yield Shown(call, f"{name} is written {self._where(call)}")
                    break
        for node in module.parents:
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                for argument in [*node.exc.args, *(k.value for k in node.exc.keywords)]:
                    # An error that carries a value for its handler is not a text that is shown.
                    if isinstance(argument, ast.Name | ast.Attribute) and not self._text_like(argument):
                        continue
                    name = self._leak(argument, {}, 0, whole=False)
                    if name:
                        yield Shown(node, f"{name} is written into an error")
                        break

    def _text_like(self, node: ast.expr) -> bool:
        origins = self._program.values.origins(node)
        return any(isinstance(o, ast.JoinedStr | ast.BinOp) for o in origins)

    def _where(self, call: ast.Call) -> str:
        return (
            "to a stream" if self._program.calls.method(call) in ("print", "write", "echo", "secho") else "into a log"
        )

    def _written(self, call: ast.Call) -> Iterator[tuple[ast.expr, bool]]:
        """Yield what a call writes out, and whether an object as a whole is shown by it."""
        method = self._program.calls.method(call)
        values = [a.value if isinstance(a, ast.Starred) else a for a in call.args]
        if isinstance(call.func, ast.Name) and method == "print":
            # A bare value is a command's output; a value in a sentence is a message.
            if len(values) == 1 and not isinstance(values[0], ast.JoinedStr | ast.BinOp | ast.Call):
                return
            yield from ((v, True) for v in values if not self._made_here(v))
        elif method in ("echo", "secho") and self._receiver(call) == "click":
            yield from ((v, True) for v in values if isinstance(v, ast.JoinedStr | ast.BinOp))
        elif method == "write" and self._receiver(call) in ("stderr", "stdout"):
            yield from ((v, True) for v in values)
        elif method == "warn" and "warnings.warn" in self._program.names.names(call.func):
            yield from ((v, True) for v in values[:1])
        elif method in _LEVELS and self._is_logger(call):
            numbers = numbers_in(values)
            yield from ((v, True) for n, v in enumerate(values) if n not in numbers)
            for word in call.keywords:
                if word.arg in ("exc_info", "stack_info", "stacklevel"):
                    continue
                # `log.info("x", api_key=value)` shows it under its name, as a dict with that key would.
                key: list[ast.expr | None] = [ast.Constant(value=word.arg)] if word.arg else [None]
                yield ast.Dict(keys=key, values=[word.value]), True
        elif method in ("capture_message", "set_extra", "set_context", "set_tag", "set_attribute", "add_event"):
            yield from ((v, True) for v in values)

    def _made_here(self, node: ast.expr) -> bool:
        """Return whether a message shows what was drawn just now: a command tells it to whoever asked for it."""
        parts = (
            [v.value for v in node.values if isinstance(v, ast.FormattedValue)]
            if isinstance(node, ast.JoinedStr)
            else [node]
        )
        named = [p for p in parts if isinstance(p, ast.Name)]
        origins = [o for p in named for o in self._program.values.origins(p)]
        return any(
            isinstance(o, ast.Call) and re.search(r"secrets\.|random|generate|uuid|urandom|new_", ast.unparse(o.func))
            for o in origins
        )

    def _is_logger(self, call: ast.Call) -> bool:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if receiver is None:
            return any(n.startswith(("logging.", "loguru.")) for n in self._program.names.names(call.func))
        if _LOGGER.search(self._receiver(call)):
            return True
        return any(n.startswith(("logging.", "structlog.", "loguru.")) for n in self._program.names.names(receiver))

    @staticmethod
    def _receiver(call: ast.Call) -> str:
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        while isinstance(receiver, ast.Call):
            receiver = receiver.func.value if isinstance(receiver.func, ast.Attribute) else receiver.func
        if isinstance(receiver, ast.Attribute):
            return receiver.attr
        return receiver.id if isinstance(receiver, ast.Name) else ""

    # What an expression reveals

    def _leak(self, node: ast.expr, given: Given, depth: int, *, whole: bool, name: bool = True) -> str:
        """Return what secret `node` shows when it is written; empty where it shows none."""
        if depth > _DEPTH_MAX:
            return ""

        def inside(part: ast.expr, *, whole: bool = True) -> str:
            return self._leak(part, given, depth + 1, whole=whole)

        def first(parts: list[ast.expr]) -> str:
            return next((said for p in parts if (said := inside(p))), "")

        match node:
            case ast.JoinedStr():
                return first([v.value for v in node.values if isinstance(v, ast.FormattedValue)])
            case ast.BinOp(op=ast.Add() | ast.Mod()):
                return inside(node.left) or inside(node.right)
            case ast.Tuple() | ast.List() | ast.Set():
                return first(node.elts)
            case ast.Dict():
                return self._display(node, given, depth)
            case ast.IfExp():
                return inside(node.body) or inside(node.orelse)
            case ast.BoolOp():
                return first(node.values)
            case ast.NamedExpr() | ast.Await() | ast.Starred():
                return inside(node.value)
            case ast.Call():
                return self._of_call(node, given, depth)
            case ast.Subscript():
                return self._item(node, given, depth)
            case ast.Name() | ast.Attribute():
                return self._named(node, given, depth, whole=whole)
        return ""

    def _display(self, node: ast.Dict, given: Given, depth: int) -> str:
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            secret = bool(name) and (reveals(name) or name.lower() in ("authorization", "cookie"))
            if secret and not self._plain(value) and not self._hidden(value, given, depth):
                return name
            said = self._leak(value, given, depth + 1, whole=True)
            if said:
                return said
        return ""

    def _hidden(self, value: ast.expr, given: Given, depth: int) -> bool:
        """Return whether what stands under a secret's name does not show it."""
        if isinstance(value, ast.Call | ast.Subscript | ast.Compare | ast.IfExp | ast.BoolOp | ast.UnaryOp):
            return not self._leak(value, given, depth + 1, whole=True)
        return isinstance(value, ast.Constant)

    def _plain(self, value: ast.expr) -> bool:
        """Return whether a value is fixed here and no secret: a kind, a mask, an empty text."""
        text = self._texts.text(value)
        if isinstance(value, ast.Constant):
            return not isinstance(value.value, str) or not live(value.value, "password")
        return text is not None and UNKNOWN not in text and not live(text, "password")

    def _named(self, node: ast.Name | ast.Attribute, given: Given, depth: int, *, whole: bool) -> str:
        name = node.id if isinstance(node, ast.Name) else node.attr
        if self._guarded(node) or self._plain(node):
            return ""
        names = self._program.names.names(node)
        if names & {"os.environ", "environ"}:
            return "the whole environment" if whole else ""
        if reveals(name) and not self._of_object(node):
            return name
        if name == "token" and self._is_credential(node):
            return name
        if isinstance(node, ast.Attribute) and name == "headers" and whole and self._requests(node):
            return "the request's headers, credentials among them,"
        if whole:
            said = self._object(node)
            if said:
                return said
        if isinstance(node, ast.Attribute):
            if name == "__dict__":
                return self._taken_apart(node.value) or self._leak(node.value, given, depth + 1, whole=True)
            kept = [b.value for b in self._program.values.all_bindings(node) if whole and not b.path]
            boxes = [v for v in kept if isinstance(v, ast.Dict)]
            return next((said for box in boxes if (said := self._leak(box, {}, depth + 1, whole=True))), "")
        return self._bound(node, given, depth, whole=whole)

    def _bound(self, node: ast.Name, given: Given, depth: int, *, whole: bool) -> str:
        """Return what a local name shows, from what it was bound to."""
        for binding in self._program.values.bindings(node):
            if isinstance(binding.node, ast.arg):
                value = given.get(binding.node)
                said = self._leak(value, {}, depth + 1, whole=whole) if value is not None else ""
                if said:
                    return said
                continue
            if binding.value is None or binding.path or cleaned(self._program, node):
                continue
            if isinstance(
                binding.value,
                ast.Call | ast.JoinedStr | ast.BinOp | ast.Name | ast.Attribute | ast.Dict | ast.Subscript | ast.IfExp,
            ):
                said = self._leak(binding.value, given, depth + 1, whole=whole)
                if said and not self._answered(binding.value):
                    return said
            for store in binding.stores:
                key = store.key.value if isinstance(store.key, ast.Constant) else ""
                if (
                    isinstance(key, str) and (reveals(key) or key.lower() == "authorization") and not store.method
                ) and (not self._plain(store.value) and not self._hidden(store.value, given, depth)):
                    return key
        return ""

    def _taken_apart(self, node: ast.expr) -> str:
        """Return the secret field of an object that is shown field by field."""
        for thing in self._program.names.things(node):
            if isinstance(thing, Instance) and (said := shown_field(self._program, thing.made_by, everything=True)):
                return said
        return ""

    @staticmethod
    def _answered(value: ast.expr) -> bool:
        return isinstance(value, ast.Await)

    def _guarded(self, node: ast.expr) -> bool:
        """Return whether a type keeps the value out of its own text: `SecretStr`."""
        if any(re.search(r"(?:^|\.)Secret(?:Str|Bytes)?\(\)", n) for n in self._program.names.names(node)):
            return True
        for binding in self._program.values.all_bindings(node) if isinstance(node, ast.Name | ast.Attribute) else ():
            holder = self._program.files.parent(binding.node)
            annotation = (
                binding.node.annotation
                if isinstance(binding.node, ast.arg)
                else (holder.annotation if isinstance(holder, ast.AnnAssign) else None)
            )
            if annotation is not None and re.search(
                r"\bSecret(Str|Bytes|Value)?\b|\bbool\b|\bint\b", ast.unparse(annotation)
            ):
                return True
        return False

    def _is_credential(self, node: ast.expr) -> bool:
        """Return whether a bare `token` lets somebody in: nothing here reads a language, and something signs in."""
        text = self._program.files.module_of(node).source.text
        if re.search(r"(?i)tokeni[sz]|lexer|parser\b|tokentype|page_?token|\btokens\b|syntax", text):
            return False
        return bool(re.search(r"(?i)bearer|authorization|jwt|oauth|log_?in|sign_?in|session|password|reset", text))

    def _requests(self, node: ast.Attribute) -> bool:
        return re.search(r"(?i)req", ast.unparse(node.value)) is not None

    def _of_object(self, node: ast.Name | ast.Attribute) -> bool:
        """Return whether a name is a module, class or function, and no value."""
        return any(isinstance(t, Module | Class | Function) for t in self._program.names.things(node))

    def _object(self, node: ast.expr) -> str:
        """Return the secret that an object of the artifact shows as a whole, as dataclasses and models do."""
        for thing in self._program.names.things(node):
            if isinstance(thing, Instance):
                said = shown_field(self._program, thing.made_by)
                if said:
                    return said
        return ""

    def _item(self, node: ast.Subscript, given: Given, depth: int) -> str:
        if isinstance(node.slice, ast.Slice):
            if few(node.slice):
                return ""
            return self._leak(node.value, given, depth + 1, whole=True)
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if isinstance(key, int):
            return ""
        if isinstance(key, str) and (reveals(key) or key.lower() == "authorization"):
            return key
        return ""

    def _of_call(self, call: ast.Call, given: Given, depth: int) -> str:
        method = self._program.calls.method(call)
        functions = self._program.names.functions(call)
        if functions and all(f.name != "__init__" for f in functions):
            return self._through(call, functions, depth)
        if method == "locals" and isinstance(call.func, ast.Name):
            around = self._program.function_of(call)
            for argument in around.parameters if around else ():
                if reveals(argument.arg):
                    return argument.arg
            return ""
        if _HIDES.search(method) or method not in _SHOWS:
            return ""
        if method in ("get", "pop", "getenv"):
            key = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else ""
            secret = isinstance(key, str) and (reveals(key) or key.lower() == "authorization")
            return key if secret and isinstance(key, str) else ""
        receiver = call.func.value if isinstance(call.func, ast.Attribute) else None
        if method == "replace" and len(call.args) == 2 and self._leak(call.args[0], given, depth + 1, whole=False):
            return ""  # the secret itself is taken out of the text
        if method in ("asdict", "astuple", "vars", "model_dump", "model_dump_json") and not call.keywords:
            for whole in [*call.args, *([receiver] if receiver is not None else [])]:
                if said := self._taken_apart(whole):
                    return said
        if method in ("sorted", "list", "tuple", "set", "join", "iter") and keys_only(self._program, call):
            return ""
        parts: list[ast.expr] = [*call.args, *(k.value for k in call.keywords)]
        if receiver is not None and not any(isinstance(t, Module) for t in self._program.names.things(receiver)):
            parts.insert(0, receiver)
        if method in _DUMPS and any(k.arg in ("exclude", "include") for k in call.keywords):
            return ""
        return next((said for p in parts if (said := self._leak(p, given, depth + 1, whole=True))), "")

    def _through(self, call: ast.Call, functions: list[Function], depth: int) -> str:
        """Return what a function of the artifact shows of what it is given."""
        for function in functions:
            bound = self._program.calls.bind(call, function)
            secret = {
                parameter: values[0]
                for parameter, values in bound.items()
                if values and self._leak(values[0], {}, depth + 1, whole=True)
            }
            for value in function.returns:
                if secret and self._carries(value, secret, depth + 2):
                    return self._leak(next(iter(secret.values())), {}, depth + 1, whole=True)
        return ""

    def _carries(self, value: ast.expr, secret: Given, depth: int) -> bool:
        """Return whether a returned expression still holds a secret argument."""
        if depth > _DEPTH_MAX + 4:
            return False
        match value:
            case ast.Name():
                bindings = self._program.values.bindings(value)
                if any(b.node in secret for b in bindings):
                    return True
                return any(
                    b.value is not None and not b.path and self._carries(b.value, secret, depth + 1) for b in bindings
                )
            case ast.Subscript(slice=ast.Slice() as part):
                return not few(part) and self._carries(value.value, secret, depth + 1)
            case ast.Call():
                if self._program.names.functions(value):
                    return bool(self._leak_inner(value, secret, depth))
                method = self._program.calls.method(value)
                if _HIDES.search(method) or method not in _SHOWS:
                    return False
                receiver = [value.func.value] if isinstance(value.func, ast.Attribute) else []
                return any(self._carries(p, secret, depth + 1) for p in [*receiver, *value.args])
            case ast.BinOp(op=ast.Add() | ast.Mod()):
                return self._carries(value.left, secret, depth + 1) or self._carries(value.right, secret, depth + 1)
            case ast.JoinedStr():
                parts = [v.value for v in value.values if isinstance(v, ast.FormattedValue)]
                return any(self._carries(p, secret, depth + 1) for p in parts)
            case ast.Tuple() | ast.List():
                return any(self._carries(p, secret, depth + 1) for p in value.elts)
            case ast.IfExp():
                return self._carries(value.body, secret, depth + 1) or self._carries(value.orelse, secret, depth + 1)
        return False

    def _leak_inner(self, call: ast.Call, secret: Given, depth: int) -> bool:
        for function in self._program.names.functions(call):
            bound = self._program.calls.bind(call, function)
            inner = {p: v[0] for p, v in bound.items() if v and self._carries(v[0], secret, depth + 1)}
            if inner and any(self._carries(r, inner, depth + 1) for r in function.returns):
                return True
        return False

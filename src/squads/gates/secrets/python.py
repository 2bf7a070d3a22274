"""Live secrets in Python: what is bound to a secret's name, given where secrets go, or a secret by its own shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from squads.gates.python import Function, Module, Program
from squads.gates.secrets.live import UNKNOWN, decoded, encoded, issued, live
from squads.gates.secrets.settings import in_text
from squads.gates.secrets.texts import DECODERS, Texts
from squads.gates.secrets.uses import METHODS, SINKS, Uses
from squads.gates.secrets.words import Kind, key_like, kind_of, words_of
from squads.gates.words import word_set

_SETTINGS = re.compile(r"(?i)(?:passw|pwd|secret|token|key)[\w-]*[\"']?\s*[:=]\s*\S{6,}")
_UUID = re.compile(r"(?i)^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")
_ACTS = word_set(
    "reset check verify change send forgot forget render is has hash validate mask redact show make generate new "
    "create draw random delete remove revoke test parse prompt ask rotate compare set update fake"
)
_ENCODERS = frozenset(
    (
        "base64.b64encode",
        "base64.urlsafe_b64encode",
        "base64.standard_b64encode",
        "binascii.hexlify",
        "base64.b32encode",
    )
)
_DIGESTS = re.compile(r"(?i)digest|sha\d|hash|hmac|signature|md5|blake|checksum")
_WRAPPERS = frozenset(
    (
        "SecretStr",
        "SecretBytes",
        "Secret",
        "str",
        "bytes",
        "Field",
        "field",
        "MaybeNone",
        "cast",
        "to_bytes",
        "Depends",
        "Option",
        "Argument",
        "Query",
        "Header",
        "Form",
        "Cookie",
        "Body",
    )
)
_READERS = frozenset(
    ("get", "getenv", "setdefault", "pop", "config", "env", "getattr", "str", "environ", "get_secret", "read", "fetch")
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A live secret, and where it stands."""

    node: ast.AST
    what: str
    part: bool = False
    """Whether only a part of it stands here."""


class InPython:
    """Finds the live secrets of one program's modules."""

    def __init__(self, program: Program, uses: Uses) -> None:
        self._program = program
        self._texts = Texts(program)
        self._uses = uses

    def shown(self, module: Module) -> list[Shown]:
        """Return what a module shows, in no order."""
        found: dict[ast.AST, Shown] = {}
        documents = _documents(module.tree)
        for node, parent in module.parents.items():
            if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and node not in documents:
                self._literal(node, parent, found)
            elif isinstance(node, ast.BinOp | ast.JoinedStr | ast.Call) and not isinstance(parent, ast.BinOp):
                self._made(node, found)
            if isinstance(node, ast.Call):
                self._given(node, found)
        for name, value, plain in self._contexts(module):
            if self._uses.public(value):
                continue
            kind = kind_of(name)
            if kind is not None:
                self._named(name, kind, value, plain, found)
            elif key_like(name):
                self._named(name, "token", value, plain, found)
        return list(found.values())

    def _literal(self, node: ast.Constant, parent: ast.AST, found: dict[ast.AST, Shown]) -> None:
        if isinstance(parent, ast.JoinedStr | ast.BinOp | ast.FormattedValue):
            return  # the whole that it is a part of is looked at
        text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
        assert isinstance(text, str)
        what = issued(text) if len(text) >= 12 else ""
        if not what and 24 <= len(text) <= 8_000:
            inside = encoded(text)
            what = f"{inside}, encoded" if inside else ""
        what = what or (in_text(text) if 24 <= len(text) <= 8_000 and _SETTINGS.search(text) else "")
        if what:
            found.setdefault(node, Shown(node, what))

    def _made(self, node: ast.expr, found: dict[ast.AST, Shown]) -> None:
        if isinstance(node, ast.Call) and not _may_make(node):
            return
        text = self._texts.text(node)
        if text is None or len(text) < 12:
            return
        what = issued(text) or encoded(text)
        if what:
            self._tell(node, what, found)

    def _tell(self, node: ast.expr, what: str, found: dict[ast.AST, Shown]) -> None:
        """Note the expression, and the literals that its text was made of."""
        pieces = [u for u in self._texts.used if u not in found and len(str(u.value)) > 3]
        if not any(node is u for u in self._texts.used):
            found.setdefault(node, Shown(node, what))
        for piece in pieces[:6]:
            found.setdefault(piece, Shown(piece, what, part=len(pieces) > 1))

    def _given(self, call: ast.Call, found: dict[ast.AST, Shown]) -> None:
        """Look at what is handed to a place where secrets go: a key of HMAC, the password of a login."""
        names = self._program.names.names(call.func)
        positions = [(name.rsplit(".", 1)[-1], SINKS[name]) for name in names if name in SINKS]
        method = self._program.calls.method(call)
        if method in METHODS and isinstance(call.func, ast.Attribute):
            positions.append((method, METHODS[method]))
        for name, position in positions:
            value = self._argument(call, position)
            if value is not None:
                self._named(name, "secret", value, False, found)
        for word in call.keywords:
            if word.arg in ("auth", "basic_auth", "http_auth"):
                for origin in self._program.values.origins(word.value):
                    if isinstance(origin, ast.Tuple) and len(origin.elts) == 2:
                        self._named(word.arg, "password", origin.elts[1], False, found)

    def _argument(self, call: ast.Call, position: int) -> ast.expr | None:
        """Return what stands at a position, also where a tuple that is fixed here is spread out."""
        for number, given in enumerate(call.args[: position + 1]):
            if isinstance(given, ast.Starred):
                origins = self._program.values.origins(given.value)
                box = origins[0] if len(origins) == 1 else None
                if isinstance(box, ast.Tuple | ast.List) and position - number < len(box.elts):
                    return box.elts[position - number]
                return None
        return call.args[position] if position < len(call.args) else None

    def _named(self, name: str, kind: Kind, value: ast.expr, plain: bool, found: dict[ast.AST, Shown]) -> None:
        for leaf in self._leaves(value):
            text = self._texts.text(leaf)
            if text is None or (UNKNOWN in text and kind != "password"):
                continue
            if not plain and isinstance(leaf, ast.Constant) and leaf in found:
                continue
            if kind == "token" and _UUID.match(text):
                continue
            inside = decoded(text)
            hidden = bool(inside) and live(inside, kind) and len(inside) >= 8
            if live(text, kind) or hidden or self._unguarded(text, kind, leaf):
                self._tell(leaf, f"the value of {name}", found)

    def _unguarded(self, text: str, kind: Kind, leaf: ast.expr) -> bool:
        """Return whether raw key bytes stand here: sixteen or more of them, that are no text."""
        raw = (isinstance(leaf, ast.Constant) and isinstance(leaf.value, bytes)) or (
            isinstance(leaf, ast.Call) and not text.isascii() and kind == "secret"
        )
        return raw and kind != "token" and len(text) >= 16 and len(set(text)) >= 10 and not text.isprintable()

    def _leaves(self, value: ast.expr, depth: int = 0) -> Iterator[ast.expr]:
        """Yield the expressions that a value may be, defaults of readers and what wrappers are given included."""
        if depth > 6:
            return
        if isinstance(value, ast.Call) and self._program.names.functions(value):
            yield value  # what a helper puts together
        for origin in self._program.values.origins(value):
            if isinstance(origin, ast.Call):
                method = self._program.calls.method(origin)
                if self._program.names.names(origin.func) & (DECODERS.keys() | _ENCODERS) and origin.args:
                    yield from self._leaves(origin.args[0], depth + 1)
                if method == "bytes" and isinstance(origin.func, ast.Name):
                    yield origin
                if method in _WRAPPERS and origin.args and not (method == "str" and len(origin.args) > 1):
                    yield from self._leaves(origin.args[-1 if method == "cast" else 0], depth + 1)
                if method in _READERS and len(origin.args) >= 2:
                    yield from self._leaves(
                        origin.args[2 if method == "getattr" and len(origin.args) > 2 else 1], depth + 1
                    )
                if method in _READERS or method in _WRAPPERS:
                    for word in origin.keywords:
                        if word.arg in ("default", "fallback", "value"):
                            yield from self._leaves(word.value, depth + 1)
                        elif word.arg == "default_factory" and isinstance(word.value, ast.Lambda):
                            yield from self._leaves(word.value.body, depth + 1)
                        elif word.arg == "default_factory":
                            for thing in self._program.names.things(word.value):
                                for value in thing.returns if isinstance(thing, Function) else ():
                                    yield from self._leaves(value, depth + 1)
                    continue
                yield origin
                if (method in ("encode", "decode", "strip") and isinstance(origin.func, ast.Attribute)) and (
                    not isinstance(origin.func.value, ast.Constant)
                ):
                    yield from self._leaves(origin.func.value, depth + 1)
            elif isinstance(origin, ast.List | ast.Tuple | ast.Set):
                for element in origin.elts:
                    yield from self._leaves(element, depth + 1)
            elif isinstance(origin, ast.Subscript) and isinstance(origin.value, ast.Dict):
                continue
            else:
                yield origin

    def _contexts(self, module: Module) -> Iterator[tuple[str, ast.expr, bool]]:
        """Yield (name, value, whether it is bound right here) wherever a name is given a value."""
        for node in module.parents:
            match node:
                case ast.Assign():
                    for target in node.targets:
                        yield from _bound(target, node.value)
                case ast.AnnAssign() if node.value is not None:
                    yield from _bound(node.target, node.value)
                case ast.NamedExpr():
                    yield node.target.id, node.value, True
                case ast.Dict():
                    for key, value in zip(node.keys, node.values, strict=True):
                        if isinstance(key, ast.Constant) and isinstance(key.value, str):
                            yield _header(key.value), value, True
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                    yield from _defaults(node.args)
                    if not isinstance(node, ast.Lambda) and _ACTS.isdisjoint(words_of(node.name)):
                        # A function that is named for a secret gives one; a password in words may be a page's name.
                        name = "token" if kind_of(node.name) else ""
                        for value in module.functions[node].returns if name else ():
                            yield f"{node.name}_{name}", value, False
                case ast.Call():
                    yield from self._of_call(node)
                case ast.Compare() if len(node.ops) == 1 and isinstance(node.ops[0], ast.In | ast.NotIn):
                    left = node.left
                    if self._digests(left):
                        continue
                    headers = not isinstance(left, ast.Name) and "headers" in ast.unparse(left)
                    if headers or (_name(left) and kind_of(_name(left))):
                        yield ("presented_token" if headers else _name(left)), node.comparators[0], False
                case ast.Compare() if len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                    yield from self._checked(node.left, node.comparators[0])
                    left, right = node.left, node.comparators[0]
                    for one, other in ((left, right), (right, left)):
                        if isinstance(other, ast.Constant | ast.Name) and _name(one):
                            headers = not isinstance(one, ast.Name) and "headers" in ast.unparse(one)
                            yield ("presented_token" if headers else _name(one)), other, True

    def _checked(self, left: ast.expr, right: ast.expr) -> Iterator[tuple[str, ast.expr, bool]]:
        """Yield what a presented secret is checked against: an entry of a table, or a part of a pair."""
        for one, other in ((left, right), (right, left)):
            if isinstance(one, ast.Tuple):
                for origin in self._program.values.origins(other):
                    if isinstance(origin, ast.Tuple) and len(origin.elts) == len(one.elts):
                        yield from ((_name(a), b, True) for a, b in zip(one.elts, origin.elts, strict=True) if _name(a))
            table = other.value if isinstance(other, ast.Subscript) else None
            if isinstance(other, ast.Call) and isinstance(other.func, ast.Attribute) and other.func.attr == "get":
                table = other.func.value
            if table is not None and _name(one) and kind_of(_name(one)):
                for origin in self._program.values.origins(table):
                    if isinstance(origin, ast.Dict):
                        yield from ((_name(one), value, True) for value in origin.values)

    def _digests(self, node: ast.expr) -> bool:
        """Return whether a digest or signature is compared, which shows nobody a secret."""
        origins = [node, *self._program.values.origins(node)]
        return any(_DIGESTS.search(ast.unparse(o)) for o in origins if not isinstance(o, ast.Constant))

    def _of_call(self, call: ast.Call) -> Iterator[tuple[str, ast.expr, bool]]:
        for word in call.keywords:
            if word.arg:
                yield _header(word.arg), word.value, True
        method = self._program.calls.method(call)
        first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if method == "compare_digest" and len(call.args) == 2:
            if any(self._digests(a) for a in call.args):
                return
            for one, other in ((call.args[0], call.args[1]), (call.args[1], call.args[0])):
                name = _name(one) or "presented_secret"
                yield (name if kind_of(name) else "presented_secret"), other, True
            return
        if method in ("setattr", "getattr") and len(call.args) == 3 and isinstance(call.args[1], ast.Constant):
            yield str(call.args[1].value), call.args[2], True
            return
        if not isinstance(first, str):
            return
        name = _header(first.lstrip("-"))
        if len(call.args) >= 2 and method not in ("print", "format", "replace", "info", "debug", "warning", "error"):
            yield name, call.args[1], True
        for word in call.keywords:
            if word.arg in ("default", "fallback", "value"):
                yield name, word.value, True


def _header(name: str) -> str:
    """Return the name of a header as a secret's name: `Authorization` and `X-Api-Key` hold one."""
    return "authorization_token" if name.lower() in ("authorization", "proxy-authorization") else name


def _bound(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr, bool]]:
    if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
        if len(target.elts) == len(value.elts):
            for one, its in zip(target.elts, value.elts, strict=True):
                yield from _bound(one, its)
    elif _name(target):
        yield _header(_name(target)), value, True


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr, bool]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    for argument, default in zip(with_default, arguments.defaults, strict=True):
        yield argument.arg, default, True
    for argument, maybe in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if maybe is not None:
            yield argument.arg, maybe, True


def _name(node: ast.expr) -> str:
    """Return what a target or operand is called: a name, an attribute, or a constant key."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript(slice=ast.Constant(value=str() as key)):
            return key
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str() as key), *_]):
            return key
    return ""


def _documents(tree: ast.Module) -> set[ast.AST]:
    """Return the texts that are statements of their own: docstrings, and texts used as comments."""
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def _may_make(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return "decode" in name or name in (
        "join", "format", "fromhex", "unhexlify", "a2b_hex", "a2b_base64", "decodebytes", "bytes", "replace",
        "reversed", "dedent",
    )  # fmt: skip

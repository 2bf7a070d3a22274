"""Tokens that are taken apart by hand: a text is cut at its dots, and a piece of it is read as JSON.

It is recognised from the JSON backwards, through whatever helper, padding or base64 stands between, so it does not
matter how the text is cut or what anything is called. A piece that is the first of three is the header.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from squads.gates.python import Module, Program, Step
from squads.gates.tokens.reading import Reading
from squads.gates.words import word_set

_JSON = word_set(
    "json.loads json.load orjson.loads ujson.loads simplejson.loads rapidjson.loads flask.json.loads "
    "json.JSONDecoder().decode msgspec.json.decode ast.literal_eval pydantic_core.from_json"
)
_EVALUATES = word_set("ast.literal_eval")
_JSON_METHODS = word_set("model_validate_json parse_raw raw_decode loads")
_CUTS = word_set("split rsplit partition rpartition")
_FINDS = word_set("find index rfind rindex")
_TEXT = _CUTS | word_set(
    "encode decode strip lstrip rstrip replace ljust rjust zfill join translate removeprefix removesuffix format group "
    "groups read getvalue tobytes to_bytes upper lower append __getitem__ index find"
)
_CARRIES = word_set(
    "bytes bytearray str memoryview int chr list tuple map reversed iter next zip enumerate filter format bin "
    "io.BytesIO io.StringIO codecs.decode codecs.encode zlib.decompress int.from_bytes urllib.parse.unquote "
    "functools.reduce re.match re.fullmatch re.search re.split re.findall re.compile().match re.compile().split "
    "re.compile().fullmatch re.compile().search re.compile().findall re.sub"
)
_CODES = re.compile(
    r"\bhmac\b|\bsigning\.|Signer\b|unsign|compare_digest|blake2|\bCMAC\b|Poly1305|constant_time|bytes_eq",
    re.IGNORECASE,
)
_HASHES = re.compile(r"\bhashlib\.|\b(sha\d+|md5|blake\w+)$")
_SEALING: WeakKeyDictionary[Module, bool] = WeakKeyDictionary()
_HASHING: WeakKeyDictionary[Module, bool] = WeakKeyDictionary()
_DECODES = re.compile(
    r"b64|base64|decode|unpad|add_padding|pad_|segment|to_bytes|force_|smart_|ensure_|unicode|(to|as)_(text|str|native)",
    re.IGNORECASE,
)
_BASE64 = re.compile(r"b64|base64", re.IGNORECASE)
_PATTERN = re.compile(r"\\\.|\[[^\]]*\.[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a text is cut at a dot: which piece is taken, and of what."""

    token: ast.expr
    first: bool
    """Whether it is the piece before the first dot."""
    in_two: bool = False
    """Whether the text was cut into two: a payload and its signature, without a header."""


def reading_by_hand(program: Program, call: ast.Call) -> Reading | None:
    """Return how `call` reads a piece of a token as JSON; None where it reads something else."""
    method = program.calls.method(call)
    names = program.names.names(call.func)
    if not (names & _JSON) and not (
        method in _JSON_METHODS and not any(n in ("yaml.loads", "toml.loads") for n in names)
    ):
        return None
    arguments = program.calls.arguments(call)
    text = arguments.get(0, "s", "data", "json_data", "fp")
    if text is None:
        return None
    steps = [Step("same", text), *program.flow.trace(text, lambda c, _: _carries(program, c))]
    ends = [step for step in steps if _cut(program, step) is not None]
    passed = {id(s) for end in ends for s in end.way() if s is not end}
    # Only the whole way back counts: on half of it, the piece of a piece looks like the piece of a token.
    pieces = [
        [c for s in end.way() if (c := _cut(program, s)) is not None]
        for end in ends
        if id(end) not in passed and _plain(program, end, names)
    ]
    if not pieces:
        return None
    # The way furthest back holds the whole token; a piece that is not first on its way is not the header.
    bodies = [cuts for cuts in pieces if not all(c.first for c in cuts) or (len(cuts) == 1 and cuts[0].in_two)]
    outer = max(bodies or pieces, key=len)[0]
    how = "its payload is decoded by hand, and nothing verifies its signature"
    style = "unverified" if bodies else "header"
    return Reading(call, outer.token, style, how if bodies else "")  # type: ignore[arg-type]


def _plain(program: Program, end: Step, names: frozenset[str]) -> bool:
    """Return whether a way is a token's: patterns and `literal_eval` read much else, so base64 must be on it."""
    matched = any(
        isinstance(s.node, ast.Call) and any(n.startswith("re.") for n in program.names.names(s.node.func))
        for s in end.way()
    )
    cut = end.node if isinstance(end.node, ast.Call) else None
    # In a file that only hashes, a text that is cut at some mark may be anything.
    loose = cut is not None and not seals(program, cut) and not _is_dot(program, cut.args[:2])
    if not matched and not loose and not names & _EVALUATES:
        return True
    return any(isinstance(s.node, ast.Call) and _BASE64.search(ast.unparse(s.node.func)) for s in end.way())


def _carries(program: Program, call: ast.Call) -> bool:
    names = program.names.names(call.func)
    if names & _CARRIES:
        return True
    method = program.calls.method(call)
    if program.calls.subject(call) is not None or not names:
        return method in _TEXT or bool(_DECODES.search(method))
    return any(_DECODES.search(n.rpartition(".")[2]) or "base64" in n for n in names)


def _cut(program: Program, step: Step) -> Cut | None:
    node = step.node
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        bounds = [b for b in (node.slice.lower, node.slice.upper) if b is not None]
        if any(_finds_dot(program, b) for b in bounds):
            return Cut(node.value, first=node.slice.lower is None, in_two=any(_from_behind(program, b) for b in bounds))
        if _sealed_apart(program, step, node):
            return Cut(node.value, first=False, in_two=True)
        return None
    if not isinstance(node, ast.Call):
        return None
    method, receiver = program.calls.method(node), program.calls.receiver(node)
    names = program.names.names(node.func)
    if any(n.startswith("re.") for n in names):
        patterns = {p for a in (*node.args, *_compiled(program, receiver)) for p in program.values.constants(a)}
        if any(isinstance(p, str) and _PATTERN.search(p) for p in patterns) and node.args:
            return Cut(
                node.args[-1] if len(node.args) > 1 or "compile" in "".join(names) else node.args[0], first=False
            )
        return None
    sealed = seals(program, node) or _hashes(program, node)
    if method not in _CUTS or receiver is None or not _is_mark(program, node.args[:1], sealed):
        if method in _CUTS and names & {f"str.{method}"} and _is_mark(program, node.args[1:2], sealed):
            return Cut(node.args[0], first=step.held[:1] in ((0,), (-3,)))
        return None
    piece = step.held[0] if step.held else None
    return Cut(receiver, first=piece in (0, -3), in_two=_in_two(program, node, method))


def _in_two(program: Program, call: ast.Call, method: str) -> bool:
    """Return whether a text is cut into a payload and its signature, and no more: then the first piece is no header."""
    once = program.values.constants(call.args[1]) == {1} if len(call.args) > 1 else False
    if method == "rpartition" or (method == "rsplit" and len(call.args) > 1):
        return True
    parent = program.files.parent(call)
    if not isinstance(parent, ast.Assign):
        return False
    target = parent.targets[0]
    if isinstance(target, ast.Tuple):
        if method != "partition" and not once:
            return len(target.elts) == 2
        last = target.elts[-1]
        return len(target.elts) in (2, 3) and not (isinstance(last, ast.Name) and _cut_again(program, last, parent))
    name = target.id if isinstance(target, ast.Name) else ""
    around = program.function_of(call)
    counted = [n for n in ast.walk(around.node) if isinstance(n, ast.Compare)] if around is not None and name else []
    return any(ast.unparse(c.left) == f"len({name})" and ast.unparse(c.comparators[0]) == "2" for c in counted)


def _cut_again(program: Program, name: ast.Name, after: ast.stmt) -> bool:
    around = program.function_of(name)
    return any(
        isinstance(c.func, ast.Attribute)
        and c.func.attr in _CUTS
        and isinstance(c.func.value, ast.Name)
        and c.func.value.id == name.id
        and c.lineno > after.lineno
        for c in program.files.module_of(name).calls
        if program.function_of(c) is around
    )


def _compiled(program: Program, receiver: ast.expr | None) -> list[ast.expr]:
    if receiver is None:
        return []
    return [a for o in program.values.origins(receiver) if isinstance(o, ast.Call) for a in o.args[:1]]


def _sealed_apart(program: Program, step: Step, node: ast.Subscript) -> bool:
    """Return whether bytes are cut into a code of fixed length and what it is for: `raw[:32]` and `raw[32:]`."""
    if not seals(program, node) or not isinstance(node.slice, ast.Slice):
        return False
    bounds = [b for b in (node.slice.lower, node.slice.upper) if b is not None]
    back = step.back.way() if step.back is not None else ()
    if len(bounds) != 1 or any(isinstance(s.node, ast.Subscript) for s in back):
        return False
    other = ast.Slice(lower=node.slice.upper, upper=node.slice.lower)
    module = program.files.module_of(node)
    value, wanted = ast.dump(node.value), ast.dump(other)
    return any(
        isinstance(part, ast.Subscript) and ast.dump(part.slice) == wanted and ast.dump(part.value) == value
        for part in ast.walk(module.tree)
    )


def seals(program: Program, node: ast.AST) -> bool:
    """Return whether the file around a node computes or compares codes: then what it cuts may be sealed."""
    module = program.files.module_of(node)
    if module not in _SEALING:
        names = {ast.unparse(c.func) for c in module.calls}
        _SEALING[module] = any(_CODES.search(n) for n in names)
    return _SEALING[module]


def _hashes(program: Program, node: ast.AST) -> bool:
    """Return whether the file around a node computes hashes, which some take for signatures."""
    module = program.files.module_of(node)
    if module not in _HASHING:
        _HASHING[module] = any(_HASHES.search(ast.unparse(c.func)) for c in module.calls)
    return _HASHING[module]


def _is_mark(program: Program, nodes: list[ast.expr], sealed: bool) -> bool:
    """Return whether a text is cut at a dot; or, in a file that seals, at any mark that is no letter or digit."""
    if _is_dot(program, nodes):
        return True
    values = {v for n in nodes for v in program.values.constants(n)} if sealed else set()
    texts = [v.decode("latin-1") if isinstance(v, bytes) else v for v in values if isinstance(v, str | bytes)]
    return any(text and not text.isspace() and not any(map(str.isalnum, text)) for text in texts)


def _is_dot(program: Program, nodes: list[ast.expr]) -> bool:
    return any({".", b"."} & program.values.constants(n) for n in nodes)


def _finds_dot(program: Program, bound: ast.expr, finds: frozenset[str] = _FINDS) -> bool:
    waiting: list[ast.AST] = [bound]
    for _ in range(30):
        if not waiting:
            return False
        node = waiting.pop()
        if isinstance(node, ast.Call) and program.calls.method(node) in finds and _is_dot(program, node.args[:1]):
            return True
        if isinstance(node, ast.Name):
            waiting += [b.value for b in program.values.bindings(node) if b.value is not None]
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return False


def _from_behind(program: Program, bound: ast.expr) -> bool:
    """Return whether a text is cut at its last dot: what stands before it is all but the signature."""
    return _finds_dot(program, bound, frozenset(("rfind", "rindex")))

"""What of a thing that was sent goes into its code: by field, through helpers and through objects made of it.

A field is named by the way to it: the box that was sent (a request, a parameter, what a text was read into), and the
keys that lead on from there. What has no such way is made of all that it mentions.
"""

from __future__ import annotations

import ast
import re

from squads.gates.python import Class, Function, Instance, Program
from squads.gates.python.bindings import Binding
from squads.gates.words import word_set

Way = tuple[object, ...]
"""The box, and the keys from it to a field."""

REQUEST = "request"
"""The box of all that a request brings in its address."""
BODY, FORM = "the request's body", "the request's form"
_OBJECT, _ASIDE = "the request itself", "beside the request"
_DEPTH_MAX = 5
_NODES_MAX = 600
_BROUGHT = {
    **dict.fromkeys(
        word_set(
            "args values GET query query_params match_info path_params params rel_url view_args url path full_path "
            "query_string path_info build_absolute_uri"
        ),
        REQUEST,
    ),
    **dict.fromkeys(word_set("form POST FILES files post"), FORM),
    **dict.fromkeys(word_set("json get_json data body raw_body get_data read"), BODY),
}
_BESIDE = word_set("headers META cookies COOKIES user session app state client method remote_addr scope auth host")
_READS = re.compile(
    r"^(loads?|safe_load|unpackb|literal_eval|parse_qsl?|get_json|model_validate_json|parse_raw|json|form|post|"
    r"raw_decode|fromstring|from_json)$"
)
_SAME = frozenset(("dict", "cast", "copy", "deepcopy", "model_validate", "parse_obj", "MultiDict", "QueryDict"))
_TAKES = frozenset(("get", "pop", "getlist", "getone", "getfirst", "__getitem__", "get_argument"))
_ROUTES = re.compile(
    r"\.(get|post|put|patch|delete|route|api_route|websocket|head|view|handler)\(|^(require_\w+|api_view)"
)
_INJECTED = re.compile(r"^(Depends|Security|Header|Cookie|inject|Provide|State)\b|Depends\(|Header\(|Cookie\(")
_PLAIN = re.compile(
    r"^(str|int|float|UUID|uuid\.UUID|bytes|Decimal|datetime|date|Annotated\[(str|int).*)?(\s*\|\s*None)?$"
)


class InPath(str):
    """The name of a part of an address's path: nobody types that in."""


class Fields:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._summaries: dict[Function, set[Way]] = {}
        self._asked: list[ast.AST] = []

    # One field

    def way(self, node: ast.expr) -> Way | None:
        """Return the way to the one field that an expression is; None where it is made of something."""
        if node in self._asked or len(self._asked) > _DEPTH_MAX * 4:
            return None
        self._asked.append(node)
        try:
            return self._way(node)
        finally:
            self._asked.pop()

    def _way(self, node: ast.expr) -> Way | None:
        match node:
            case ast.Name():
                return self._named(node)
            case ast.Await() | ast.NamedExpr():
                return self.way(node.value)
            case ast.BoolOp(op=ast.Or()) if all(_is_empty(v) for v in node.values[1:]):
                return self.way(node.values[0])
            case ast.Attribute() if not self._called(node):
                return self._attribute(node)
            case ast.Subscript():
                key, base = self._key(node.slice), self.way(node.value)
                return (*base, key) if base is not None and key is not None else None
            case ast.Call():
                return self._call(node)
        return None

    def _named(self, node: ast.Name) -> Way | None:
        found: set[Way | None] = set()
        for binding in self._program.values.bindings(node):
            if isinstance(binding.node, ast.arg):
                found.add(self._parameter(binding.node))
            elif binding.imported is not None and binding.imported[1] == "request":
                found.add((_OBJECT,))  # Flask, Quart and Bottle have one for all functions
            elif (value := self._bound(binding)) is None or self._program.function_of(binding.node) is None:
                found.add(None)
            else:
                found.add(self.way(value))
        return found.pop() if len(found) == 1 else None

    @staticmethod
    def _bound(binding: Binding) -> ast.expr | None:
        """Return the whole value that a name is bound to; in `a, b = one, other` the one that is its own."""
        value = binding.value
        if len(binding.path) == 1 and isinstance(value, ast.Tuple | ast.List) and isinstance(binding.path[0], int):
            whole = not any(isinstance(e, ast.Starred) for e in value.elts) and binding.path[0] < len(value.elts)
            return value.elts[binding.path[0]] if whole else None
        return None if binding.path else value

    def _parameter(self, node: ast.arg) -> Way:
        """Return what a parameter is: the request, a part of its address, something injected, or a box of its own."""
        function = self._program.function_of(node)
        if function is None or isinstance(function.node, ast.Lambda):
            return (node,)
        annotation = ast.unparse(node.annotation) if node.annotation is not None else ""
        if node.arg in ("request", "req") or re.search(r"\bRequest\b", annotation):
            return (_OBJECT,)
        first = function.parameters[:1] == [node] and function.bound
        if first or not self._is_route(function):
            return (node,)
        default = self._default(function, node)
        given = ast.unparse(default) if default is not None else ""
        if _INJECTED.search(given) or _INJECTED.search(annotation) or _optional(default):
            return (_ASIDE, node.arg)
        routes = " ".join(ast.unparse(d) for d in function.node.decorator_list)
        in_path = not routes or re.search(rf"[{{<:]{node.arg}[:}}>]", routes)
        return (REQUEST, InPath(node.arg) if in_path else node.arg) if _PLAIN.match(annotation) else (node,)

    def _is_route(self, function: Function) -> bool:
        """Return whether a framework calls a function with the parts of a request's address."""
        if isinstance(function.node, ast.Lambda):
            return False
        if any(_ROUTES.search(ast.unparse(d)) for d in function.node.decorator_list):
            return True
        own = function.parameters[1:] if function.bound else function.parameters
        return bool(own) and own[0].arg == "request"

    def _default(self, function: Function, node: ast.arg) -> ast.expr | None:
        arguments = function.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = dict(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True))
        return defaults.get(node) or dict(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)).get(node)

    def _attribute(self, node: ast.Attribute) -> Way | None:
        made = self._made(node.value)
        if made is not None:
            given = self._given(made, node.attr)
            return self.way(given[0]) if len(given) == 1 and not isinstance(given[0], ast.Starred) else None
        base = self.way(node.value)
        if base is None:
            return None
        if base == (_OBJECT,) or (base == (REQUEST,) and node.attr in _BROUGHT):
            box = _BROUGHT.get(node.attr)
            return (box,) if box else (_ASIDE, node.attr) if node.attr in _BESIDE else None
        return (*base, node.attr)

    def _call(self, call: ast.Call) -> Way | None:
        method, receiver = self._program.calls.method(call), self._program.calls.receiver(call)
        if method in _TAKES and call.args and receiver is not None:
            key, base = self._key(call.args[0]), self.way(receiver)
            if "match_info" in ast.unparse(receiver) and key is not None:
                key = InPath(key)
            return (*base, key) if base is not None and key is not None else None
        if self._program.names.functions(call):
            return (call,) if self.owner((call,)) is not None and self._class(call) is None else None
        base = self.way(receiver) if receiver is not None else None
        if base == (_OBJECT,) and method in _BROUGHT:
            return (_BROUGHT[method],)
        if _READS.search(method):
            return (call,)
        if method in _SAME and call.args:
            return self.way(call.args[-1]) or (call,)
        return None

    def owner(self, box: Way) -> Class | None:
        """Return the artifact's class that a box is an object of."""
        node = box[0]
        if len(box) != 1 or not isinstance(node, ast.arg | ast.Call):
            return None
        names = self._program.names
        things = names.instances(node.annotation) if isinstance(node, ast.arg) else names.things(node)
        made_by = [t.made_by for t in things if isinstance(t, Instance)]
        return made_by[0] if len(made_by) == 1 else None

    def _key(self, node: ast.expr) -> str | int | None:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str | int) else None
        known = self._program.values.constants(node) if isinstance(node, ast.Name | ast.Attribute) else frozenset()
        one = next(iter(known)) if len(known) == 1 else None
        return one if isinstance(one, str) else None

    def _called(self, node: ast.Attribute) -> bool:
        parent = self._program.files.parent(node)
        return isinstance(parent, ast.Call) and parent.func is node

    # Objects that are made of fields

    def _made(self, node: ast.expr) -> ast.Call | None:
        """Return the call by which an object of the artifact's own class is made."""
        values = [node]
        if isinstance(node, ast.Name):
            bound = self._program.values.bindings(node)
            if any(b.path or b.value is None for b in bound):
                return None
            values = [b.value for b in bound if b.value is not None]
        calls = [v for v in values if isinstance(v, ast.Call) and self._class(v) is not None]
        return calls[0] if len(calls) == 1 == len(values) else None

    def _class(self, call: ast.Call) -> Class | None:
        things = self._program.names.things(call.func)
        return next((t for t in things if isinstance(t, Class)), None) if len(things) == 1 else None

    def fields_of(self, owner: Class) -> list[str]:
        """Return the fields that a class declares, in order."""
        every = [s for c in reversed(self._program.names.family(owner)) for s in c.node.body]
        return [s.target.id for s in every if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)]

    def _given(self, made: ast.Call, field: str) -> list[ast.expr]:
        """Return what an object's field was made of."""
        owner = self._class(made)
        if owner is None:
            return []
        own = owner.methods.get("__init__")
        names = [p.arg for p in own.parameters[1:]] if own is not None else self.fields_of(owner)
        for word in made.keywords:
            if word.arg == field:
                return [word.value]
        if field in names and names.index(field) < len(made.args):
            return [made.args[names.index(field)]]
        return [k.value for k in made.keywords if k.arg is None]

    # All that something is made of

    def of(self, node: ast.AST, depth: int = 0) -> set[Way]:
        """Return the ways to all that an expression is made of."""
        found: set[Way] = set()
        seen: set[ast.AST] = set()
        waiting: list[ast.AST] = [node]
        while waiting and len(seen) < _NODES_MAX:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            way = self.way(part) if isinstance(part, ast.expr) else None
            if way is not None:
                found |= self._whole(way)
                if isinstance(way[0], ast.Call) and way[0] not in seen:
                    seen.add(way[0])
                    waiting += [*way[0].args, *(k.value for k in way[0].keywords)]
            elif isinstance(part, ast.Name):
                for binding in self._program.values.bindings(part):
                    if binding.value is not None and self._program.function_of(binding.node) is not None:
                        waiting.append(self._bound(binding) or binding.value)
                        waiting += [s.value for s in binding.stores]
                        waiting += [e.value for e in binding.earlier if e.value is not None]
            elif isinstance(part, ast.Attribute) and (made := self._made(part.value)) is not None:
                waiting += self._given(made, part.attr) or [made]
            elif isinstance(part, ast.Call) and (functions := self._program.names.functions(part)):
                made_by = self._class(part)
                if made_by is not None or depth > _DEPTH_MAX:
                    waiting += [*part.args, *(k.value for k in part.keywords)]
                    continue
                for function in functions:
                    found |= self._handed(part, function, depth)
            elif not isinstance(part, ast.Lambda):
                waiting += [c for c in ast.iter_child_nodes(part) if not isinstance(c, ast.expr_context)]
        return found

    def _handed(self, call: ast.Call, function: Function, depth: int) -> set[Way]:
        """Return what a call of a function of the artifact is made of: only what the function reads of it."""
        found: set[Way] = set()
        bound = self._program.calls.bind(call, function)
        given = dict(bound)
        receiver = self._program.calls.receiver(call)
        if function.bound and function.parameters and function.parameters[0] not in given and receiver is not None:
            given[function.parameters[0]] = [receiver]
        for way in self.reads(function):
            for value in given.get(way[0], ()):  # type: ignore[call-overload]  # a parameter, or not in there
                found |= self.field(value, way[1:], depth + 1)
        return found

    def field(self, value: ast.expr, keys: Way, depth: int = 0) -> set[Way]:
        """Return what a field of a value is, or is made of."""
        if keys and (made := self._made(value)) is not None:
            return {w for g in self._given(made, str(keys[0])) for w in self.of(g, depth)}
        way = self.way(value)
        if way is not None:
            return self._whole(way) if way == (_OBJECT,) else {(*way, *keys)}
        return self.of(value, depth)

    @staticmethod
    def _whole(way: Way) -> set[Way]:
        """Return a way; for the request itself, the ways to all that it brings."""
        return {(REQUEST,), (BODY,), (FORM,)} if way == (_OBJECT,) else {way}

    def reads(self, function: Function) -> set[Way]:
        """Return which parameters a function reads, and which of their fields."""
        if function in self._summaries:
            return self._summaries[function]
        self._summaries[function] = set()
        own = {*function.parameters, *function.node.args.kwonlyargs}
        own |= {a for a in (function.node.args.vararg, function.node.args.kwarg) if a is not None}
        found: set[Way] = set()
        for node in ast.walk(function.node):
            if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
                continue
            for binding in self._program.values.bindings(node):
                if isinstance(binding.node, ast.arg) and binding.node in own:
                    found |= self._read(node, binding.node)
        self._summaries[function] = found
        return found

    def _read(self, node: ast.Name, parameter: ast.arg) -> set[Way]:
        """Return what is read of a parameter where it stands."""
        parent = self._program.files.parent(node)
        if isinstance(parent, ast.Subscript) and parent.value is node:
            key = self._key(parent.slice)
            return {(parameter, key) if key is not None else (parameter,)}
        if isinstance(parent, ast.Attribute):
            if not self._called(parent):
                return {(parameter, parent.attr)}
            call = self._program.files.parent(parent)
            assert isinstance(call, ast.Call)
            if parent.attr in _TAKES and call.args and (key := self._key(call.args[0])) is not None:
                return {(parameter, key)}
            functions = self._program.names.functions(call)
            ways = {w for f in functions for w in self.reads(f) if f.bound and w[0] is f.parameters[0]}
            return {(parameter, *w[1:]) for w in ways} if functions else {(parameter,)}
        holder = self._program.files.parent(parent) if isinstance(parent, ast.keyword) else parent
        if isinstance(holder, ast.Call) and node is not holder.func:
            functions = self._program.names.functions(holder)
            if functions and self._class(holder) is None:
                found: set[Way] = set()
                for function in functions:
                    bound = self._program.calls.bind(holder, function)
                    filled = {p for p, values in bound.items() if node in values}
                    found |= {(parameter, *w[1:]) for w in self.reads(function) if w[0] in filled}
                return found
        return {(parameter,)}


def _is_empty(node: ast.expr) -> bool:
    """Return whether an expression is what stands where nothing was sent: `{}`, an empty text, None."""
    if isinstance(node, ast.Dict | ast.List | ast.Tuple):
        return not (node.keys if isinstance(node, ast.Dict) else node.elts)
    return isinstance(node, ast.Constant) and not node.value


def _optional(default: ast.expr | None) -> bool:
    """Return whether a parameter may be left out: `limit: int = 20`, `since: str = Query(None)`."""
    if isinstance(default, ast.Call):
        first = (
            default.args[0] if default.args else next((k.value for k in default.keywords if k.arg == "default"), None)
        )
        return isinstance(first, ast.Constant) and first.value is not ...
    return isinstance(default, ast.Constant)

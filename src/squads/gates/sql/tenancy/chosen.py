"""Whether the tenant that rows are asked for is the caller's own: not one that the client names, and not left open.

A query by tenant holds nobody back where the tenant comes out of the request (a parameter of the path, a header, the
body) though the program knows whose request it is; nor where the condition is only added if a tenant was given.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.functions import Function, arguments_of, assigned_in, stops_in
from squads.gates.sql.tenancy.learning import is_caller
from squads.gates.sql.tenancy.words import names_person, root_of

_INPUT = re.compile(
    r"\b(request|req|self\.request)\.(args|headers|json|form|GET|POST|query_params|cookies|values|data|get_json|query"
    r"|path_params|match_info|rel_url|view_args|get_argument|META)\b|\bself\.kwargs\b"
)
_BODY = re.compile(r"payload|body|data|form|filters?|params|query|dto|command|input|message|event")
_ROUTE = re.compile(r"\.(get|post|put|patch|delete|route|websocket|api_route)\(|api_view")
_CHECKED = re.compile(
    r"Depends|Security|require|permission|member|authorize|guard|protect|scoped|passes_test|admin|staff|roles?\b",
    re.IGNORECASE,
)
_STANDS_ABOVE = re.compile(r"\.is_(?:staff|superuser|admin)\b|\.has_perms?\(|PermissionRequired|UserPassesTest")
_SIGNED_IN = re.compile(
    r"\b(login|auth|jwt|token|session)_required|\brequires?_(login|auth|POST|GET|safe|http_methods)\b"
)
"""What only asks that somebody is there, or how a request was sent: nothing of which tenant is theirs."""
_HARMLESS = re.compile(
    r"^(int|str|UUID|len|jsonify|format|bool|dict|list|tuple|print|text)$|log|warn|info|debug|\.join$|execute|fetch"
)
_NO_PERSON = frozenset(
    ["status", "kind", "type", "name", "region", "locale", "currency", "role", "device", "session", "parent"]
)
_MARK = r"(?P<given>%\((?P<a>\w+)\)s|%s|:(?P<b>\w+)|\$(?P<c>\d+)|\?)"


def client_chooses(hand: Hand, function: Function | None, values: Iterable[ast.expr], call: ast.AST) -> bool:
    """Return whether every value that the key is compared with is the client's, though the caller's own is known.

    Args:
        hand: The module.
        function: Where the query stands.
        values: What the key is compared with.
        call: The query.
    """
    given = list(values)
    if function is None or not given or not hand.identity(function) or hand.looks_after(function):
        return False
    if any(_CHECKED.search(_SIGNED_IN.sub("", ast.unparse(d))) for d in function.decorator_list):
        return False
    if _STANDS_ABOVE.search(ast.unparse(function)) or own_rows(persons_in_chain(call)):
        return False
    return all(_of_client(v, function) and not _asked_elsewhere(v, function, call) for v in given)


def _of_client(value: ast.expr, function: Function, depth: int = 0) -> bool:
    if _INPUT.search(ast.unparse(value)):
        return True
    if isinstance(value, ast.Call) and value.args and depth < 4:
        return _of_client(value.args[0], function, depth + 1)
    routed = any(_ROUTE.search(ast.unparse(d)) for d in function.decorator_list)
    if isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        kinds = {a.arg: a for a in arguments_of(function)}
        return routed and value.value.id in kinds and _BODY.search(value.value.id) is not None
    if not isinstance(value, ast.Name) or depth > 4:
        return False
    told = [v for n, v in assigned_in(function) if n == value.id]
    if told:
        return all(_of_client(v, function, depth + 1) for v in told)
    if not routed or value.id not in {a.arg for a in arguments_of(function)}:
        return False
    return not _is_injected(function, value.id)


def _is_injected(function: Function, name: str) -> bool:
    """Return whether an argument of a route comes from the program itself: `Depends(...)`, an annotated alias."""
    held = function.args
    every = [*held.posonlyargs, *held.args]
    defaults = (
        dict(zip([a.arg for a in every][-len(held.defaults) :], held.defaults, strict=True)) if held.defaults else {}
    )
    defaults |= {a.arg: d for a, d in zip(held.kwonlyargs, held.kw_defaults, strict=True) if d is not None}
    told = ast.unparse(defaults[name]) if name in defaults else ""
    kind = next((a.annotation for a in (*every, *held.kwonlyargs) if a.arg == name), None)
    text = ast.unparse(kind) if kind is not None else ""
    plain = re.sub(r"[\[\]|, ]|Annotated|None|Optional|Path|Query|Header|Body|Form|\(.*?\)", " ", text).split()
    simple = {"int", "str", "UUID", "uuid.UUID", "PositiveInt", "bool"}
    return "Depends" in told + text or "Security" in told + text or not set(plain) <= simple


def _asked_elsewhere(value: ast.expr, function: Function, call: ast.AST) -> bool:
    """Return whether a value is handed to something that may refuse it: a check of membership, a dependency."""
    inside = {id(n) for n in ast.walk(call)}
    names = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} - {"request", "self"}
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and id(node) not in inside:
            called = ast.unparse(node.func)
            words = [*node.args, *(k.value for k in node.keywords)]
            direct = any(isinstance(w, ast.Name) and w.id in names for w in words)
            if direct and not _HARMLESS.search(called):
                return True
        if isinstance(node, ast.Compare) and id(node) not in inside:
            named = any(isinstance(s, ast.Name) and s.id in names for s in (node.left, *node.comparators))
            if named and not any(isinstance(s, ast.Constant) and s.value is None for s in node.comparators):
                return True
    return False


def compared_in_text(text: str, call: ast.Call, keys: Iterable[str], function: Function | None) -> list[ast.expr]:
    """Return what a query in a string compares its keys with: the arguments behind its placeholders."""
    named = "|".join(re.escape(k) for k in sorted(keys))
    found: list[ast.expr] = []
    marks = list(re.finditer(_MARK, text))
    rest = call.args[1:]
    if rest and isinstance(rest[0], (ast.Constant, ast.JoinedStr, ast.BinOp)) and isinstance(call.args[0], ast.Name):
        rest = rest[1:]  # fetch(request, "SELECT ...", values)
    given: list[ast.expr] = list(rest)
    if len(rest) == 1 and isinstance(rest[0], ast.Name) and function is not None:
        told = [v for n, v in assigned_in(function) if n == rest[0].id]
        rest = told[:1] if len(told) == 1 else []
    if len(rest) == 1 and isinstance(rest[0], (ast.Tuple, ast.List)):
        given = rest[0].elts
    known = {}
    if len(rest) == 1 and isinstance(rest[0], ast.Dict):
        known = {k.value: v for k, v in zip(rest[0].keys, rest[0].values, strict=True) if isinstance(k, ast.Constant)}
    known |= {k.arg: k.value for k in call.keywords if k.arg}
    for match in re.finditer(rf"\b(?:{named})\"?\s*=\s*{_MARK}", text, re.IGNORECASE):
        name, number = match["a"] or match["b"], match["c"]
        if name:
            found += [known[name]] if name in known else []
        elif number:
            found += given[int(number) - 1 : int(number)]
        else:
            at = sum(m.start() < match.start("given") and m["given"] in ("%s", "?") for m in marks)
            found += given[at : at + 1]
    return found


def compared_in_chain(chain: ast.expr, roots: frozenset[str]) -> Iterator[ast.expr]:
    """Yield what a chain of calls compares its keys with."""
    for node in ast.walk(chain):
        if isinstance(node, ast.keyword) and node.arg and root_of(node.arg.split("__")[0]) in roots:
            yield node.value
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
            sides = [node.left, *node.comparators]
            own = [s for s in sides if isinstance(s, ast.Attribute) and root_of(s.attr) in roots]
            models = [s for s in own if isinstance(s.value, ast.Name) and s.value.id[:1].isupper()]
            if models:
                yield from (s for s in sides if s is not models[0])


def own_rows(values: Iterable[ast.expr]) -> bool:
    """Return whether what a person's column is compared with is the caller: `user.id`, `request.user`, `me`."""
    for value in values:
        read = isinstance(value, ast.Attribute) and value.attr in ("id", "pk", "uuid", "sub", "user_id")
        if (
            read
            and isinstance(value, ast.Attribute)
            and is_caller(value.value)
            and getattr(value.value, "id", "") not in ("self", "cls")
        ):
            return True
        text = ast.unparse(value)
        if text in ("user", "me", "current_user", "request.user", "self.request.user", "g.user", "g.user_id"):
            return True
    return False


def persons_in_chain(chain: ast.AST) -> Iterator[ast.expr]:
    """Yield what a chain of calls compares the columns of a person with."""
    for node in ast.walk(chain):
        if isinstance(node, ast.keyword) and node.arg and _is_person(node.arg.split("__")[0]):
            yield node.value
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq) and isinstance(node.left, ast.Attribute):
            yield from node.comparators[:1] if _is_person(node.left.attr) else []


def _is_person(column: str) -> bool:
    return names_person(column) and root_of(column) not in _NO_PERSON


def left_open(hand: Hand, function: Function | None) -> ast.If | None:
    """Return the IF without which a function does not ask for the tenant: `if org_id: query += ...`."""
    if function is None:
        return None
    optional = set(_optional(function))
    parents = {c: p for p in ast.walk(function) for c in ast.iter_child_nodes(p)}
    found: ast.If | None = None
    for node in ast.walk(function):
        if not _adds_key(node, hand.roots):
            continue
        here: ast.AST | None = node
        under: ast.If | None = None
        while here is not None and here is not function:
            above = parents.get(here)
            if isinstance(above, ast.If) and here in above.body and _asks_given(above.test, hand.roots, optional):
                under = above
            here = above
        if under is None or any(isinstance(n, (ast.Raise, ast.Return)) or stops_in(n) for n in under.orelse):
            return None
        found = under
    if found is None or any(
        isinstance(n, ast.If)
        and n is not found
        and hand.names_tenant(n.test)
        and any(isinstance(s, (ast.Raise, ast.Return)) or stops_in(s) for s in n.body)
        for n in ast.walk(function)
    ):
        return None
    return found


def _optional(function: Function) -> Iterator[str]:
    """Yield the arguments that need not be given, and variables that hold what a request may leave out."""
    held = function.args
    every = [*held.posonlyargs, *held.args]
    pairs = [*zip(every[len(every) - len(held.defaults) :], held.defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(held.kwonlyargs, held.kw_defaults, strict=True) if d is not None]
    for argument, default in pairs:
        inside = (
            [*default.args[:1], *(k.value for k in default.keywords if k.arg == "default")]
            if isinstance(default, ast.Call)
            else [default]
        )
        if any(isinstance(d, ast.Constant) and d.value in (None, 0, "") for d in inside):
            yield argument.arg
    for name, value in assigned_in(function):
        if _INPUT.search(ast.unparse(value)) or (
            isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "get"
        ):
            yield name


def _asks_given(test: ast.expr, roots: frozenset[str], optional: set[str]) -> bool:
    """Return whether a test only asks whether a tenant was given."""
    if isinstance(test, ast.NamedExpr):
        test = test.value
    if isinstance(test, ast.Compare):
        plain = isinstance(test.ops[0], (ast.IsNot, ast.NotEq)) and isinstance(test.comparators[0], ast.Constant)
        test = test.left if plain else test
    return isinstance(test, ast.Name) and root_of(test.id) in roots and test.id in optional


def _adds_key(node: ast.AST, roots: frozenset[str]) -> bool:
    """Return whether a node asks for the tenant: a piece of SQL, a comparison of a model's column, a filter."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        found = re.findall(r"\b(\w+)\"?\s*(?:=|in\b)\s*[(%:$?{]", node.value + " ?", re.IGNORECASE)
        return any(root_of(k) in roots for k in found)
    if isinstance(node, ast.keyword) and node.arg:
        return root_of(node.arg.split("__")[0]) in roots
    if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute):
        return root_of(node.left.attr) in roots and isinstance(node.ops[0], ast.Eq) and not is_caller(node.left.value)
    return False

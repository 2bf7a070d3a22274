"""Whether a function has the tenant at hand, and whether it looks after the tenant in another way than by its query."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from squads.gates.sql.tenancy.learning import gives, is_caller
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.words import root_of
from squads.gates.words import word_set

Function = ast.FunctionDef | ast.AsyncFunctionDef
_ASKED = re.compile(
    r"authori[sz]e|check_access|ensure_|verify_access|require_|check_permission|has_permission|check_object|assert_|"
    r"enforce|guard|belongs_to|can_(read|see|access|edit|view)|deny",
    re.IGNORECASE,
)
_STOPS = re.compile(r"abort|raise|http|forbid|deny|notfound|not_found", re.IGNORECASE)
_QUERIES = re.compile(
    r"\.(first|one|one_or_none|scalar\w*|fetch\w*|execute|all|objects|query|exec|get_or_none)\b|_or_404"
    r"|\b(session|db|conn|connection|repo|store|repository|s)\.get\("
    r"|\bawait (?!.*\b(acquire|connect|cursor|session|begin|json|body)\b)",
    re.IGNORECASE,
)
_ROUTE = re.compile(r"\.(get|post|put|patch|delete|route|websocket|api_route)\(|^login_required|api_view")
_REQUESTED = re.compile(r"\.(args|headers|json|form|GET|POST|query_params|cookies|values|match_info|path_params)\b")
_CHANGES = word_set("append add extend update setdefault insert execute scalars scalar run fetch fetchrow")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _carriers(tree: ast.Module, roots: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and root_of(node.attr) in roots:
            yield ast.unparse(node.value)
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and is_caller(node.value):
            yield from [ast.unparse(node.value)] if root_of(str(node.slice.value)) in roots else []


class Hand:
    """Answers for the functions of one module and the roots of the keys that count there."""

    def __init__(self, tree: ast.Module, roots: frozenset[str], modules: Modules) -> None:
        self.tree = tree
        self.roots = roots
        self._modules = modules

    @cached_property
    def _carriers(self) -> list[str]:
        """What the tenant is read from somewhere in the module: `self`, `request.user`, `ctx`."""
        return sorted(set(_carriers(self.tree, self.roots)))

    @cached_property
    def _given(self) -> str:
        """The first function or variable of the module that tells the tenant of the caller: `current_tenant`."""
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                found |= {name for a in node.names if gives(name := a.asname or a.name, self.roots)}
            elif isinstance(node, _FUNCTIONS) and gives(node.name, self.roots) and not arguments_of(node):
                found.add(node.name)
        for statement in self.tree.body:
            if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                found |= {t.id for t in targets if isinstance(t, ast.Name) and gives(t.id, self.roots)}
        return min(found, default="")

    @cached_property
    def _defined(self) -> dict[str, Function]:
        return {n.name: n for n in ast.walk(self.tree) if isinstance(n, _FUNCTIONS)}

    def _carry(self, names: set[str]) -> bool:
        """Return whether one of `names` is a class that carries the tenant: `Caller`, `Till`."""
        return any(self._modules.carries(name, self.roots) for name in names)

    def has(self, function: Function | None, owner: ast.ClassDef | None) -> str:
        """Return what gives the tenant to a function, empty where nothing does."""
        if function is None:
            return ""
        names = [a.arg for a in arguments_of(function)]
        for name in names:
            if root_of(name) in self.roots:
                return name
        for argument in arguments_of(function):
            kind = argument.annotation
            named = {n.id for n in ast.walk(kind) if isinstance(n, ast.Name)} if kind is not None else set()
            named |= {n.attr for n in ast.walk(kind) if isinstance(n, ast.Attribute)} if kind is not None else set()
            if is_caller(ast.Name(argument.arg)) and self._carry(named):
                return argument.arg
        inside = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | set(names)
        for node in ast.walk(function):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in (
                    n for t in targets for n in ([t] if isinstance(t, ast.Name) else getattr(t, "elts", []))
                ):
                    if isinstance(target, ast.Name) and root_of(target.id) in self.roots:
                        return target.id
        for carrier in self._carriers:
            first = re.split(r"[.(\[]", carrier)[0]
            if first in ("self", "cls"):
                if owner is not None and first in names and self._in_class(owner, carrier):
                    return carrier
            elif (
                first in names
                or (first in inside and first in ("g", "request", "current_user", "session", "ctx"))
                or (
                    first in ("g", "request", "current_user")
                    and function in ast.walk(self.tree)
                    and self._asks_web(function)
                )
            ):
                return carrier
        return self._given

    def identity(self, function: Function) -> str:
        """Return what tells a function whose request it is: `me`, `g`, `request.user`; empty where nothing does."""
        names = {a.arg for a in arguments_of(function)}
        for argument in arguments_of(function):
            if argument.annotation is not None and argument.arg not in ("self", "cls"):
                words = set(re.findall(r"\w+", ast.unparse(argument.annotation)))
                if is_caller(ast.Name(argument.arg)) and self._carry(words):
                    return argument.arg
        for carrier in self._carriers:
            first = re.split(r"[.(\[]", carrier)[0]
            if _REQUESTED.search(carrier) or not is_caller(ast.parse(carrier, mode="eval").body):
                continue
            if first in names - {"self", "cls"} or first in ("g", "current_user"):
                return carrier
            if carrier.startswith("self.request") and "self" in names:
                return carrier
        return self._given

    def asked_by_others(self, function: Function | None) -> bool:
        """Return whether somebody who calls a function looks after the tenant of what it answers."""
        if function is None:
            return False
        return any(self.looks_after(c) for c in self._modules.callers(function.name) if c is not function)

    def answers(self, function: Function) -> bool:
        """Return whether a function answers a request: it is no job, whatever it is called."""
        return self._asks_web(function) or "request" in {a.arg for a in arguments_of(function)}

    def _asks_web(self, function: Function) -> bool:
        """Return whether a function answers a request: a decorator that binds it to a path."""
        return any(_ROUTE.search(ast.unparse(d)) for d in function.decorator_list)

    def _in_class(self, owner: ast.ClassDef, carrier: str) -> bool:
        known = {n.name: n for n in ast.walk(self.tree) if isinstance(n, ast.ClassDef)}
        family = [owner, *(known[b.id] for b in owner.bases if isinstance(b, ast.Name) and b.id in known)]
        return any(
            isinstance(n, ast.Attribute) and root_of(n.attr) in self.roots and ast.unparse(n.value) == carrier
            for c in family
            for n in ast.walk(c)
        )

    def names_tenant(self, node: ast.AST) -> bool:
        """Return whether an expression names the tenant, or a key."""
        for inner in ast.walk(node):
            word = inner.id if isinstance(inner, ast.Name) else inner.attr if isinstance(inner, ast.Attribute) else ""
            if not word and isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                word = inner.value if inner.value.isidentifier() else ""
            if word and root_of(word) in self.roots:
                return True
        return False

    def looks_after(self, function: Function | None) -> bool:
        """Return whether a function compares the tenant of what it found and stops, or leaves that to a helper."""
        if function is None:
            return False
        for node in ast.walk(function):
            if isinstance(node, ast.If) and self._compares(node.test):
                if any(isinstance(s, (ast.Raise, ast.Return, ast.Continue)) or stops_in(s) for s in node.body):
                    return True
                if node.orelse and any(isinstance(s, (ast.Raise, ast.Return)) or stops_in(s) for s in node.orelse):
                    return True
            elif (
                (isinstance(node, (ast.Assert, ast.IfExp)) and self._compares(node.test))
                or (isinstance(node, ast.Return) and node.value is not None and self._compares(node.value))
                or (isinstance(node, ast.match_case) and node.guard is not None and self._compares(node.guard))
                or (isinstance(node, ast.comprehension) and any(self._keeps_own(node, i) for i in node.ifs))
                or (isinstance(node, ast.Call) and self._asks(node))
            ):
                return True
            ways = [*node.body, *node.orelse] if isinstance(node, ast.If) else []
            stops = any(isinstance(s, (ast.Raise, ast.Return)) or stops_in(s) for s in ways)
            if stops and isinstance(node, ast.If) and self._is_among(node.test, function):
                return True
        return False

    def _keeps_own(self, rows: ast.comprehension, test: ast.expr) -> bool:
        """Return whether a comprehension keeps the rows of the tenant: `if w == shop_id`, w being read from the row."""
        read = {n.id for n in ast.walk(rows.target) if isinstance(n, ast.Name)}
        for node in ast.walk(test):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
                sides = {s.id for s in (node.left, *node.comparators) if isinstance(s, ast.Name)}
                if sides & read and any(root_of(s) in self.roots for s in sides - read):
                    return True
        return self._compares(test)

    def _is_among(self, test: ast.AST, function: Function) -> bool:
        """Return whether a test asks if something is among what was found by tenant: `claim_id not in own`."""
        given = dict(assigned_in(function))
        for node in ast.walk(test):
            if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
                held = node.comparators[0]
                value = given.get(held.id) if isinstance(held, ast.Name) else held
                if isinstance(value, (ast.Call, ast.SetComp, ast.ListComp)) and self.names_tenant(value):
                    return True
        return False

    def guards(self, function: Function | None, call: ast.Call) -> bool:
        """Return whether a helper of the module keeps to the tenant: it gets the query, or was asked first."""
        if function is None:
            return False
        helper = self._helper(call)
        if helper is not None and (self._speaks(helper) or any(self.names_tenant(a) for a in call.args[1:])):
            return True
        given = {
            n.id
            for a in [*call.args[1:], *(k.value for k in call.keywords)]
            for n in ast.walk(a)
            if isinstance(n, ast.Name)
        }
        given -= {a.arg for a in arguments_of(function) if root_of(a.arg) in self.roots or a.arg in ("self", "cls")}
        held: set[str] = set()
        for name, value in assigned_in(function):
            if value.lineno < call.lineno and any(self._finds(n) for n in ast.walk(value) if isinstance(n, ast.Call)):
                held.add(name)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node.lineno < call.lineno and self._finds(node):
                shares = given & {n.id for a in node.args for n in ast.walk(a) if isinstance(n, ast.Name)}
                found = self._helper(node)
                if (
                    shares
                    and found is not None
                    and any(isinstance(n, ast.Raise) or stops_in(n) for n in ast.walk(found))
                ):
                    return True
            if isinstance(node, ast.If) and node.lineno < call.lineno:
                named = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
                asks = any(self._finds(n) for n in ast.walk(node.test) if isinstance(n, ast.Call))
                stops = any(isinstance(s, (ast.Raise, ast.Return, ast.Continue)) or stops_in(s) for s in node.body)
                around = any(n is call for s in node.body for n in ast.walk(s))
                if (named & held or asks) and (stops or around):
                    return True
        return False

    def _helper(self, call: ast.Call) -> Function | None:
        called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        plain = isinstance(call.func, ast.Name) or getattr(getattr(call.func, "value", None), "id", "") in (
            "self",
            "cls",
        )
        return self._defined.get(called) if plain else None

    def _speaks(self, helper: Function) -> bool:
        """Return whether a function brings the tenant in itself: in the text of a query, or in a comparison."""
        body = helper.body[1:] if ast.get_docstring(helper) else helper.body
        for node in (n for s in body for n in ast.walk(s)):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if any(root_of(w) in self.roots for w in re.findall(r"\w+", text)):
                return True
        return self.looks_after(helper)

    def _finds(self, call: ast.Call) -> bool:
        helper = self._helper(call)
        return helper is not None and self._speaks(helper)

    def _compares(self, test: ast.AST) -> bool:
        for node in ast.walk(test):
            if isinstance(node, ast.Compare) and isinstance(
                node.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In)
            ):
                sides = [node.left, *node.comparators]
                read = [s for s in sides if isinstance(s, (ast.Attribute, ast.Subscript, ast.Call))]
                two = len({ast.unparse(s) for s in sides}) > 1 and not any(isinstance(s, ast.Constant) for s in sides)
                if two and any(self.names_tenant(s) for s in read):
                    return True
                numbered = any(isinstance(s, ast.Subscript) and isinstance(s.slice, ast.Constant) for s in sides)
                if two and numbered and any(isinstance(s, ast.Name) and self.names_tenant(s) for s in sides):
                    return True  # row[3] == org_id
        return False

    def _asks(self, node: ast.Call) -> bool:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if not _ASKED.search(called) or not node.args:
            return False
        own = self._defined.get(called)
        return own is None or any(isinstance(n, ast.Raise) or stops_in(n) for n in ast.walk(own))

    def derived(self, function: Function | None, node: ast.AST) -> bool:
        """Return whether values in `node` come from rows that the function found before: these answer for it."""
        if function is None:
            return False
        own = {a.arg for a in arguments_of(function)}
        names = _values(node) - own
        line = getattr(node, "lineno", 0)
        found: set[str] = set()
        for name, value in sorted(assigned_in(function), key=lambda pair: pair[1].lineno):
            if value.lineno < line and (_values(value) & found or _QUERIES.search(ast.unparse(value))):
                found.add(name)
        return bool(found & names)

    def growth(self, function: Function | None, names: set[str], chain: ast.AST) -> Iterator[ast.expr]:
        """Yield what gives variables a condition that names the tenant, elsewhere in the function than in `chain`."""
        if function is None:
            return
        for name, value in assigned_in(function):
            if name in names and self.names_tenant(value) and not any(n is chain for n in ast.walk(value)):
                yield value
        dropped = {id(n.value) for n in ast.walk(function) if isinstance(n, ast.Expr)}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if id(node) in dropped and node.func.attr not in _CHANGES:
                    continue  # `stmt.where(...)` alone: what it returns is thrown away
                root = node.func.value
                while isinstance(root, (ast.Attribute, ast.Call)):
                    root = root.func if isinstance(root, ast.Call) else root.value
                if (
                    isinstance(root, ast.Name)
                    and root.id in names
                    and any(self.names_tenant(a) for a in (*node.args, *(k.value for k in node.keywords)))
                ):
                    yield node


def _values(node: ast.AST) -> set[str]:
    """Return the names whose values an expression hands on; not those whose methods it calls."""
    called = {
        id(n.func.value)
        for n in ast.walk(node)
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and isinstance(n.func.value, ast.Name)
        and n.args
    }
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called}


def arguments_of(function: Function) -> list[ast.arg]:
    """Return the arguments of a function."""
    held = function.args
    return [*held.posonlyargs, *held.args, *held.kwonlyargs]


def assigned_in(function: Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield what the names of a function are given: (name, value)."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        yield name.id, node.value
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)) and isinstance(node.target, ast.Name) and node.value:
            yield node.target.id, node.value
        elif isinstance(node, (ast.For, ast.AsyncFor)):
            for name in ast.walk(node.target):
                if isinstance(name, ast.Name):
                    yield name.id, node.iter
        elif isinstance(node, ast.NamedExpr) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def stops_in(node: ast.AST) -> bool:
    """Return whether a statement is a call that ends the request: `abort(404)`."""
    value = node.value if isinstance(node, ast.Expr) else node
    if not isinstance(value, ast.Call):
        return False
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return _STOPS.search(called) is not None

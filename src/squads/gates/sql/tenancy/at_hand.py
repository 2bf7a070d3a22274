"""Whether a function has the tenant at hand, and whether it looks after the tenant in another way than by its query."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from squads.gates.sql.tenancy.words import root_of

Function = ast.FunctionDef | ast.AsyncFunctionDef
_ASKED = re.compile(
    r"authori[sz]e|check_access|ensure_|verify_access|require_|check_permission|has_permission|check_object|assert_|"
    r"enforce|guard|belongs_to|can_(read|see|access|edit|view)|deny",
    re.IGNORECASE,
)
_STOPS = re.compile(r"abort|raise|http|forbid|deny|notfound|not_found", re.IGNORECASE)
_QUERIES = re.compile(
    r"\.(first|one|one_or_none|scalar\w*|get|fetch\w*|execute|all|objects|query)\b|await |_or_404", re.IGNORECASE
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Hand:
    """Answers for the functions of one module and the roots of the keys that count there."""

    def __init__(self, tree: ast.Module, roots: frozenset[str]) -> None:
        self.tree = tree
        self.roots = roots
        self._carriers = {
            ast.unparse(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute) and root_of(n.attr) in roots
        }
        """What the tenant is read from somewhere in the module: `self`, `request.user`, `ctx`."""
        self._defined = {n.name: n for n in ast.walk(tree) if isinstance(n, _FUNCTIONS)}

    def has(self, function: Function | None, owner: ast.ClassDef | None) -> str:
        """Return what gives the tenant to a function, empty where nothing does."""
        if function is None:
            return ""
        names = [a.arg for a in _arguments(function)]
        for name in names:
            if root_of(name) in self.roots:
                return name
        inside = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)} | set(names)
        for node in ast.walk(function):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if isinstance(target, ast.Name) and root_of(target.id) in self.roots:
                        return target.id
        for carrier in sorted(self._carriers):
            first = re.split(r"[.(\[]", carrier)[0]
            if first in ("self", "cls"):
                if owner is not None and first in names and self._in_class(owner, carrier):
                    return carrier
            elif first in names or (first in inside and first in ("g", "request", "current_user", "session", "ctx")):
                return carrier
        return ""

    def _in_class(self, owner: ast.ClassDef, carrier: str) -> bool:
        return any(
            isinstance(n, ast.Attribute) and root_of(n.attr) in self.roots and ast.unparse(n.value) == carrier
            for n in ast.walk(owner)
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
                if any(isinstance(s, (ast.Raise, ast.Return, ast.Continue)) or _stops(s) for s in node.body):
                    return True
                if node.orelse and any(isinstance(s, (ast.Raise, ast.Return)) or _stops(s) for s in node.orelse):
                    return True
            elif (
                (isinstance(node, (ast.Assert, ast.IfExp)) and self._compares(node.test))
                or (isinstance(node, ast.Return) and node.value is not None and self._compares(node.value))
                or (isinstance(node, ast.comprehension) and any(self._compares(i) for i in node.ifs))
                or (isinstance(node, ast.Call) and self._asks(node))
            ):
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
        given -= {a.arg for a in _arguments(function) if root_of(a.arg) in self.roots or a.arg in ("self", "cls")}
        held: set[str] = set()
        for name, value in _assigned(function):
            if value.lineno < call.lineno and any(self._finds(n) for n in ast.walk(value) if isinstance(n, ast.Call)):
                held.add(name)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and node.lineno < call.lineno and self._finds(node):
                shares = given & {n.id for a in node.args for n in ast.walk(a) if isinstance(n, ast.Name)}
                found = self._helper(node)
                if shares and found is not None and any(isinstance(n, ast.Raise) or _stops(n) for n in ast.walk(found)):
                    return True
            if isinstance(node, ast.If) and node.lineno < call.lineno:
                named = {n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)}
                asks = any(self._finds(n) for n in ast.walk(node.test) if isinstance(n, ast.Call))
                stops = any(isinstance(s, (ast.Raise, ast.Return, ast.Continue)) or _stops(s) for s in node.body)
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
        return False

    def _asks(self, node: ast.Call) -> bool:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if not _ASKED.search(called) or not node.args:
            return False
        own = self._defined.get(called)
        return own is None or any(isinstance(n, ast.Raise) or _stops(n) for n in ast.walk(own))

    def derived(self, function: Function | None, node: ast.AST) -> bool:
        """Return whether values in `node` come from rows that the function found before: these answer for it."""
        if function is None:
            return False
        own = {a.arg for a in _arguments(function)}
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - own
        line = getattr(node, "lineno", 0)
        found: set[str] = set()
        for name, value in sorted(_assigned(function), key=lambda pair: pair[1].lineno):
            read = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
            if value.lineno < line and (read & found or _QUERIES.search(ast.unparse(value))):
                found.add(name)
        return bool(found & names)

    def grown(self, function: Function | None, names: set[str]) -> bool:
        """Return whether a variable gets a condition on the tenant elsewhere in the function."""
        if function is None:
            return False
        for name, value in _assigned(function):
            if name in names and self.names_tenant(value):
                return True
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                root = node.func.value
                while isinstance(root, (ast.Attribute, ast.Call)):
                    root = root.func if isinstance(root, ast.Call) else root.value
                if (
                    isinstance(root, ast.Name)
                    and root.id in names
                    and any(self.names_tenant(a) for a in (*node.args, *(k.value for k in node.keywords)))
                ):
                    return True
        return False


def _arguments(function: Function) -> list[ast.arg]:
    held = function.args
    return [*held.posonlyargs, *held.args, *held.kwonlyargs]


def _assigned(function: Function) -> Iterator[tuple[str, ast.expr]]:
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


def _stops(node: ast.AST) -> bool:
    """Return whether a statement is a call that ends the request: `abort(404)`."""
    value = node.value if isinstance(node, ast.Expr) else node
    if not isinstance(value, ast.Call):
        return False
    called = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    return _STOPS.search(called) is not None

"""Whether a function has the tenant at hand, and whether it looks after the tenant in another way than by its query."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from squads.gates.sql.tenancy.functions import Function, arguments_of, assigned_in, is_nothing, stops_in, values_of
from squads.gates.sql.tenancy.holders import Holder
from squads.gates.sql.tenancy.learning import is_caller
from squads.gates.sql.tenancy.modules import Modules
from squads.gates.sql.tenancy.words import root_of
from squads.gates.words import word_set

_ASKED = re.compile(
    r"authori[sz]e|check_access|ensure_|verify_access|require_|check_permission|has_permission|check_object|assert_|"
    r"enforce|guard|belongs_to|can_(read|see|access|edit|view)|deny",
    re.IGNORECASE,
)
QUERIES = re.compile(
    r"\.(first|one|one_or_none|scalar\w*|fetch\w*|execute|all|objects|query|exec|get_or_none|get_object)\b|_or_404"
    r"|\b(session|db|conn|connection|repo|store|repository|s)\.get\("
    r"|\bawait (?!.*\b(acquire|connect|cursor|session|begin|json|body)\b)",
    re.IGNORECASE,
)
_CHANGES = word_set("append add extend update setdefault insert execute scalars scalar run fetch fetchrow")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Hand(Holder):
    """Answers for the functions of one module and the roots of the keys that count there."""

    def __init__(self, tree: ast.Module, roots: frozenset[str], modules: Modules) -> None:
        super().__init__(tree, roots, modules)
        self._inputs: set[str] = set()

    @cached_property
    def _defined(self) -> dict[str, Function]:
        return {n.name: n for n in ast.walk(self.tree) if isinstance(n, _FUNCTIONS)}

    def asked_by_others(self, function: Function | None) -> bool:
        """Return whether somebody who calls a function looks after the tenant of what it answers."""
        if function is None:
            return False
        return any(self.looks_after(c) for c in self.modules.callers(function.name) if c is not function)

    def looks_after(self, function: Function | None, *, rows: bool = False) -> bool:
        """Return whether a function compares the tenant of what it found and stops, or leaves that to a helper.

        With `rows`, a comparison of the caller's tenant with one that the function is given does not count.
        """
        if function is None:
            return False
        self._inputs = {a.arg for a in arguments_of(function)} if rows else set()
        for node in ast.walk(function):
            if isinstance(node, ast.If) and self._compares(node.test):
                if any(isinstance(s, (ast.Raise, ast.Return, ast.Continue)) or stops_in(s) for s in node.body):
                    return True
                if node.orelse and any(isinstance(s, (ast.Raise, ast.Return)) or stops_in(s) for s in node.orelse):
                    return True
                if any(isinstance(s, ast.Assign) and is_nothing(s.value) for s in node.body):
                    return True  # what is another's is dropped: `row = None`
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

    def guards(self, function: Function | None, call: ast.Call, text: str = "", *, chain: bool = False) -> bool:
        """Return whether a helper of the module keeps to the tenant: it gets the query, or was asked first.

        Args:
            function: Where the query stands.
            call: The query.
            text: Its SQL.
            chain: Whether it is a chain of calls over a model: then every name in it may be asked for.
        """
        if function is None:
            return False
        helper = self._helper(call)
        said = any(root_of(w) in self.roots for w in re.findall(r"\w+", text))  # then the text takes the value itself
        handed = not said and any(self.names_tenant(a) for a in call.args[1:])
        if helper is not None and (self._speaks(helper) or handed):
            return True
        given = {
            n.id
            for a in ([call] if chain else [*call.args[1:], *(k.value for k in call.keywords)])
            for n in ast.walk(a)
            if isinstance(n, ast.Name) and not n.id[:1].isupper()
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
        every = [n for s in body for n in ast.walk(s)]
        names = {id(k) for n in every if isinstance(n, ast.Dict) for k in n.keys}  # of values, which a text may use
        names |= {id(n.slice) for n in every if isinstance(n, ast.Subscript)}
        for node in every:
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            text = "" if id(node) in names else text
            if any(root_of(w) in self.roots for w in re.findall(r"\w+", text)):
                return True
            asks = isinstance(node, ast.keyword) and root_of((node.arg or "").split("__")[0]) in self.roots
            if asks or (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq) and self._asks_column(node)):
                return True
        return self.looks_after(helper)

    def _asks_column(self, node: ast.Compare) -> bool:
        """Return whether a model's column of the tenant is compared: `Pupil.school_id == self.school_id`."""
        columns = [
            s for s in (node.left, *node.comparators) if isinstance(s, ast.Attribute) and root_of(s.attr) in self.roots
        ]
        return any(isinstance(c.value, ast.Name) and c.value.id[:1].isupper() for c in columns)

    def _finds(self, call: ast.Call) -> bool:
        helper = self._helper(call)
        return helper is not None and self._speaks(helper)

    def _compares(self, test: ast.AST) -> bool:
        for node in ast.walk(test):
            if isinstance(node, ast.Compare) and isinstance(
                node.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In)
            ):
                sides = [node.left, *node.comparators]
                if self._inputs and all(self._is_input(s) for s in sides):
                    continue
                read = [s for s in sides if isinstance(s, (ast.Attribute, ast.Subscript, ast.Call))]
                two = len({ast.unparse(s) for s in sides}) > 1 and not any(isinstance(s, ast.Constant) for s in sides)
                if two and any(self.names_tenant(s) for s in read):
                    return True
                numbered = any(isinstance(s, ast.Subscript) and isinstance(s.slice, ast.Constant) for s in sides)
                if two and numbered and any(isinstance(s, ast.Name) and self.names_tenant(s) for s in sides):
                    return True  # row[3] == org_id
        return False

    def _is_input(self, node: ast.expr) -> bool:
        """Return whether a side of a comparison is what the function is given, or its caller's: no row's."""
        if isinstance(node, ast.Name):
            return node.id in self._inputs
        return isinstance(node, ast.Attribute) and is_caller(node.value)

    def checked_after(self, function: Function | None, node: ast.expr) -> bool:
        """Return whether what a query found is handed to a helper that compares its tenant, and stops."""
        if function is None:
            return False
        held = {n for n, v in assigned_in(function) if any(c is node for c in ast.walk(v))}
        for call in ast.walk(function) if held else ():
            if isinstance(call, ast.Call) and call.lineno > node.lineno and self._finds(call):
                given = {
                    n.id
                    for a in (*call.args, *(k.value for k in call.keywords))
                    for n in ast.walk(a)
                    if isinstance(n, ast.Name)
                }
                helper = self._helper(call)
                if given & held and helper and any(isinstance(n, ast.Raise) or stops_in(n) for n in ast.walk(helper)):
                    return True
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
        names = values_of(node) - own
        line = getattr(node, "lineno", 0)
        found: set[str] = set()
        for name, value in sorted(assigned_in(function), key=lambda pair: pair[1].lineno):
            if value.lineno < line and (values_of(value) & found or QUERIES.search(ast.unparse(value))):
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

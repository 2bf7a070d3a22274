"""Whether a chain of calls over a model keeps to one tenant: its conditions, one by one, as SQL would weigh them.

The key has to equal something that is no column, in every branch of an OR, and may not be turned round.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterable

from squads.gates.sql.tenancy.at_hand import Hand
from squads.gates.sql.tenancy.functions import Function, assigned_in
from squads.gates.sql.tenancy.words import root_of
from squads.gates.words import word_set

STARTS = frozenset(("select", "update", "delete", "query", "exists"))
_VERBS = word_set(
    "filter where get exclude filter_by get_or_none first one all order_by values join outerjoin select_from "
    "options values_list update limit offset annotate only defer prefetch_related select_related having "
    "group_by like ilike eq in_ is_ is_not isnot any_ on using returning execution_options with_for_update sum "
    "count aggregate label contains or_ and_ not_ append add get_or_404 scalar scalars execute create"
)
_DATA = word_set(
    "values update values_list order_by group_by returning options select_related prefetch_related defer only set "
    "with_only_columns execution_options on_conflict"
)
"""What says which columns are shown or written, and nothing of which rows."""
_SHOWN = _DATA - word_set("values update set on_conflict")
_TAKE_CHAINS = word_set("get_object_or_404 get_list_or_404 aget_object_or_404 union union_all intersect")
_ANY_MODEL = re.compile(r"_*(model|entity|klass|orm|record)(_(class|cls|type))?", re.IGNORECASE)
SCOPED = re.compile(r"scope|visible|accessible|owned|for_user|for_request|restrict|permitted|allowed", re.IGNORECASE)
_SHARED = re.compile(r"public|shared|global|template|published|default|system|is_\(None|isnull", re.IGNORECASE)


def inlined(chain: ast.expr, function: Function | None) -> ast.expr:
    """Return a chain with the conditions that it takes from variables written out: `filter(match)`."""
    if function is None:
        return chain
    given: dict[str, list[ast.expr]] = {}
    for name, value in assigned_in(function):
        given.setdefault(name, []).append(value)

    class Inline(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            values = given.get(node.id, [])
            return values[0] if len(values) == 1 and _is_condition(values[0]) else node

    return ast.fix_missing_locations(Inline().visit(copy.deepcopy(chain)))  # type: ignore[no-any-return]


def narrowing(chain: ast.expr) -> ast.expr:
    """Return a chain without the calls that only say what is shown or written: `select_related("club")`."""

    class Narrowing(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            if isinstance(node.func, ast.Attribute) and node.func.attr in _SHOWN:
                return self.visit(node.func.value)  # type: ignore[no-any-return]
            return self.generic_visit(node)  # type: ignore[return-value]

    return ast.fix_missing_locations(Narrowing().visit(copy.deepcopy(chain)))  # type: ignore[no-any-return]


def _is_condition(node: ast.expr) -> bool:
    """Return whether an expression is a condition of a query: `Q(a=1) | Q(b=2)`, `Doc.title.ilike(words)`."""
    if not isinstance(node, (ast.BinOp, ast.Call, ast.Compare, ast.UnaryOp, ast.BoolOp)):
        return False
    called = {
        n.func.attr if isinstance(n.func, ast.Attribute) else getattr(n.func, "id", "")
        for n in ast.walk(node)
        if isinstance(n, ast.Call)
    }
    return bool(called & {"Q", "or_", "and_", "not_", "ilike", "like", "in_", "between"}) and not called & STARTS


def is_bound(chain: ast.expr, roots: frozenset[str], hand: Hand, model: str = "") -> tuple[bool, str]:
    """Return whether a chain names the tenant in a way that keeps to it, and if not, why not.

    Args:
        chain: The whole chain of calls.
        roots: The roots of the model's keys.
        hand: The module.
        model: The model that is asked.
    """
    found = _Chain(roots, hand, model).whole(chain)
    return found == BOUND, "" if found == BOUND else found or "missing"


BOUND = "bound"


def _all_of(found: Iterable[str]) -> str:
    """Return what conditions hold together: one that binds is enough."""
    every = [f for f in found if f]
    return BOUND if BOUND in every else every[0] if every else ""


class _Chain:
    """Weighs the conditions of one chain: BOUND, why one only seems to bind, or empty where nothing is said."""

    def __init__(self, roots: frozenset[str], hand: Hand, model: str) -> None:
        self.roots, self.hand, self.model = roots, hand, model
        self.rows: set[str] = set()

    def whole(self, node: ast.expr) -> str:
        """Weigh a chain of calls, and everything that it is called on."""
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=called)):
                return _all_of([self.whole(value), self._given(called, node, of_session=_of_session(value))])
            case ast.Call(func=ast.Name(id=called)):
                return self._given(called, node, of_session=False)
            case ast.Attribute(value=value, attr=named):
                return BOUND if named not in _VERBS and self._scopes(named) else self.whole(value)
            case ast.Await(value=value) | ast.Subscript(value=value):
                return self.whole(value)
        return ""

    def _scopes(self, name: str) -> bool:
        return SCOPED.search(name) is not None or any(r in name.lower() for r in self.roots)

    def _given(self, called: str, node: ast.Call, *, of_session: bool) -> str:
        """Weigh one call of a chain with what it is given."""
        if called in _DATA:
            return ""
        given = [*node.args, *(k.value for k in node.keywords)]
        own = called not in _VERBS and called not in STARTS
        if own and (self._scopes(called) or (not of_session and any(self.hand.names_tenant(a) for a in given))):
            return BOUND  # a method of this program's that is given the tenant: `objects.of(account)`
        outer = called == "outerjoin" or any(k.arg in ("isouter", "full") for k in node.keywords)
        found = []
        for argument in (*node.args, *node.keywords):
            if outer and not self._joins_own(argument):
                continue
            if called in STARTS or called in _TAKE_CHAINS:
                inner = argument.value if isinstance(argument, ast.keyword) else argument
                found.append(self.whole(inner) if isinstance(inner, ast.Call) else "")
            found.append(self.condition(argument, negated=called in ("exclude", "not_")))
        return _all_of(found)

    def _joins_own(self, node: ast.AST) -> bool:
        """Return whether the condition of an outer join says something of the model that is asked."""
        owners = {n.value.id for n in ast.walk(node) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name)}
        return not self.model or self.model not in owners

    def condition(self, node: ast.AST, *, negated: bool = False) -> str:
        """Weigh one condition."""
        match node:
            case ast.keyword(arg=None) | ast.Starred():
                return ""
            case ast.keyword():
                return self._keyword(node, negated)
            case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=inner):
                return self.condition(inner, negated=not negated)
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
                return self._ways([left, right], isinstance(op, ast.BitOr), negated)
            case ast.BoolOp(op=op, values=values) if self.rows:
                return self._ways(values, isinstance(op, ast.Or), negated)
            case ast.BoolOp(op=op, values=values):
                return self.condition(values[self._kept(op)], negated=negated) or "itself"
            case ast.IfExp(body=body, orelse=orelse):
                return self._ways([body, orelse], True, negated)
            case ast.Compare():
                return self._compare(node, negated)
            case ast.Call():
                return self._call(node, negated)
            case ast.Lambda(args=args, body=body):
                self.rows |= {a.arg for a in args.args}
                return self.condition(body, negated=negated)
            case ast.GeneratorExp(generators=[rows, *_]) | ast.ListComp(generators=[rows, *_]):
                self.rows |= {n.id for n in ast.walk(rows.target) if isinstance(n, ast.Name)}
                return _all_of(self.condition(i) for i in rows.ifs)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return _all_of(self.condition(e, negated=negated) for e in elements)
            case ast.Attribute() | ast.Name():
                return ""
            case ast.Constant(value=str() as text):
                said = re.findall(r"\b(\w+)\"?\s*=\s*[:%?]", text)
                return BOUND if not negated and any(root_of(w) in self.roots for w in said) else ""
        return BOUND if self.hand.names_tenant(node) else ""

    def _kept(self, op: ast.boolop) -> int:
        """Return which side of a Python `and`, `or` between conditions is left: both never are."""
        first = self.hand.uses("sqlalchemy", "sqlmodel", "flask_sqlalchemy")
        return 0 if first == isinstance(op, ast.And) else -1

    def _ways(self, parts: list[ast.expr], either: bool, negated: bool) -> str:
        found = [self.condition(p, negated=negated) for p in parts]
        if either == negated:
            return _all_of(found)
        told = [f for f, p in zip(found, parts, strict=True) if not _SHARED.search(ast.unparse(p))]
        if BOUND in found and all(f == BOUND for f in told):
            return BOUND
        return "or" if any(found) else ""

    def _keyword(self, node: ast.keyword, negated: bool) -> str:
        parts = (node.arg or "").split("__")
        if self.roots & {root_of(p) for p in parts}:
            nothing = isinstance(node.value, ast.Constant) and node.value.value is None
            if parts[-1] in ("isnull", "ne", "not", "gt", "gte", "not_in") or nothing or negated:
                return BOUND if negated and parts[-1] in ("ne", "not", "not_in") else "itself"
            if isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") in ("F", "OuterRef"):
                return "joined"
            return BOUND
        if isinstance(node.value, (ast.Call, ast.Attribute)) and not negated:
            return self.whole(node.value)  # folder__in=Folder.objects.filter(org=org)
        return ""

    def _compare(self, node: ast.Compare, negated: bool) -> str:
        sides = [node.left, *node.comparators]
        own = [s for s in sides if isinstance(s, ast.Attribute) and root_of(s.attr) in self.roots]
        if not own:
            chains = [self.whole(s) for s in sides if isinstance(s, ast.Call)]
            named = any(self.hand.names_tenant(s) for s in sides if not isinstance(s, (ast.Attribute, ast.Name)))
            return _all_of(chains) or (BOUND if named and not negated else "")
        texts = {ast.unparse(s) for s in sides}
        inside = {ast.unparse(n) for s in sides if not isinstance(s, ast.Attribute) for n in ast.walk(s)}
        falls_back = any(ast.unparse(s) in inside for s in own if is_column(s))
        equal = isinstance(node.ops[0], ast.NotEq if negated else ast.Eq)
        among = isinstance(node.ops[0], ast.In) and bool(self.rows) and not negated
        if len(texts) == 1 or not (equal or among) or "None" in texts or falls_back:
            return "itself"
        return "joined" if all(is_column(s) or _starts_with(s, self.rows) for s in sides) else BOUND

    def _call(self, node: ast.Call, negated: bool) -> str:
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        held = node.func.value if isinstance(node.func, ast.Attribute) else None
        own = held is not None and _ends_in(held, self.roots)
        if called in ("or_", "and_", "Q", "all_", "not_"):
            turned = negated ^ (called == "not_")
            if called == "or_":
                return self._ways(list(node.args), True, turned)
            return _all_of(self.condition(a, negated=turned) for a in (*node.args, *node.keywords))
        if own and called in ("is_not", "isnot", "is_", "not_in", "notin_", "__ne__"):
            return BOUND if negated and called in ("not_in", "notin_", "__ne__") else "itself"
        if own and called in ("in_", "any_", "__eq__"):
            return "itself" if negated else BOUND
        if called in ("like", "ilike", "between", "contains", "startswith", "endswith") and not own:
            return ""
        inner = [self.whole(a) for a in node.args if isinstance(a, ast.Call)]
        inner += [
            self.condition(a) for a in (*node.args, *node.keywords) if called in ("has", "any", "where", "filter")
        ]
        found = _all_of([self.whole(node), *inner])
        if found or negated:
            return found
        return BOUND if self._scopes(called) or any(self.hand.names_tenant(a) for a in node.args) else ""


def _of_session(node: ast.expr) -> bool:
    """Return whether something is a session or connection, whose methods only run what they are given."""
    word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return re.search(r"session|^db$|conn|engine|cursor|^s$|func|sa$|sqlalchemy", word, re.IGNORECASE) is not None


def _ends_in(node: ast.expr, roots: frozenset[str]) -> bool:
    return isinstance(node, ast.Attribute) and root_of(node.attr) in roots


def is_column(node: ast.expr) -> bool:
    """Return whether an operand is a column of a model: `Hotel.id`, `self.model.id`."""
    return isinstance(node, ast.Attribute) and (model_named(node.value)[:1].isupper() or is_any_model(node.value))


def model_named(node: ast.expr) -> str:
    """Return how a model is called where it is asked: `Hotel`, `self.model`; empty where it is none."""
    if isinstance(node, ast.Name):
        return node.id
    return ast.unparse(node) if is_any_model(node) else ""


def is_any_model(node: ast.expr) -> bool:
    """Return whether an expression is whatever model its class or function serves: `self.model`, `model`."""
    if isinstance(node, ast.Attribute):
        return (
            isinstance(node.value, ast.Name) and node.value.id in ("self", "cls") and is_any_model(ast.Name(node.attr))
        )
    return isinstance(node, ast.Name) and _ANY_MODEL.fullmatch(node.id) is not None


def _starts_with(node: ast.expr, names: set[str]) -> bool:
    """Return whether an operand is read from one of the rows that a comprehension or lambda goes through."""
    here: ast.expr = node
    while isinstance(here, ast.Attribute):
        here = here.value
    return here is not node and isinstance(here, ast.Name) and here.id in names

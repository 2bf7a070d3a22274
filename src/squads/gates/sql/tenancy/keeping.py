"""Whether a chain of calls over a model keeps to one tenant: its conditions, one by one, as SQL would weigh them.

The key has to equal something that is no column, in every branch of an OR, and may not be turned round.
"""

from __future__ import annotations

import ast
import copy
import re

from squads.gates.sql.tenancy.at_hand import Function, Hand, assigned_in
from squads.gates.sql.tenancy.words import root_of
from squads.gates.words import word_set

STARTS = frozenset(("select", "update", "delete", "query", "exists"))
_VERBS = word_set(
    "filter where get exclude filter_by get_or_none first one all order_by values join outerjoin select_from "
    "options values_list update limit offset annotate only defer prefetch_related select_related having "
    "group_by like ilike eq in_ is_ is_not isnot any_ on using returning execution_options with_for_update sum "
    "count aggregate label contains or_ and_ not_ append add get_or_404 scalar scalars execute create"
)
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


def is_bound(chain: ast.expr, roots: frozenset[str], hand: Hand) -> tuple[bool, str]:
    """Return whether a chain names the tenant in a way that keeps to it, and if not, why not."""
    parents = {c: p for p in ast.walk(chain) for c in ast.iter_child_nodes(p)}
    why = "missing"
    targets = {
        n.id
        for g in ast.walk(chain)
        if isinstance(g, ast.comprehension)
        for n in ast.walk(g.target)
        if isinstance(n, ast.Name)
    } | {a.arg for f in ast.walk(chain) if isinstance(f, ast.Lambda) for a in f.args.args}
    for node in ast.walk(chain):
        if isinstance(node, ast.keyword) and node.arg:
            parts = node.arg.split("__")
            if roots & {root_of(p) for p in parts}:
                if (
                    parts[-1] == "isnull"
                    or (isinstance(node.value, ast.Constant) and node.value.value is None)
                    or _negated(node, parents)
                ):
                    why = "itself"
                elif isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") in ("F", "OuterRef"):
                    why = "joined"
                elif _in_or(node, parents, roots):
                    why = "or"
                else:
                    return True, ""
        elif isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            own = [s for s in sides if isinstance(s, ast.Attribute) and root_of(s.attr) in roots]
            if not own:
                continue
            texts = {ast.unparse(s) for s in sides}
            inside = {ast.unparse(n) for s in sides if not isinstance(s, ast.Attribute) for n in ast.walk(s)}
            falls_back = any(ast.unparse(s) in inside for s in own if is_column(s))
            if (
                len(texts) == 1
                or not isinstance(node.ops[0], ast.Eq)
                or "None" in texts
                or falls_back
                or _negated(node, parents)
            ):
                why = "itself"
            elif _in_or(node, parents, roots):
                why = "or"
            elif all(is_column(s) or _starts_with(s, targets) for s in sides):
                why = "joined"
            else:
                return True, ""
        elif isinstance(node, ast.Attribute):
            parent = parents.get(node)
            called = isinstance(parent, ast.Call) and parent.func is node
            if called and (SCOPED.search(node.attr) or any(r in node.attr.lower() for r in roots)):
                return True, ""
            given = (
                [*parent.args, *(k.value for k in parent.keywords)] if called and isinstance(parent, ast.Call) else []
            )
            if node.attr not in _VERBS and not _of_session(node.value) and any(hand.names_tenant(a) for a in given):
                return True, ""  # a method of this program's that is given the tenant: `objects.of(account)`
            if called and node.attr in ("is_not", "isnot", "is_") and _ends_in(node.value, roots):
                why = "itself"
            if (
                node.attr in ("in_", "any_")
                and isinstance(node.value, ast.Attribute)
                and root_of(node.value.attr) in roots
            ):
                return True, ""
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and (SCOPED.search(node.func.id) or any(r in node.func.id.lower() for r in roots))
        ):
            return True, ""
    return False, why


def _of_session(node: ast.expr) -> bool:
    """Return whether something is a session or connection, whose methods only run what they are given."""
    word = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return re.search(r"session|^db$|conn|engine|cursor|^s$|func|sa$|sqlalchemy", word, re.IGNORECASE) is not None


def _ends_in(node: ast.expr, roots: frozenset[str]) -> bool:
    return isinstance(node, ast.Attribute) and root_of(node.attr) in roots


def is_column(node: ast.expr) -> bool:
    """Return whether an operand is a column of a model: `Hotel.id`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id[:1].isupper()


def _starts_with(node: ast.expr, names: set[str]) -> bool:
    """Return whether an operand is read from one of the rows that a comprehension or lambda goes through."""
    here: ast.expr = node
    while isinstance(here, ast.Attribute):
        here = here.value
    return here is not node and isinstance(here, ast.Name) and here.id in names


def _negated(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether a condition is turned round: `~Q(org=org)`, `exclude(org=org)`, `not_(...)`."""
    turned = False
    here: ast.AST | None = node
    while here is not None:
        above = parents.get(here)
        called = ""
        if isinstance(above, ast.Call) and above.func is not here:
            called = above.func.attr if isinstance(above.func, ast.Attribute) else getattr(above.func, "id", "")
        inverted = isinstance(above, ast.UnaryOp) and isinstance(above.op, (ast.Invert, ast.Not))
        turned ^= inverted or called in ("exclude", "not_")
        here = above
    return turned


def _in_or(node: ast.AST, parents: dict[ast.AST, ast.AST], roots: frozenset[str]) -> bool:
    """Return whether a condition stands in an OR whose other branch lets in what nobody meant to share."""
    here: ast.AST | None = node
    while here is not None:
        above = parents.get(here)
        called = ""
        others: list[ast.AST] = []
        if isinstance(above, ast.Call):
            called = above.func.attr if isinstance(above.func, ast.Attribute) else getattr(above.func, "id", "")
        if called == "or_" and isinstance(above, ast.Call):
            others = [a for a in above.args if a is not here]
        if isinstance(above, ast.BinOp) and isinstance(above.op, ast.BitOr):
            others = [above.right if above.left is here else above.left]
        if others and not all(_SHARED.search(ast.unparse(o)) or _asks(o, roots) for o in others):
            return True
        here = above
    return False


def _asks(node: ast.AST, roots: frozenset[str]) -> bool:
    """Return whether a branch asks for the tenant itself."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _asks(node.left, roots) and _asks(node.right, roots)
    words = [k.arg.split("__")[0] for k in ast.walk(node) if isinstance(k, ast.keyword) and k.arg]
    words += [n.left.attr for n in ast.walk(node) if isinstance(n, ast.Compare) and isinstance(n.left, ast.Attribute)]
    return any(root_of(w) in roots for w in words)

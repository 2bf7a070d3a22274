"""What a policy's condition lets through: asked for a row of another tenant, by an ordinary session.

BOUND is a condition that such a row never fulfils: its key is compared with the session's, or a subquery ties the row
to rows of the session. LEAKS is one that it may fulfil for certain: TRUE, the key compared with itself, a setting that
is merely set or not set, a column that says nothing of tenants, a subquery that is tied to no row or to no session.
OTHER is what cannot be told, and sharing that is meant (`is_public`, roles that stand above). Functions of the schema
are read as what they answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import quietly
from squads.gates.sql.tenancy.conditions import plain
from squads.gates.sql.tenancy.helpers import called_with, is_outer, outer
from squads.gates.sql.tenancy.ties import Ground, Tie
from squads.gates.sql.tenancy.words import many_of, root_of

if TYPE_CHECKING:
    from sqlglot import exp

BOUND, LEAKS, OTHER = "bound", "leaks", "other"
SESSION = re.compile(
    r"current_setting|\bauth\s*\.\s*\w+\s*\(|current_user|session_user|\bjwt\b|current_tenant|session_tenant|"
    r"current_org|current_role|\b\w*(current|session|my|active)_\w*\s*\(",
    re.IGNORECASE,
)
_CALLER = re.compile(
    r"user_metadata|application_name|request\.headers|x-tenant|inet_client|raw_user_meta", re.IGNORECASE
)
_ABOVE = re.compile(
    r"admin|staff|support|superuser|system|service|operator|audit|pg_has_role|maintenance|platform|internal|bypass",
    re.IGNORECASE,
)
_MEANT = re.compile(r"public|publish|global|template|everyone|anonym|demo", re.IGNORECASE)
_SHARED = re.compile(r"visib|shared|default|catalog", re.IGNORECASE)
_DEPTH_MAX = 6


def leak_of(condition: str, key: str, protected: frozenset[str] = frozenset(), ground: Ground | None = None) -> str:
    """Return BOUND, LEAKS or OTHER for a condition on a table whose tenant's key is `key`."""
    held = ground or Ground(key, protected)
    tree = _tree(condition)
    return OTHER if tree is None else _Asked(held).may(tree)


def _tree(text: str) -> exp.Expression | None:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        with quietly():
            select = sqlglot.parse_one(f"SELECT ({text})", read="postgres")
    except (SqlglotError, RecursionError, ValueError):
        return None
    one = isinstance(select, exp.Select) and len(select.expressions) == 1
    return plain(select.expressions[0]) if one else None


class _Asked:
    """Answers for one condition."""

    def __init__(self, ground: Ground, depth: int = 0) -> None:
        self.ground = ground
        self.depth = depth

    def may(self, node: exp.Expression, *, true: bool = True) -> str:
        """Return whether `node` may be true (or false) for a row of another tenant."""
        from sqlglot import exp

        node = plain(node)
        if isinstance(node, exp.Not):
            return self.may(node.this, true=not true)
        if isinstance(node, (exp.And, exp.Or)):
            parts = [self.may(p, true=true) for p in (node.this, node.expression)]
            if isinstance(node, exp.And) == true:
                return BOUND if BOUND in parts else LEAKS if set(parts) == {LEAKS} else OTHER
            return LEAKS if LEAKS in parts else OTHER if OTHER in parts else BOUND
        if isinstance(node, exp.Boolean):
            return LEAKS if bool(node.this) == true else BOUND
        if isinstance(node, exp.Null):
            return BOUND
        if isinstance(node, exp.Case):
            return self._case(node, true)
        if isinstance(node, exp.Coalesce):
            parts = [self.may(p, true=true) for p in (node.this, *node.expressions)]
            return LEAKS if LEAKS in parts else OTHER if OTHER in parts else BOUND
        if isinstance(node, (exp.NEQ, exp.NullSafeNEQ)):
            return self.may(exp.EQ(this=node.this, expression=node.expression), true=not true)
        if isinstance(node, exp.Is):
            return self._is(node, true != bool(node.args.get("negate")))
        found = self._positive(node)
        if true:
            return found
        return LEAKS if found == BOUND and isinstance(node, (exp.EQ, exp.In)) else OTHER if found == BOUND else found

    def _case(self, node: exp.Case, true: bool) -> str:
        if node.this is not None:
            return OTHER
        parts = []
        for way in node.args.get("ifs") or []:
            both = [self.may(way.this), self.may(way.args["true"], true=true)]
            parts.append(BOUND if BOUND in both else LEAKS if set(both) == {LEAKS} else OTHER)
        if node.args.get("default") is not None:
            parts.append(self.may(node.args["default"], true=true))
        return LEAKS if LEAKS in parts else OTHER if OTHER in parts else BOUND

    def _is(self, node: exp.Is, true: bool) -> str:
        from sqlglot import exp

        if not isinstance(plain(node.expression), exp.Null):
            told = plain(node.expression)
            return self.may(node.this, true=(isinstance(told, exp.Boolean) and bool(told.this)) == true)
        text = self._expanded(node.this)
        names = {c.name.lower() for c in node.this.find_all(exp.Column)}
        if self.ground.key in names and not node.this.find(exp.Select):
            return (LEAKS if SESSION.search(text) else OTHER) if true else LEAKS
        if not names and SESSION.search(text):
            return OTHER if self._stands_above(text) else LEAKS
        return self._neutral(text, names)

    def _positive(self, node: exp.Expression) -> str:
        from sqlglot import exp

        inlined = self._inlined(node)
        if inlined is not None:
            return inlined
        if isinstance(node, (exp.EQ, exp.NullSafeEQ)):
            return self._equal(node)
        select = node.find(exp.Select)
        if select is not None and isinstance(node, (exp.In, exp.Exists, exp.Subquery)):
            return self._subquery(select, plain(node.this) if isinstance(node, exp.In) else None)
        text = self._expanded(node)
        names = {c.name.lower() for c in node.find_all(exp.Column)}
        key = self.ground.key in names
        if isinstance(node, exp.In) and key:
            return LEAKS if _CALLER.search(text) else BOUND if SESSION.search(text) else OTHER
        if isinstance(node, (exp.Like, exp.ILike, exp.SimilarTo)) and key:
            return LEAKS
        if isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE)):
            if select is not None:
                return self._subquery(select, None)
            if key:
                return OTHER if SESSION.search(text) else LEAKS
        if isinstance(node, (exp.Func, exp.Dot)) and key:
            return BOUND
        return self._neutral(text, names)

    def _stands_above(self, text: str) -> bool:
        """Return whether a condition speaks of those who see every tenant; the tenants' own name says nothing of it."""
        own = rf"(?<![\w'])(?:{'|'.join(map(re.escape, many_of(root_of(self.ground.key))))})(?:_id)?\b(?!\s*\()"
        return _ABOVE.search(re.sub(own, "", text, flags=re.IGNORECASE)) is not None

    def _neutral(self, text: str, names: set[str]) -> str:
        """Weigh a condition that says nothing of the key."""
        if self._stands_above(text) or _MEANT.search(text) or (_SHARED.search(text) and not self.ground.strict):
            return OTHER
        if SESSION.search(text):
            return OTHER if names else LEAKS
        return LEAKS if names or re.fullmatch(r"[\d\s='<>+a-z]*", text) else OTHER

    # Functions

    def _inlined(self, node: exp.Expression) -> str | None:
        """Return what a call of a function of the schema lets through; None where it is no such call."""
        from sqlglot import exp

        call = node.expression if isinstance(node, exp.Dot) else node
        if not isinstance(call, exp.Anonymous) or call.name.lower() not in self.ground.helpers:
            return None
        helper = self.ground.helpers[call.name.lower()]
        if not helper.answer or self.depth > _DEPTH_MAX:
            return None
        tree = _tree(called_with(helper, [self._marked(a) for a in call.expressions]))
        return None if tree is None else _Asked(self.ground, self.depth + 1).may(tree)

    def _marked(self, node: exp.Expression) -> str:
        from sqlglot import exp

        def mark(inner: exp.Expression) -> exp.Expression:
            if isinstance(inner, exp.Column) and not is_outer(inner.table):
                return exp.column(inner.name, table=outer("").split(".")[0])
            return inner

        return f"({node.copy().transform(mark).sql(dialect='postgres')})"

    def _expanded(self, node: exp.Expression) -> str:
        """Return an expression's text with the bodies of the functions that it calls instead of their names."""
        text = re.sub(r"\bpublic\s*\.\s*", "", node.sql(dialect="postgres"), flags=re.IGNORECASE)
        for _ in range(_DEPTH_MAX):
            called = [n for n in re.findall(r"(\w+)\s*\(", text.lower()) if n in self.ground.helpers]
            if not called:
                break
            for name in set(called):
                body = self.ground.helpers[name].text
                text = f" ({body}) (".join(re.split(rf"\b{re.escape(name)}\s*\(", text, flags=re.IGNORECASE))
                if len(text) > 50_000:
                    return text
        return text

    # Comparisons

    def _equal(self, node: exp.Expression) -> str:
        from sqlglot import exp

        sides = (plain(node.this), plain(node.expression))
        for one, two in (sides, sides[::-1]):
            if not self._is_key(one):
                continue
            text = self._expanded(two)
            select = two.find(exp.Select)
            if select is not None:
                return self._subquery(select, one)
            if any(c.name.lower() == self.ground.key for c in two.find_all(exp.Column)):
                return LEAKS
            if _CALLER.search(text):
                return LEAKS
            if SESSION.search(text):
                return BOUND
            if isinstance(two, exp.Literal):
                return OTHER
            known = any(n in self.ground.helpers for n in re.findall(r"(\w+)\s*\(", two.sql("postgres").lower()))
            if known and re.search(r"\bfrom\b", text, re.IGNORECASE) is None:
                return LEAKS
            return LEAKS if isinstance(two, exp.Column) and two.name.lower() in self._own_columns() else BOUND
        select = node.find(exp.Select)
        if select is not None:
            operand = next((s for s in sides if isinstance(s, exp.Column)), None)
            return self._subquery(select, operand)
        text = self._expanded(node)
        names = {c.name.lower() for c in node.find_all(exp.Column)}
        if not names:
            return OTHER if self._stands_above(text) else LEAKS
        return OTHER if SESSION.search(text) else self._neutral(text, names)

    def _is_key(self, node: exp.Expression) -> bool:
        from sqlglot import exp

        return isinstance(node, exp.Column) and node.name.lower() == self.ground.key

    def _own_columns(self) -> frozenset[str]:
        return self.ground.columns.get(self.ground.table, frozenset())

    # Subqueries

    def _subquery(self, select: exp.Select, operand: exp.Expression | None) -> str:
        """Weigh a subquery: it binds where it ties the row that is asked for to rows of the session."""
        from sqlglot import exp

        text = self._expanded(select)
        if _CALLER.search(text):
            return LEAKS
        answered = self._answered(select)
        if answered is not None and self.depth <= _DEPTH_MAX:
            return _Asked(self.ground, self.depth + 1)._subquery(answered, operand)
        tie = Tie(self.ground, select, self.asks)
        if not tie.sources:
            return BOUND if SESSION.search(text) else OTHER
        tied = tie.of(operand)
        if tied:
            return BOUND
        if _MEANT.search(text):
            return OTHER
        if self._stands_above(text) and not any(self.ground.key in self.ground.columns.get(t, ()) for t in tie.tables):
            return OTHER
        return OTHER if tie.unsure or isinstance(select.parent, exp.Union) else LEAKS

    def _answered(self, select: exp.Select) -> exp.Select | None:
        """Return the query of the schema's function that a subquery only passes on: `IN (SELECT my_clubs())`."""
        from sqlglot import exp

        calls = [c for c in select.find_all(exp.Anonymous) if c.name.lower() in self.ground.helpers]
        if len(calls) != 1 or len(list(select.find_all(exp.Select))) > 1 or select.args.get("where") is not None:
            return None
        if any(isinstance(place, exp.Table) and place.name for place in select.find_all(exp.Table)):
            return None
        helper = self.ground.helpers[calls[0].name.lower()]
        tree = _tree(called_with(helper, [self._marked(a) for a in calls[0].expressions])) if helper.answer else None
        inner = tree.find(exp.Select) if tree is not None else None
        whole = inner is not None and (inner is tree or inner.parent is tree)
        return inner if whole and isinstance(inner, exp.Select) else None

    def asks(self, node: exp.Expression) -> bool:
        """Return whether an expression asks who is there."""
        return SESSION.search(self._expanded(node)) is not None

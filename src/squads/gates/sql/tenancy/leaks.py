"""What a policy's condition lets through: rows of one tenant, of every tenant, or what cannot be told.

A condition leaks only where that is certain: it is TRUE, it compares the key with itself or with what the caller sets,
it asks only whether something is set, or one branch of its OR does. Sharing that is meant (`is_public`, rows without a
tenant, roles that stand above) leaks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import parsed

if TYPE_CHECKING:
    from sqlglot import exp

BOUND, LEAKS, OTHER = "bound", "leaks", "other"
_SESSION = re.compile(
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
_SHARED = re.compile(r"public|publish|visib|shared|global|template|default|catalog|everyone|anonym|demo", re.IGNORECASE)


def leak_of(
    condition: str, key: str, protected: frozenset[str] = frozenset(), helpers: Mapping[str, str] | None = None
) -> str:
    """Return BOUND, LEAKS or OTHER for a condition on a table whose tenant's key is `key`.

    Args:
        condition: What stands in USING or WITH CHECK.
        key: The column.
        protected: Tables that have row security of their own, so that a subquery over them sees one tenant.
        helpers: Functions that the condition may call, with their bodies: one that asks nobody binds nothing.
    """
    try:
        tree = parsed(condition)
    except (ValueError, RecursionError):
        return OTHER
    found = _leak(tree, key, protected)
    if found == BOUND and helpers and _asks_nobody(condition, helpers):
        return LEAKS
    return found


def _asks_nobody(condition: str, helpers: Mapping[str, str]) -> bool:
    """Return whether a condition only calls functions that ask neither the session nor a table."""
    called = {name for name in re.findall(r"(\w+)\s*\(", condition.lower()) if name in helpers}
    plain = re.sub(r"\b(" + "|".join(map(re.escape, called)) + r")\s*\(", " (", condition) if called else condition
    return (
        bool(called)
        and _SESSION.search(plain) is None
        and all(
            _SESSION.search(helpers[name]) is None and re.search(r"\bfrom\b", helpers[name], re.IGNORECASE) is None
            for name in called
        )
    )


def _leak(node: exp.Expression, key: str, protected: frozenset[str]) -> str:
    from sqlglot import exp

    while isinstance(node, (exp.Paren, exp.Cast)):
        node = node.this
    if isinstance(node, exp.And):
        parts = [_leak(p, key, protected) for p in (node.this, node.expression)]
        return BOUND if BOUND in parts else LEAKS if set(parts) == {LEAKS} else OTHER
    if isinstance(node, exp.Or):
        parts = [_leak(p, key, protected) for p in (node.this, node.expression)]
        if any(p == LEAKS for p in parts) and not (BOUND in parts and _is_sharing(node, key)):
            return LEAKS
        return BOUND if set(parts) == {BOUND} else OTHER
    text = node.sql(dialect="postgres")
    names = {c.name for c in node.find_all(exp.Column)}
    if isinstance(node, exp.Boolean):
        return LEAKS if node.this else BOUND
    if isinstance(node, (exp.EQ, exp.NullSafeEQ)):
        return _equal(node, key, text, protected)
    if isinstance(node, (exp.In, exp.Exists)) or isinstance(node.args.get("expression"), (exp.Any, exp.Subquery)):
        return _subquery(node, key, text, protected)
    if isinstance(node, (exp.Is, exp.Not)):
        null = node.find(exp.Null) is not None
        negated = isinstance(node, exp.Not) or bool(node.args.get("negate"))
        if key in names and null:
            return LEAKS if negated else OTHER  # rows of no tenant are everybody's
        if _SESSION.search(text) and not names and not _ABOVE.search(text):
            return LEAKS
        return _plain(text, names)
    if isinstance(node, (exp.Like, exp.ILike, exp.SimilarTo)) and key in names:
        return LEAKS
    if isinstance(node, (exp.Func, exp.Dot)) and key in names:
        return BOUND
    if isinstance(node, (exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)) and key in names and not _SESSION.search(text):
        return LEAKS
    return _plain(text, names)


def _plain(text: str, names: set[str]) -> str:
    """Weigh a condition that says nothing of the key."""
    if _ABOVE.search(text) or _SHARED.search(text):
        return OTHER
    if _SESSION.search(text):
        return OTHER if names else LEAKS
    return LEAKS if names or re.fullmatch(r"[\d\s='<>+a-z]*", text) else OTHER


def _is_sharing(node: exp.Expression, key: str) -> bool:
    """Return whether an OR only adds rows that are meant to be shared."""
    text = node.sql(dialect="postgres")
    del key
    return _SHARED.search(text) is not None and "TRUE" not in text.upper().split()


def _equal(node: exp.Expression, key: str, text: str, protected: frozenset[str]) -> str:
    from sqlglot import exp

    for one, two in ((node.this, node.expression), (node.expression, node.this)):
        while isinstance(one, (exp.Paren, exp.Cast)):
            one = one.this
        if isinstance(one, exp.Column) and one.name == key:
            if any(c.name == key for c in two.find_all(exp.Column)) and two.find(exp.Select) is None:
                return LEAKS
            if _CALLER.search(two.sql(dialect="postgres")):
                return LEAKS
            inside = two.find(exp.Select)
            if inside is not None and not _asks(inside, protected):
                return LEAKS
            return BOUND
    names = {c.name for c in node.find_all(exp.Column)}
    if not names:
        if _ABOVE.search(text):
            return OTHER
        return LEAKS
    return OTHER if _SESSION.search(text) else _plain(text, names)


def _asks(select: exp.Select, protected: frozenset[str]) -> bool:
    """Return whether a subquery asks who is there, directly or by row security of its own tables."""
    from sqlglot import exp

    text = select.sql(dialect="postgres")
    tables = {t.name.lower() for t in select.find_all(exp.Table)}
    if _CALLER.search(text):
        return False
    return _SESSION.search(text) is not None or bool(tables & protected) or not tables


def _subquery(node: exp.Expression, key: str, text: str, protected: frozenset[str]) -> str:
    from sqlglot import exp

    inside = node.find(exp.Select)
    if inside is None:
        names = {c.name for c in node.find_all(exp.Column)}
        if key in names:
            return LEAKS if _CALLER.search(text) else BOUND if _SESSION.search(text) else OTHER
        return OTHER
    if _asks(inside, protected):
        return BOUND
    return LEAKS if key in text else OTHER

"""One statement of PostgreSQL as statements that SQLite runs, with PostgreSQL's functions as calls of `pg_...`.

What SQLite has in another way (USING in DELETE, rows that a WITH changes and hands on) is taken apart.
Raises `NotKnown` for what cannot be said to SQLite.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from squads.gates.sql.expressions import quietly
from squads.gates.sql.model import HOLE
from squads.gates.sql.rehearsal.lists import EACH, in_rows
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.sql.rehearsal.values import known

if TYPE_CHECKING:
    from sqlglot import exp

_UNTOLD = ("squads_", "pg_advisory", "dblink", "nextval", "currval", "setval")


@dataclass(frozen=True, slots=True)
class Told:
    """One statement for SQLite."""

    sql: str
    functions: frozenset[str] = frozenset()
    keeps: str = ""
    """The name of a temporary table that gets the rows it returns; empty where they are not wanted."""
    writes: str = ""
    """The table whose rows it changes."""


_OVERRIDING = re.compile(r"\boverriding\s+(system|user)\s+value\b", re.IGNORECASE)
_ESCAPED = re.compile(r"\b[eE]'((?:[^'\\]|\\.|'')*)'", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r"}


def _unescaped(found: re.Match[str]) -> str:
    return "'" + re.sub(r"\\(.)", lambda m: _SIGNS.get(m[1], m[1]), found[1]) + "'"


@lru_cache(maxsize=1024)
def translated(text: str) -> tuple[Told, ...]:
    """Return what SQLite runs for `text`."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    if HOLE in text:
        raise NotKnown
    try:
        with quietly():
            tree = sqlglot.parse_one(_OVERRIDING.sub(" ", _ESCAPED.sub(_unescaped, text)), read="postgres")
            if not isinstance(tree, (exp.Insert, exp.Update, exp.Delete, exp.Select, exp.SetOperation, exp.Create)):
                raise NotKnown
            return tuple(_statements(in_rows(tree)))
    except (SqlglotError, RecursionError, AttributeError, TypeError):
        raise NotKnown from None


def expression(text: str) -> tuple[str, frozenset[str]]:
    """Return an expression for SQLite, and the functions in it."""
    (told,) = translated(f"SELECT {text}")
    return told.sql.removeprefix("SELECT ").removesuffix(" AS _e"), told.functions


def _statements(tree: exp.Expression) -> Iterator[Told]:
    from sqlglot import exp

    given = tree.args.get("with_")
    for part in list(given.expressions) if given is not None else ():
        if isinstance(part.this, (exp.Insert, exp.Update, exp.Delete)):
            yield from _changing(part.this, keeps=part.alias.lower())
            part.pop()
    if given is not None and not given.expressions:
        tree.set("with_", None)
    if isinstance(tree, (exp.Insert, exp.Update, exp.Delete)):
        yield from _changing(tree)
        return
    _in_one_order(tree)
    yield _told(tree)


def _in_one_order(tree: exp.Expression | None, *, stored: bool = False) -> None:
    """Give rows without an order one by what they hold; else new numbers would tell which row came first."""
    from sqlglot import exp

    if not isinstance(tree, exp.Select):
        return
    if tree.args.get("limit") and not tree.find_ancestor(exp.Subquery):
        count = tree.args["limit"].expression
        if isinstance(count, exp.Literal) and len(count.name) > 2:
            raise NotKnown  # more rows than there are here
    merged = stored or tree.args.get("distinct") or tree.args.get("group")
    if merged and not tree.args.get("order") and not tree.is_star:
        tree.set("order", exp.Order(expressions=[exp.Literal.number(n + 1) for n in range(len(tree.selects))]))


def _changing(tree: exp.Expression, keeps: str = "") -> Iterator[Told]:
    from sqlglot import exp

    target = tree.find(exp.Table)
    if target is None:
        raise NotKnown
    name = target.name.lower() if not target.this.quoted else target.name
    if isinstance(tree, exp.Delete) and tree.args.get("using"):
        tree = _without_using(tree)
    if not keeps:
        tree.set("returning", None)
    conflict = tree.args.get("conflict")
    source = tree.args.get("expression")
    if conflict is not None and isinstance(source, exp.Select) and not source.args.get("where"):
        source.set("where", exp.Where(this=exp.true()))
    for ordered in list(conflict.find_all(exp.Ordered)) if conflict is not None else ():
        ordered.replace(ordered.this)
    _in_one_order(source, stored=True)
    if keeps and tree.args.get("returning") is None:
        keeps = ""
    yield _told(tree, keeps=keeps, writes=name)


def _without_using(tree: exp.Delete) -> exp.Delete:
    """Return a DELETE that looks its rows up by a query."""
    from sqlglot import exp

    target = tree.this
    alias = target.alias or target.name
    row = exp.column("rowid", table=alias)
    query = exp.Select(expressions=[row]).from_(target.copy())
    for other in tree.args["using"]:
        query = query.join(other.copy(), join_type="cross")
    where = tree.args.get("where")
    if where is not None:
        query = query.where(where.this.copy())
    plain = exp.Table(this=target.this.copy())
    if tree.args.get("returning") is not None:
        raise NotKnown
    return exp.Delete(
        this=plain, where=exp.Where(this=exp.In(this=exp.column("rowid"), query=exp.Subquery(this=query)))
    )


def _told(tree: exp.Expression, keeps: str = "", writes: str = "") -> Told:
    from sqlglot import exp

    functions: set[str] = set()

    def call(name: str, *given: exp.Expression | str) -> exp.Expression:
        functions.add(name)
        # Below a node that was replaced sqlglot goes no further, so what is inside is turned here.
        args = [exp.Literal.string(g) if isinstance(g, str) else g.transform(plain, copy=False) for g in given]
        return exp.Anonymous(this=f"pg_{name}", expressions=args)

    def plain(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Identifier):
            return exp.Identifier(this=node.name if node.args.get("quoted") else node.name.lower(), quoted=True)
        if isinstance(node, exp.Select) and not node.expressions:
            node.set("expressions", [exp.Literal.number(1)])  # EXISTS (SELECT FROM ...)
            return node
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Anonymous) and node.this.name == EACH:
            return node
        if isinstance(node, exp.Table):
            if not isinstance(node.this, exp.Identifier) or node.args.get("sample"):
                raise NotKnown
            node.set("db", None)
            node.set("catalog", None)
            node.set("only", None)
            return node
        if isinstance(node, exp.Column):
            if node.args.get("db"):
                node.set("db", None)
                node.set("catalog", None)
            if node.name.lower() == "ctid":
                return exp.column("rowid", table=node.table or None)
            return node
        if isinstance(node, (exp.Cast, exp.TryCast)):
            return call("cast", node.this, node.to.sql("postgres").lower())
        if isinstance(node, exp.Interval):
            return exp.Literal.string(node.sql("postgres"))
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.IntDiv)):
            sign = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%", "intdiv": "/"}[node.key]
            return call("op", sign, node.this, node.expression)
        if isinstance(node, exp.DPipe):
            return call("joined", node.this, node.expression)
        if isinstance(node, (exp.JSONExtract, exp.JSONExtractScalar)):
            path = node.expression
            keys = [p for p in path.expressions if not isinstance(p, exp.JSONPathRoot)] if path.expressions else []
            if len(keys) != 1:
                raise NotKnown
            key = keys[0].this
            found = exp.Literal.number(key) if isinstance(key, int) else exp.Literal.string(str(key))
            return call("member", node.this, found, exp.Literal.number(int(isinstance(node, exp.JSONExtractScalar))))
        if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
            index = node.expressions[0]
            if isinstance(index, exp.Literal) and not index.is_string:  # sqlglot counts from nought
                index = exp.Literal.number(int(index.name) + 1)
                return call("item", node.this, index)
            raise NotKnown
        if isinstance(node, exp.Any):
            raise NotKnown
        if isinstance(node, (exp.RegexpLike, exp.RegexpILike)):
            return call(node.key, node.this, node.expression)
        if isinstance(node, exp.Anonymous):
            if (node.name.startswith("pg_") and node.name[3:] in functions) or node.name == EACH:
                return node
            if node.name == "squads_member":
                return call("member", *node.expressions)
            return _function(node.name.lower(), node.expressions, node)
        if isinstance(node, exp.AggFunc):
            if not isinstance(node, _native_aggregates()):
                raise NotKnown
            return node
        if isinstance(node, exp.Func) and not isinstance(node, _native()):
            return _function(node.key, list(_given(node)), node)
        return node

    def _function(name: str, given: list[exp.Expression], node: exp.Expression) -> exp.Expression:
        if name.startswith(_UNTOLD) or isinstance(node, exp.UDTF):
            raise NotKnown
        decides = node.find_ancestor(exp.Where, exp.Join, exp.If, exp.Having) is not None
        if decides and not known(name) and name not in ("uuid", "gen_random_uuid"):
            raise NotKnown  # what it gives decides over rows
        if name in ("op", "joined", "cast", "item", "member"):
            raise NotKnown
        return call("uuid" if name == "gen_random_uuid" else name, *given)

    return _spelled(tree.transform(plain), functions, keeps, writes)


def _spelled(tree: exp.Expression, functions: set[str], keeps: str, writes: str) -> Told:
    return Told(tree.sql("sqlite", identify=True), frozenset(functions), keeps, writes)


def _given(node: exp.Expression) -> Iterator[exp.Expression]:
    """Yield the arguments of a function that sqlglot knows, in their order."""
    from sqlglot import exp

    for key in node.arg_types:
        value = node.args.get(key)
        if isinstance(value, list):
            yield from value
        elif isinstance(value, exp.Var):
            yield exp.Literal.string(value.name)
        elif isinstance(value, exp.Expression):
            yield value
        elif isinstance(value, str) and key != "over":
            if node.key == "trim" and node.args.get("expression") is None:
                yield exp.null()
            yield exp.Literal.string(value)


def _native() -> tuple[type, ...]:
    from sqlglot import exp

    return (exp.Connector, exp.Coalesce, exp.Nullif, exp.Case, exp.If, exp.Exists, exp.RowNumber, exp.Predicate)


def _native_aggregates() -> tuple[type, ...]:
    from sqlglot import exp

    return (
        exp.Count, exp.Min, exp.Max, exp.Sum, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.RowNumber,
        exp.Rank, exp.DenseRank, exp.GroupConcat,
    )  # fmt: skip

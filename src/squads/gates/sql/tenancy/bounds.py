"""Whether a query keeps to one tenant: each use of a shared table bound to a tenant, or joined to one that is.

A use is bound where its key equals something that is no column of its own (a parameter, a setting, a variable), or
where an equality joins it to a bound one. A condition that compares the key with itself, asks that it is not NULL, or
stands in one branch of an OR binds nothing. The query is read by sqlglot; what it cannot read is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from squads.gates.sql.tenancy.conditions import bare, branches, by_id, conditions_of, conjuncts, grouped
from squads.gates.sql.tenancy.uses import Answer, Use, tree_of
from squads.gates.sql.tenancy.words import many_of, names_person, root_of

if TYPE_CHECKING:
    from sqlglot import exp

_SELF = re.compile(
    r"\bauth\s*\.\s*uid|current_setting|session_user|current_user|\bjwt\b|current_\w+\s*\(", re.IGNORECASE
)
_PEOPLE = re.compile(r"user|member|session|staff|people|person|agent|employee|api_key|profile|login|token|account")
REPEATS = re.compile(
    r"(\w+_)?(number|no|nr|num|code|sku|slug|reference|ref|name|label|title|barcode|position)",
    re.IGNORECASE,
)
"""Columns that each tenant fills by itself: joined over these alone, rows of others come along."""


def answer(
    text: str,
    keyed: Mapping[str, frozenset[str]],
    composite: frozenset[str] = frozenset(),
    alone: frozenset[tuple[str, str]] = frozenset(),
    repeating: frozenset[tuple[str, str]] = frozenset(),
) -> Answer | None:
    """Return which uses of shared tables in a query keep to a tenant; None where the query cannot be read.

    Args:
        text: The query, with placeholders of any driver.
        keyed: The keys of each shared table, by its name.
        composite: Shared tables whose ids repeat from tenant to tenant: an id alone joins them to nobody.
        alone: (table, column) of what names one row over all tenants: an identity of its own, a UNIQUE without the key.
        repeating: (table, column) of what names one row only together with the key.
    """
    tree = tree_of(text)
    return None if tree is None else _Reader(tree, keyed, composite, alone, repeating).read()


class _Reader:
    """Goes through the selects, updates and deletes of one tree."""

    def __init__(
        self,
        tree: exp.Expression,
        keyed: Mapping[str, frozenset[str]],
        composite: frozenset[str],
        alone: frozenset[tuple[str, str]],
        repeating: frozenset[tuple[str, str]],
    ) -> None:
        from sqlglot import exp

        self.tree, self.keyed, self.composite, self.alone = tree, keyed, composite, alone
        self.repeating = repeating
        self.theirs = {n for keys in keyed.values() for k in keys for n in many_of(root_of(k))}
        self.made = {c.alias.lower() for c in tree.find_all(exp.CTE)}
        self.keys: set[str] = set()
        self.known: dict[int, bool] = {}

    def read(self) -> Answer:
        from sqlglot import exp

        unbound: list[Use] = []
        bound: set[str] = set()
        for node in self.tree.find_all(exp.Select, exp.Update, exp.Delete):
            sources = dict(self._sources(node))
            shared = {a: t for a, t in sources.items() if t in self.keyed}
            if not shared:
                continue
            found, weak = self._bound(node, sources)
            for alias, table in shared.items():
                if alias in found or self._bound_outside(node):
                    bound.add(table)
                    child = self._child_of(node, alias, sources)
                    if child:
                        unbound.append(Use(child, self.keyed[table], "joined", by_id=by_id(node)))
                    continue
                unbound.append(
                    Use(
                        table=table,
                        keys=self.keyed[table],
                        why=weak.get(alias, "missing"),
                        by_id=by_id(node),
                        grouped=grouped(node, self.keyed[table]),
                    )
                )
        unknown = any(
            isinstance(part, exp.Column) and part.name.lower() == "squads_hole"
            for node in self.tree.find_all(exp.Select, exp.Update, exp.Delete)
            for part in conditions_of(node)
        )
        return Answer(tuple(unbound), frozenset(bound), frozenset(self.keys), unknown)

    def _sources(self, node: exp.Expression) -> Iterator[tuple[str, str]]:
        """Yield (alias, table) of what a statement itself reads or changes."""
        from sqlglot import exp

        places: list[exp.Expression | None] = []
        if isinstance(node, (exp.Update, exp.Delete)):
            places.append(node.this)
            places += node.args.get("using") or []
        held = node.args.get("from_") or node.args.get("from")
        places.append(held.this if held is not None else None)
        places += [j.this for j in node.args.get("joins") or []]
        for place in list(places):
            for join in (place.args.get("joins") or []) if place is not None else []:
                places.append(join.this)
        for place in places:
            if isinstance(place, exp.Table) and place.name and place.name.lower() not in self.made:
                yield (place.alias or place.name).lower(), place.name.lower()

    def _bound(self, node: exp.Expression, sources: Mapping[str, str]) -> tuple[set[str], dict[str, str]]:
        """Return the aliases that are kept to a tenant, and why others only seem to be."""
        bound, weak = self._settled(conditions_of(node), sources)
        outer = conditions_of(node, outer=True)
        if outer:  # a LEFT JOIN leaves out no row of what stands before it
            joined = {
                (j.this.alias or j.this.name).lower()
                for j in [*(node.args.get("joins") or [])]
                if j.side.upper() in ("LEFT", "FULL")
            }
            more, _ = self._settled(outer, sources, known=frozenset(bound))
            bound |= more & joined
        return bound, weak

    def _settled(
        self, parts: list[exp.Expression], sources: Mapping[str, str], known: frozenset[str] = frozenset()
    ) -> tuple[set[str], dict[str, str]]:
        from sqlglot import exp

        bound = set(known)
        weak: dict[str, str] = {}
        links: list[tuple[str, str, str]] = []
        for part in parts:
            if isinstance(part, exp.Or):
                ways = [self._settled(list(conjuncts(b)), sources) for b in branches(part)]
                common = set.intersection(*(b[0] for b in ways))
                for alias in set().union(*(b[0] for b in ways)) - common:
                    weak[alias] = "or"
                bound |= common
            else:
                self._one(part, sources, bound, weak, links)
        for _ in range(len(links) + 1):
            for there, here, column in links:
                if here in bound and there not in bound and self._carries(sources.get(there, ""), column):
                    bound.add(there)
        for one, two, _ in links:
            for here, there in ((one, two), (two, one)):
                if here in bound and there not in bound:
                    weak.setdefault(there, "joined")
        return bound, weak

    def _carries(self, table: str, column: str) -> bool:
        """Return whether being joined over `column` binds a table: its ids are its own, or the key itself joins."""
        keys = self.keyed.get(table, frozenset())
        if column in keys or not keys or (table, column) in self.alone:
            return True
        if (table, column) in self.repeating:
            return False
        return table not in self.composite and REPEATS.fullmatch(column) is None

    def _one(
        self,
        part: exp.Expression,
        sources: Mapping[str, str],
        bound: set[str],
        weak: dict[str, str],
        links: list[tuple[str, str, str]],
    ) -> None:
        from sqlglot import exp

        if isinstance(part, exp.Anonymous) and part.name.lower() == "squads_using":
            aliases = list(sources)
            column = part.expressions[0].name.lower()
            links += [(aliases[0], other, column) for other in aliases[1:]]
            links += [(other, aliases[0], column) for other in aliases[1:]]
            return
        if isinstance(part, (exp.EQ, exp.NullSafeEQ)):
            left, right = bare(part.this), bare(part.expression)
            if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
                for one, two in zip(left.expressions, right.expressions, strict=False):
                    self._one(exp.EQ(this=one, expression=two), sources, bound, weak, links)
                return
            for one, two in ((left, right), (right, left)):
                self._equal(one, two, sources, bound, weak, links)
        elif isinstance(part, exp.In):
            column = bare(part.this)
            if isinstance(column, exp.Column):
                query = part.args.get("query")
                inside = query.find(exp.Select) if query is not None else None
                whole = inside is not None and inside.args.get("where") is None and not self._keeps(inside)
                for alias in self._owners(column, sources):
                    if whole:
                        weak[alias] = "itself"
                    elif self._is_key(column, sources[alias]) or (
                        inside is not None
                        and self._keeps(inside)
                        and self._carries(sources[alias], column.name.lower())
                    ):
                        self.keys |= {column.name.lower()} if self._is_key(column, sources[alias]) else set()
                        bound.add(alias)
        elif isinstance(part, exp.Exists):
            inside = part.find(exp.Select)
            if inside is not None and self._keeps(inside):
                named = {c.table.lower() for c in inside.find_all(exp.Column) if c.table}
                open_ = any(not c.table for c in inside.find_all(exp.Column))
                bound |= named & set(sources) or ({next(iter(sources))} if len(sources) == 1 and open_ else set())
        elif isinstance(part, exp.Is) or (isinstance(part, exp.Not) and isinstance(part.this, exp.Is)):
            for column in part.find_all(exp.Column):
                for alias in self._owners(column, sources):
                    if self._is_key(column, sources[alias]):
                        weak[alias] = "itself"

    def _equal(
        self,
        one: exp.Expression,
        two: exp.Expression,
        sources: Mapping[str, str],
        bound: set[str],
        weak: dict[str, str],
        links: list[tuple[str, str, str]],
    ) -> None:
        from sqlglot import exp

        if not isinstance(one, exp.Column):
            return
        own = {a for c in two.find_all(exp.Column) for a in self._owners(c, sources)}
        if isinstance(two, exp.Column) and not two.table and len(sources) > 1 and len(own) == 1:
            two = exp.column(two.name, table=next(iter(own)))
        for alias in self._owners(one, sources):
            key = self._is_key(one, sources[alias])
            if isinstance(two, exp.Column) and two.table and two.table.lower() in sources:
                if two.table.lower() != alias:
                    links.append((alias, two.table.lower(), one.name.lower()))
                elif key:
                    weak[alias] = "itself"
            elif isinstance(two, exp.Column) and two.table and two.table.lower() not in sources and not key:
                if self._carries(sources[alias], one.name.lower()):
                    bound.add(alias)  # a row of the query around it, which answers for itself
                else:
                    weak[alias] = "joined"
            elif key and any(
                c.name.lower() == one.name.lower() and (not c.table or c.table.lower() == alias)
                for c in two.find_all(exp.Column)
                if c.find_ancestor(exp.Select) is one.find_ancestor(exp.Select)
            ):
                weak[alias] = "itself"
            elif key and alias not in own - {alias}:
                self.keys.add(one.name.lower())
                bound.add(alias)
            elif names_person(one.name) and _SELF.search(two.sql(dialect="postgres")):
                bound.add(alias)  # the rows of one person
            elif isinstance(two, (exp.Subquery, exp.Any)) and (inside := two.find(exp.Select)) and self._keeps(inside):
                bound.add(alias)

    def _keeps(self, select: exp.Select) -> bool:
        """Return whether a subquery keeps to a tenant itself."""
        if id(select) not in self.known:
            self.known[id(select)] = self._does_keep(select)
        return self.known[id(select)]

    def _does_keep(self, select: exp.Select) -> bool:
        if any(self._keeps(made) for made in self._made_in(select)):
            return True
        sources = dict(self._sources(select))
        shared = {a for a, t in sources.items() if t in self.keyed}
        found, _ = self._bound(select, sources)
        return (bool(found) and shared <= found) or (not shared and self._asks_for_key(select))

    def _made_in(self, select: exp.Select) -> Iterator[exp.Select]:
        """Yield the queries of WITH that stand before this one and that it reads from."""
        from sqlglot import exp

        named = {t.name.lower() for t in select.find_all(exp.Table) if t.name.lower() in self.made}
        within = {c.alias.lower() for c in [select.find_ancestor(exp.CTE)] if isinstance(c, exp.CTE)}
        for made in self.tree.find_all(exp.CTE) if named - within else ():
            if made.alias.lower() in within:
                return
            if made.alias.lower() in named and isinstance(made.this, exp.Select):
                yield made.this

    def _asks_for_key(self, select: exp.Select) -> bool:
        """Return whether a query over tables that nobody told of compares a key with what it is given."""
        from sqlglot import exp

        every = {k for keys in self.keyed.values() for k in keys}
        return any(
            isinstance(part, exp.EQ)
            and any(
                isinstance(bare(one), exp.Column) and bare(one).name.lower() in every and two.find(exp.Column) is None
                for one, two in ((part.this, part.expression), (part.expression, part.this))
            )
            for part in conditions_of(select)
        )

    def _owners(self, column: exp.Column, sources: Mapping[str, str]) -> list[str]:
        if column.table:
            return [column.table.lower()] if column.table.lower() in sources else []
        keyed = [a for a, t in sources.items() if column.name.lower() in self.keyed.get(t, ())]
        return keyed or (list(sources) if len(sources) == 1 else [])

    def _is_key(self, column: exp.Column, table: str) -> bool:
        name = column.name.lower()
        if table in self.theirs and table not in self.keyed:
            return name == "name" or not names_person(name)  # a tenant itself: by its id, its slug
        return name in self.keyed.get(table, ())

    def _bound_outside(self, node: exp.Expression) -> bool:
        """Return whether the query around a subquery or WITH keeps its result to a tenant."""
        from sqlglot import exp

        if self._resolves(node):
            return True
        holder = node.find_ancestor(exp.CTE, exp.Subquery)
        if holder is None or isinstance(holder.parent, (exp.In, exp.Exists, exp.EQ)):
            return False
        alias = (holder.alias or "").lower()
        every = {k for keys in self.keyed.values() for k in keys}
        for outer in self.tree.find_all(exp.Select, exp.Update, exp.Delete):
            if outer is node or outer.find_ancestor(exp.CTE, exp.Subquery) is holder:
                continue
            for part in conditions_of(outer):
                if isinstance(part, exp.EQ):
                    for one, two in ((part.this, part.expression), (part.expression, part.this)):
                        column = bare(one)
                        if (
                            isinstance(column, exp.Column)
                            and column.name.lower() in every
                            and column.table.lower() in (alias, "")
                            and two.find(exp.Column) is None
                        ):
                            return True
        return False

    def _child_of(self, node: exp.Expression, alias: str, sources: Mapping[str, str]) -> str:
        """Return the table whose rows belong to `alias`, where that leaves out no row: it is a LEFT JOIN's."""
        from sqlglot import exp

        sided = (j for j in node.args.get("joins") or [] if j.side.upper() in ("LEFT", "FULL"))
        outer = {(j.this.alias or j.this.name).lower() for j in sided}
        if alias not in outer:
            return ""
        stem = sources[alias].removesuffix("s")
        for part in conditions_of(node, outer=True):
            sides = [bare(s) for s in (part.this, part.expression)] if isinstance(part, exp.EQ) else []
            columns = [s for s in sides if isinstance(s, exp.Column) and s.table]
            if len(columns) == 2:
                for own, other in (columns, columns[::-1]):
                    base = other.table.lower()
                    belongs = own.table.lower() == alias and own.name.lower() == "id" and base not in outer
                    if belongs and other.name.lower().startswith(stem) and sources.get(base, "") not in self.keyed:
                        return sources.get(base, "")
        return ""

    def _resolves(self, node: exp.Expression) -> bool:
        """Return whether a subquery asks of which tenant a person is: `(SELECT org_id FROM users WHERE id = ?)`."""
        from sqlglot import exp

        shown = [bare(e) for e in node.args.get("expressions") or []]
        every = {k for keys in self.keyed.values() for k in keys}
        sources = set(dict(self._sources(node)).values())
        return (
            isinstance(node, exp.Select)
            and isinstance(node.parent, (exp.Subquery, exp.In))
            and len(shown) == 1
            and isinstance(shown[0], exp.Column)
            and shown[0].name.lower() in every
            and bool(sources)
            and all(_PEOPLE.search(t) for t in sources)
            and by_id(node)
        )

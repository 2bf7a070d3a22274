"""Whether a subquery of a policy ties the row that is asked for to rows of the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from squads.gates.sql.tenancy.conditions import branches, conjuncts, plain
from squads.gates.sql.tenancy.helpers import Helper, is_outer

if TYPE_CHECKING:
    from sqlglot import exp


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known around a condition."""

    key: str
    protected: frozenset[str] = frozenset()
    """Tables that have row security of their own, so that a subquery over them sees one tenant."""
    helpers: Mapping[str, Helper] = field(default_factory=dict)
    columns: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The columns of every table, by its name."""
    table: str = ""
    strict: bool = False
    """Whether the brief keeps every row to its tenant, and speaks of none that are shared."""


class Tie:
    """Which rows of a subquery belong to the session, and whether the row that is asked for is one with them."""

    def __init__(self, ground: Ground, select: exp.Select, asks: Callable[[exp.Expression], bool]) -> None:
        from sqlglot import exp

        self.ground = ground
        self.asks = asks
        self.select = select
        self.sources: dict[str, str] = {}
        held = select.args.get("from_") or select.args.get("from")
        places = [held.this if held is not None else None, *(j.this for j in select.args.get("joins") or [])]
        self.unsure = False
        for place in places:
            if isinstance(place, exp.Table) and place.name:
                self.sources[(place.alias or place.name).lower()] = place.name.lower()
            elif place is not None:
                self.unsure = True
                self.sources[(place.alias or "squads_inner").lower()] = ""
        self.tables = set(self.sources.values())

    def of(self, operand: exp.Expression | None) -> bool:
        """Return whether the row is tied to rows of the session."""
        from sqlglot import exp

        ground = self.ground
        bound = {a for a, t in self.sources.items() if t in ground.protected}
        links: list[tuple[str, str]] = []
        ties: set[str] = set()
        direct = False
        if isinstance(operand, exp.Column):
            for shown in self.select.expressions:
                inner = plain(shown)
                owner = self._owner(inner) if isinstance(inner, exp.Column) else ""
                if owner:
                    ties.add(owner)
                elif not isinstance(inner, (exp.Column, exp.Literal, exp.Star)):
                    self.unsure = True
        for part in self._parts():
            if isinstance(part, exp.Or):
                self.unsure |= any(self.asks(b) for b in branches(part))
                continue
            if not isinstance(part, (exp.EQ, exp.NullSafeEQ, exp.In, exp.Exists)):
                called = isinstance(part, (exp.Func, exp.Dot))
                self.unsure |= called and not isinstance(part, (exp.And, exp.Not))
                continue
            if isinstance(part, (exp.In, exp.Exists)) or part.find(exp.Select) is not None:
                asks = self.asks(part) or any(t.name.lower() in ground.protected for t in part.find_all(exp.Table))
                bound |= {self._owner(c) for c in [part.this] if isinstance(c, exp.Column) and asks} - {""}
                self.unsure |= isinstance(part, exp.Exists)
                continue
            for one, two in (
                (plain(part.this), plain(part.expression)),
                (plain(part.expression), plain(part.this)),
            ):
                if not isinstance(one, exp.Column):
                    continue
                owner = self._owner(one)
                if not isinstance(two, exp.Column) or two.name.lower() in ("current_user", "session_user"):
                    if self.asks(two):
                        bound |= {owner} - {""}
                        direct |= not owner
                    continue
                other = self._owner(two)
                if owner and other:
                    links.append((owner, other))
                elif owner:
                    ties.add(owner)
        for _ in range(len(links)):
            for pair in map(set, links):
                bound |= pair if pair & bound else set()
                ties |= pair if pair & ties else set()
        return direct or bool(bound & ties)

    def _parts(self) -> Iterator[exp.Expression]:
        from sqlglot import exp

        if self.select.args.get("where") is not None:
            yield from map(plain, conjuncts(self.select.args["where"].this))
        aliases = list(self.sources)
        for number, join in enumerate(self.select.args.get("joins") or [], 1):
            if join.args.get("on") is not None and join.side.upper() not in ("LEFT", "FULL"):
                yield from map(plain, conjuncts(join.args["on"]))
            for column in join.args.get("using") or []:
                if number < len(aliases):
                    here, there = (exp.column(column.name, table=a) for a in (aliases[0], aliases[number]))
                    yield exp.EQ(this=here, expression=there)

    def _owner(self, column: exp.Expression) -> str:
        """Return the alias of the subquery that a column belongs to, empty for the row that is asked for."""
        from sqlglot import exp

        if not isinstance(column, exp.Column) or is_outer(column.table):
            return ""
        if column.table:
            return column.table.lower() if column.table.lower() in self.sources else ""
        name = column.name.lower()
        known = self.ground.columns
        for alias, table in self.sources.items():
            if name in known.get(table, ()):
                return alias
        if name in self.ground.columns.get(self.ground.table, ()) and all(t in known for t in self.tables):
            return ""
        unknown = [a for a, t in self.sources.items() if t not in known]
        return unknown[0] if unknown else ""

"""SQLAlchemy's tables and columns, and statements that are put together from them, as pieces of SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from squads.gates.sql.python.file import name as quoted
from squads.gates.sql.rehearsal.python.things import Given, Piece, Thing, as_piece, listed, pairs, piece, through
from squads.gates.sql.rehearsal.value import NotKnown

_SIGNS = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/", "Mod": "%", "Eq": "=", "NotEq": "<>", "Lt": "<", "LtE": "<=",
          "Gt": ">", "GtE": ">=", "BitAnd": "AND", "BitOr": "OR"}  # fmt: skip


@dataclass(eq=False)
class Text(Thing):
    """`text("...")`."""

    sql: str
    given: dict[str, Any] = field(default_factory=dict)

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name == "bindparams":
            return Text(self.sql, {**self.given, **words})
        if name in ("columns", "execution_options"):
            return self
        raise NotKnown


@dataclass(eq=False)
class Column(Piece):
    """A column, or a condition or value made from columns."""

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        one = as_piece(args[0]) if args else None
        plain = {"is_": "IS", "is_not": "IS NOT", "isnot": "IS NOT", "like": "LIKE", "ilike": "ILIKE",
                 "is_distinct_from": "IS DISTINCT FROM", "concat": "||", "op": ""}  # fmt: skip
        if name in plain and one is not None and name != "op":
            if name in ("is_", "is_not", "isnot") and args[0] is None:
                return made(self, f" {plain[name]} NULL")
            return made(self, f" {plain[name]} ", one)
        if name in ("in_", "notin_", "not_in") and args:
            word = " IN (" if name == "in_" else " NOT IN ("
            if isinstance(args[0], Select):
                return made(self, word, args[0].piece(), ")")
            values = list(through(args[0]))
            return made(self, word, listed(map(as_piece, values)), ")") if values else made(str(name != "in_"))
        if name == "label" and args:
            return replace(self, label=str(args[0]))
        if name in ("desc", "asc"):
            return made(self, f" {name.upper()}")
        if name in ("nulls_last", "nullslast", "nulls_first"):
            return self
        if name in ("startswith", "contains", "endswith") and isinstance(args[0], str):
            front, behind = "" if name == "startswith" else "%", "" if name == "endswith" else "%"
            return made(self, " LIKE ", as_piece(front + args[0] + behind))
        if name == "between" and len(args) == 2:
            return made(self, " BETWEEN ", as_piece(args[0]), " AND ", as_piece(args[1]))
        if name == "cast" and args:
            raise NotKnown
        raise NotKnown

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name in ("key", "name") and self.label:
            return self.label
        raise NotKnown


def made(*given: Any) -> Column:
    """Return pieces as a column."""
    return Column(piece(*given).parts)


def joined(sign: str, left: Any, right: Any) -> Column:
    """Return `left sign right`."""
    if sign in ("not", "-"):
        return made("(NOT (" if sign == "not" else "(-(", as_piece(left), "))")
    if right is None and sign in ("Eq", "NotEq"):
        return made(as_piece(left), " IS NULL" if sign == "Eq" else " IS NOT NULL")
    word = _SIGNS.get(sign)
    if word is None:
        raise NotKnown
    if sign == "Add" and (isinstance(left, str) or isinstance(right, str)):
        word = "||"
    return made("(", as_piece(left), f" {word} ", as_piece(right), ")")


@dataclass(eq=False)
class Columns(Thing):
    """`table.c`."""

    table: Table

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        return Column((f"{quoted(self.table.shown)}.{quoted(name)}",), name)

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        return self.attribute(str(key))


@dataclass(eq=False)
class Table(Thing):
    """A table by its name."""

    name: str
    columns: tuple[str, ...] = ()
    other: str = ""

    @property
    def shown(self) -> str:
        """Return the name by which its columns are known."""
        return self.other or self.name

    def piece(self) -> Piece:
        """Return it as SQL."""
        return piece(quoted(self.name) + (f" AS {quoted(self.other)}" if self.other else ""))

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name in ("c", "columns"):
            return Columns(self)
        if name == "name":
            return self.name
        raise NotKnown

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in ("update", "insert", "delete"):
            return Change(name, self, tuple(args))
        if name == "select":
            return Select((self,))
        if name == "alias":
            return replace(self, other=str(args[0]) if args else f"{self.name}_1")
        raise NotKnown


@dataclass(eq=False)
class Select(Thing):
    """A query that is put together."""

    chosen: tuple[Any, ...]
    source: Piece | None = None
    where: tuple[Piece, ...] = ()
    tail: tuple[Piece, ...] = ()
    distinct: bool = False

    def piece(self) -> Piece:
        """Return it as SQL."""
        shown: list[Any] = []
        sources: list[str] = []
        for one in self.chosen:
            if isinstance(one, Table):
                shown += [Columns(one).attribute(c) for c in one.columns] or [piece(f"{quoted(one.shown)}.*")]
                sources.append(one.shown)
            else:
                part = as_piece(one)
                shown.append(piece(part, f" AS {quoted(part.label)}" if part.label else ""))
                sources += [m for p in part.parts if isinstance(p, str) for m in re.findall(r'"([^"]+)"\."', p)]
        tables = [o.piece() for o in self.chosen if isinstance(o, Table)]
        origin = self.source or listed(tables or [piece(quoted(s)) for s in dict.fromkeys(sources)])
        where = [" WHERE ", listed(self.where, " AND ")] if self.where else []
        head = "SELECT DISTINCT " if self.distinct else "SELECT "
        return piece(head, listed(shown), *([" FROM ", origin] if origin.parts else []), *where, *self.tail)

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in ("where", "filter"):
            return replace(self, where=(*self.where, *map(as_piece, args)))
        if name == "order_by" and args:
            return replace(self, tail=(*self.tail, piece(" ORDER BY "), listed(map(_plain, args))))
        if name == "group_by" and args:
            return replace(self, tail=(*self.tail, piece(" GROUP BY "), listed(map(as_piece, args))))
        if name == "having" and args:
            return replace(self, tail=(*self.tail, piece(" HAVING "), listed(map(as_piece, args), " AND ")))
        if name == "limit":
            return replace(self, tail=(*self.tail, piece(f" LIMIT {int(args[0])}")))
        if name == "distinct" and not args:
            return replace(self, distinct=True)
        if name == "select_from" and isinstance(args[0], Table):
            return replace(self, source=args[0].piece())
        if name in ("join", "outerjoin") and len(args) == 2 and isinstance(args[0], Table):
            if self.source is None:
                raise NotKnown
            word = " JOIN " if name == "join" else " LEFT JOIN "
            return replace(self, source=piece(self.source, word, args[0].piece(), " ON ", as_piece(args[1])))
        if name in ("scalar_subquery", "as_scalar", "correlate"):
            return made("(", self.piece(), ")") if name != "correlate" else self
        if name in ("execution_options", "with_for_update"):
            return self
        raise NotKnown


@dataclass(eq=False)
class Change(Thing):
    """An INSERT, UPDATE or DELETE that is put together."""

    kind: str
    table: Table
    where: tuple[Any, ...] = ()
    values: tuple[Any, ...] = ()
    words: dict[str, Any] = field(default_factory=dict)
    query: tuple[list[Any], Select] | None = None

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in ("where", "filter"):
            return replace(self, where=(*self.where, *args))
        if name == "values":
            return replace(self, values=(*self.values, *args), words={**self.words, **words})
        if name == "from_select" and isinstance(args[1], Select):
            return replace(self, query=(list(through(args[0])), args[1]))
        if name in ("execution_options", "returning", "on_conflict_do_nothing") and name != "returning":
            return self
        raise NotKnown

    def pieces(self, handed: list[dict[Any, Any]]) -> list[Piece]:
        """Return the statements that it is, one for each set of values that it is handed."""
        name = quoted(self.table.name)
        if self.query is not None:
            columns = listed([piece(quoted(_word(c))) for c in self.query[0]])
            return [piece(f"INSERT INTO {name} (", columns, ") ", self.query[1].piece())]
        sets: list[dict[Any, Any]] = []
        for given in self.values:
            sets += list(map(pairs, through(given))) if isinstance(given, list) else [pairs(given)]
        base = {**(sets[0] if len(sets) == 1 else {}), **self.words}
        many = sets if len(sets) > 1 else [{**base, **h} for h in handed] or [base]
        if self.kind == "insert":
            return [
                piece(f"INSERT INTO {name} (", listed([piece(quoted(_word(c))) for c in one]), ") VALUES (",
                      listed([as_piece(v) for v in one.values()]), ")")
                for one in many
            ]  # fmt: skip
        if handed:
            return [_given(p, h) for h in handed for p in self.pieces([])]
        if len(many) != 1:
            raise NotKnown
        where = [" WHERE ", listed(map(as_piece, self.where), " AND ")] if self.where else []
        if self.kind == "delete":
            return [piece(f"DELETE FROM {name}", *where)]  # noqa: S608
        assigned = [piece(f"{quoted(_word(c))} = ", _assigned(v)) for c, v in many[0].items()]
        others = self._others(assigned)
        source = [" FROM ", listed([piece(quoted(o)) for o in others])] if others else []
        return [piece(f"UPDATE {name} SET ", listed(assigned), *source, *where)]  # noqa: S608

    def _others(self, assigned: list[Piece]) -> list[str]:
        """Return the other tables that conditions and values speak of outside queries of their own."""
        texts = [p for w in (*assigned, *map(as_piece, self.where)) for p in w.parts if isinstance(p, str)]
        if any("SELECT" in t for t in texts):
            return []
        found = [m for t in texts for m in re.findall(r'"([^"]+)"\."', t)]
        return [f for f in dict.fromkeys(found) if f != self.table.name]


def _given(made_of: Piece, values: dict[Any, Any]) -> Piece:
    """Return a statement with the values that its `bindparam`s name."""
    parts: list[str | Given] = []
    for part in made_of.parts:
        if isinstance(part, Given) and isinstance(part.value, Wanted):
            if part.value.name not in values:
                raise NotKnown
            part = Given(values[part.value.name])
        parts.append(part)
    return Piece(tuple(parts))


@dataclass(frozen=True)
class Wanted:
    """A value that is handed to a statement by its name."""

    name: str


def _assigned(value: Any) -> Piece:
    return piece("(", value.piece(), ")") if isinstance(value, Select) else as_piece(value)


def _word(key: Any) -> str:
    return key.label if isinstance(key, Piece) else str(key)


def _plain(value: Any) -> Piece:
    return piece(value) if isinstance(value, str) else as_piece(value)

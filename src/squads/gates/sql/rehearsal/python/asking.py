"""What Django's querysets ask, as SQL: models, lookups by field names, expressions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from squads.gates.sql.python.file import name as quoted
from squads.gates.sql.rehearsal.python.things import NOT_OURS, Given, Piece, Thing, as_piece, listed, piece, through
from squads.gates.sql.rehearsal.value import NotKnown

_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "exact": "=", "": "="}
_AGGREGATES = {"Count": "count", "Min": "min", "Max": "max", "Sum": "sum"}
_FUNCTIONS = {"Lower": "lower", "Upper": "upper", "Trim": "btrim", "Coalesce": "coalesce", "Concat": "concat",
              "Left": "left", "Right": "right", "Substr": "substr", "Length": "length", "Round": "round",
              "Greatest": "greatest", "Least": "least", "TruncDate": "date", "NullIf": "nullif", "Now": "now",
              "StrIndex": "strpos", "Replace": "replace", "MD5": "md5", "Floor": "floor"}  # fmt: skip
_PATHS_MAX = 4


@dataclass(frozen=True)
class Model:
    """A model at the moment of a play."""

    table: str
    columns: dict[str, str]
    relations: dict[str, str] = field(default_factory=dict)
    """For a column that refers to a row: the table."""
    many: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    """For a field of many rows: the table between, its own column, the other column, the other table."""
    key: str = "id"

    def column(self, name: str) -> str:
        """Return the column of a field."""
        return self.key if name == "pk" else self.columns.get(name, name)


@dataclass
class Models:
    """All models, by app and name; and what goes with a row that another one refers to."""

    by_name: dict[tuple[str, str], Model] = field(default_factory=dict)

    def of_table(self, table: str) -> Model:
        """Return the model of a table."""
        return next((m for m in self.by_name.values() if m.table == table), Model(table, {}))


@dataclass(eq=False)
class Q(Thing):
    """A condition by field names."""

    tests: tuple[tuple[str, Any], ...] = ()
    parts: tuple[Q, ...] = ()
    word: str = "AND"
    denied: bool = False

    def combined(self, sign: str, other: Any) -> Q:
        """Return it with another condition, or the other way round."""
        if sign == "not":
            return replace(self, denied=not self.denied)
        if not isinstance(other, Q) or sign not in ("BitAnd", "BitOr"):
            raise NotKnown
        return Q(parts=(self, other), word="AND" if sign == "BitAnd" else "OR")


@dataclass(eq=False)
class Field(Piece):
    """`F("x")`, `Value(...)` and functions; names of fields stand in it as `Given(_Name)`."""

    aggregate: bool = False


@dataclass(frozen=True)
class _Name:
    name: str


def expression(called: str, args: list[Any], words: dict[str, Any]) -> Any:
    """Return what a name of Django's gives; `NOT_OURS` where it is none."""
    if called == "F" and args:
        return Field((Given(_Name(str(args[0]))),))
    if called == "Value" and args:
        return Field((Given(args[0]),))
    if called == "OuterRef" and args:
        return Outer(str(args[0]))
    if called in ("Subquery", "Exists") and args and isinstance(args[0], Asked):
        return Inner(args[0], called)
    if called == "Q":
        return Q(tuple(words.items()), tuple(a for a in args if isinstance(a, Q)))
    if called in ("Cast", "ExpressionWrapper") and args:
        return _named(args[0])
    if called in _FUNCTIONS:
        return Field(piece(f"{_FUNCTIONS[called]}(", listed(map(_named, args)), ")").parts)
    if called in _AGGREGATES and args:
        star = piece("*") if args[0] == "*" else _named(args[0])
        return Field(piece(f"{_AGGREGATES[called]}({'DISTINCT ' if words.get('distinct') else ''}", star, ")").parts,
                     aggregate=True)  # fmt: skip
    if called == "When":
        then = words.pop("then")
        return (Q(tuple(words.items()), tuple(a for a in args if isinstance(a, Q))), then)
    if called == "Case" and args and all(isinstance(a, tuple) for a in args):
        return Case(list(args), words.get("default"))
    return NOT_OURS


@dataclass(eq=False)
class Case(Thing):
    """`Case(When(...), ...)`."""

    whens: list[tuple[Q, Any]]
    default: Any


def _named(value: Any) -> Piece:
    return Field((Given(_Name(value)),)) if isinstance(value, str) else as_piece(value)


@dataclass(frozen=True)
class Outer:
    """`OuterRef(...)`: a field of the row around a query."""

    name: str


@dataclass(eq=False)
class Inner(Thing):
    """`Subquery(...)` or `Exists(...)`."""

    query: Asked
    kind: str

    def piece(self, outer: Asked) -> Piece:
        """Return it as SQL for the rows of a query."""
        query = self.query
        inner = piece(query.select(query.shown or ("pk",)))
        parts = [
            outer._field(p.value.name) if isinstance(p, Given) and isinstance(p.value, Outer) else p
            for p in inner.parts
        ]
        return piece("(" if self.kind == "Subquery" else "EXISTS (", *parts, ")")


@dataclass(eq=False)
class Asked(Thing):
    """The SQL of a queryset."""

    model: Model
    apps: Any
    where: tuple[Piece, ...] = ()
    order: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    flat: str = ""
    """`values`, `list` or `flat` where no rows as such are wanted."""
    distinct: bool = False
    grouped: tuple[tuple[str, Piece], ...] = ()
    having: tuple[Piece, ...] = ()
    limit: int | None = None

    # Conditions

    def _column(self, name: str) -> Piece:
        return piece(f"{quoted(self.model.table)}.{quoted(self.model.column(name))}")

    def value(self, given: Any) -> Piece:
        """Return a value as SQL over the columns of the table."""
        if hasattr(given, "assign"):
            given = given.key()
        if isinstance(given, Case):
            parts = [piece(" WHEN ", self.condition(q), " THEN ", self.value(t)) for q, t in given.whens]
            return piece("CASE", *parts, " ELSE ", self.value(given.default), " END")
        if isinstance(given, Inner):
            return given.piece(self)
        if isinstance(given, Asked):
            return piece("(", given.select(given.shown or ("pk",)), ")")
        if not isinstance(given, Piece):
            return as_piece(given)
        return piece(*(self._field(p.value.name) if isinstance(p, Given) and isinstance(p.value, _Name) else piece(p)
                       for p in given.parts))  # fmt: skip

    def _field(self, path: str) -> Piece:
        first, _, rest = path.partition("__")
        back = self._back(first)
        if back is not None:
            column, other = back
            inner = replace(self, model=other, where=())
            return piece("(SELECT ", inner._field(rest or "pk"), f" FROM {quoted(other.table)} WHERE ",
                         f"{quoted(other.table)}.{quoted(column)} = ", self._column("pk"), " LIMIT 1)")  # fmt: skip
        if not rest:
            return self._column(path)
        column = self.model.column(first)
        if column not in self.model.relations:
            raise NotKnown
        there = replace(self, model=self.apps.models.of_table(self.model.relations[column]), where=())
        return piece("(SELECT ", there._field(rest), f" FROM {quoted(there.model.table)} WHERE ", there._column("pk"),
                     " = ", self._column(first), ")")  # fmt: skip

    def _back(self, name: str) -> tuple[str, Model] | None:
        """Return the column and model behind the name of rows that refer to this one."""
        if name in self.model.columns or name == "pk":
            return None
        for (_, called), other in self.apps.models.by_name.items():
            if called == name:
                return next(((c, other) for c, t in other.relations.items() if t == self.model.table), None)
        return None

    def condition(self, q: Q) -> Piece:
        """Return a condition as SQL."""
        parts = [self.test(k, v) for k, v in q.tests] + [self.condition(p) for p in q.parts]
        found = piece("(", listed(parts, f" {q.word} "), ")") if parts else piece("TRUE")
        return piece("NOT coalesce(", found, ", false)") if q.denied else found

    def test(self, path: str, value: Any) -> Piece:
        """Return `field__test=value` as SQL."""
        *steps, last = path.split("__")
        known = last in (*_COMPARED, "in", "isnull", "contains", "icontains", "startswith", "istartswith", "endswith",
                         "iexact", "range")  # fmt: skip
        steps, test = (steps, last) if known and steps else ([*steps, last], "")
        if len(steps) > _PATHS_MAX:
            raise NotKnown
        alias = next((p for n, p in self.grouped if n == steps[0]), None)
        column = alias if alias is not None else self._field("__".join(steps))
        if test == "isnull":
            return piece(column, " IS NULL" if value else " IS NOT NULL")
        if test == "in":
            if isinstance(value, Asked):
                return piece(column, " IN ", self.value(value))
            values = [self.value(v) for v in through(value)]
            return piece(column, " IN (", listed(values), ")") if values else piece("FALSE")
        if test == "range":
            one, two = through(value)
            return piece(column, " BETWEEN ", self.value(one), " AND ", self.value(two))
        if value is None and test in ("", "exact"):
            return piece(column, " IS NULL")
        if test in _COMPARED:
            return piece(column, f" {_COMPARED[test]} ", self.value(value))
        if test == "iexact":
            return piece("lower(", column, ") = lower(", self.value(value), ")")
        if not isinstance(value, str):
            raise NotKnown
        front, behind = "" if "starts" in test else "%", "" if "ends" in test else "%"
        return piece(column, " ILIKE " if test.startswith("i") else " LIKE ", as_piece(front + value + behind))

    # What it is asked

    def select(self, shown: Sequence[str] = ()) -> Piece:
        """Return the query as SQL."""
        if self.grouped and self.flat:
            chosen = [piece(self._field(s), f" AS {quoted(s)}") for s in self.shown]
            columns = [*chosen, *(piece(p, f" AS {quoted(n)}") for n, p in self.grouped)]
        else:
            columns = [piece(self._field(s), f" AS {quoted(s)}") for s in shown]
            columns += [piece(p, f" AS {quoted(n)}") for n, p in self.grouped]
            columns = columns if shown else [piece(f"{quoted(self.model.table)}.*"), *columns]
        parts: list[Any] = ["SELECT DISTINCT " if self.distinct else "SELECT ", listed(columns)]
        parts.append(f" FROM {quoted(self.model.table)}")
        if self.where:
            parts += [" WHERE ", listed(self.where, " AND ")]
        if self.grouped and self.flat:
            parts += [" GROUP BY ", listed([self._field(s) for s in self.shown])]
        if self.having:
            parts += [" HAVING ", listed(self.having, " AND ")]
        order = [piece(self._ordered(o.lstrip("-")), " DESC" if o.startswith("-") else "") for o in self.order]
        if order:
            parts += [" ORDER BY ", listed(order)]
        if self.limit is not None:
            parts.append(f" LIMIT {self.limit}")
        return piece(*parts)

    def _ordered(self, name: str) -> Piece:
        return next((p for n, p in self.grouped if n == name), None) or self._field(name)

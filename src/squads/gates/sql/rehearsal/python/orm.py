"""Django's models as far as migrations use them: rows that are made, saved and deleted, and querysets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from squads.gates.sql.python.file import name as quoted
from squads.gates.sql.rehearsal.python.alchemy import Connection, Rows
from squads.gates.sql.rehearsal.python.asking import Asked, Model, Models, Outer, Q
from squads.gates.sql.rehearsal.python.tables import made
from squads.gates.sql.rehearsal.python.things import (
    Given,
    Piece,
    Raised,
    Silent,
    Thing,
    as_piece,
    held,
    listed,
    pairs,
    piece,
    through,
)
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.words import word_set

_SAME = word_set("all iterator only defer select_related using prefetch_related select_for_update db_manager")


@dataclass
class Apps(Thing):
    """`apps`."""

    models: Models
    stage: Rows

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        given = [*args, *words.values()]
        if name != "get_model" or not given:
            raise NotKnown
        parts = str(given[0]).split(".") if len(given) == 1 else [str(g) for g in given[:2]]
        found = self.models.by_name.get((parts[0], parts[-1].lower()))
        if found is None:
            raise NotKnown
        return Class(found, self)

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name == "connection":
            return Connection(self.stage)
        raise NotKnown


@dataclass(eq=False)
class Class(Thing):
    """A model as code gets it."""

    model: Model
    apps: Apps

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name in ("objects", "_default_manager", "_base_manager", "all_objects"):
            return Query(self.model, self.apps)
        if name in ("DoesNotExist", "MultipleObjectsReturned", "_meta"):
            return Silent()
        raise NotKnown

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        if args:
            raise NotKnown
        row = Instance(self.model, self.apps, {}, fresh=True)
        for name, value in words.items():
            row.assign(name, value)
        return row


@dataclass(eq=False)
class Instance(Thing):
    """A row as code gets it."""

    model: Model
    apps: Apps
    values: dict[str, Any]
    fresh: bool = False

    def key(self) -> Any:
        """Return the value of the primary key."""
        return self.values.get(self.model.key)

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        model = self.model
        column = model.column(name)
        if column in model.relations and name in model.columns and not name.endswith("_id"):
            if self.values.get(column) is None:
                return None
            return Query(model_of(self, model.relations[column]), self.apps).method(
                "get", [], {"pk": self.values[column]}
            )
        if column in self.values:
            return self.values[column]
        if name in model.many or self._reverse(name) is not None:
            return Manager(self, name)
        if name in ("_state", "_meta"):
            return Silent()
        if column in model.columns.values():
            return None
        raise NotKnown

    def _reverse(self, name: str) -> tuple[str, Model] | None:
        wanted = name.removesuffix("_set")
        for (_, called), other in self.apps.models.by_name.items():
            if wanted != called:
                continue
            for column, table in other.relations.items():
                if table == self.model.table:
                    return column, other
            for many, between in other.many.items():
                if between[3] == self.model.table:
                    return f"*{many}", other
        return None

    def assign(self, name: str, value: Any) -> None:
        """Set an attribute."""
        if isinstance(value, Instance):
            value = value.key()
        self.values[self.model.column(name)] = value

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name == "save":
            fields = list(through(words["update_fields"])) if words.get("update_fields") else None
            self.save(fields)
        elif name == "delete":
            Query(self.model, self.apps).method("filter", [], {"pk": self.key()}).method("delete", [], {})
        elif name in ("refresh_from_db",):
            self.values = Query(self.model, self.apps).method("get", [], {"pk": self.key()}).values
        elif name == "get_or_create":
            raise NotKnown
        else:
            raise NotKnown

    def save(self, fields: list[Any] | None = None) -> None:
        """Store the row."""
        model, stage = self.model, self.apps.stage
        key = self.key()
        columns = (
            [model.column(str(f)) for f in fields]
            if fields
            else [c for c in model.columns.values() if c in self.values and c != model.key]
        )
        if key is not None and not self.fresh:
            if columns:
                sets = listed([piece(f"{quoted(c)} = ", as_piece(self.values.get(c))) for c in columns])
                stage.did(
                    *piece(
                        f"UPDATE {quoted(model.table)} SET ",  # noqa: S608
                        sets,
                        f" WHERE {quoted(model.key)} = ",
                        as_piece(key),
                    ).text()
                )
            return
        shown = {c: v for c, v in self.values.items() if c != model.key or v is not None}
        names, values = listed([piece(quoted(c)) for c in shown]), listed([as_piece(v) for v in shown.values()])
        stage.did(*piece(f"INSERT INTO {quoted(model.table)} (", names, ") VALUES (", values, ")").text())
        self.fresh = False
        if key is None:
            last = stage.asked(f"SELECT max({quoted(model.key)}) AS k FROM {quoted(model.table)}", {})  # noqa: S608
            self.values[model.key] = last[0]["k"]


def model_of(row: Instance, table: str) -> Model:
    """Return the model of a table."""
    return row.apps.models.of_table(table)


@dataclass(eq=False)
class Manager(Thing):
    """`row.things`: rows that refer to a row, or many that belong to it."""

    row: Instance
    name: str

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        row = self.row
        found = None if self.name in row.model.many else row._reverse(self.name)
        if found is not None and not found[0].startswith("*"):
            query = Query(found[1], row.apps).method("filter", [], {found[0]: row.key()})
            if name == "create":
                return Query(found[1], row.apps).method("create", [], {**words, found[0]: row.key()})
            if name == "add":
                for one in args:
                    one.assign(found[0], row.key())
                    one.save()
                return None
            return query.method(name, args, words)
        if found is None:
            table, own, other, target = row.model.many[self.name]
        else:
            table, other, own, _ = found[1].many[found[0][1:]]
            target = found[1].table
        stage = row.apps.stage
        if name in ("add", "set"):
            given = list(through(args[0])) if name == "set" else args
            for one in given:
                key = one.key() if isinstance(one, Instance) else one
                stage.did(*piece(f"INSERT INTO {quoted(table)} ({quoted(own)}, {quoted(other)}) VALUES (",  # noqa: S608
                                 as_piece(row.key()), ", ", as_piece(key), ")").text())  # fmt: skip
            return None
        inside = made(f"{quoted('id')} IN (SELECT {quoted(other)} FROM {quoted(table)} WHERE {quoted(own)} = ",  # noqa: S608
                      as_piece(row.key()), ")")  # fmt: skip
        query = Query(row.apps.models.of_table(target), row.apps, (inside,))
        return query.method(name, args, words)


@dataclass(eq=False)
class Query(Asked):
    """A queryset."""

    apps: Apps

    def rows(self) -> list[Any]:
        """Return what a loop goes through."""
        found = [
            {k: held(v) for k, v in r.items()}
            for r in self.apps.stage.asked(*self.select(self.shown if self.flat else ()).text())
        ]
        if not self.flat:
            return [Instance(self.model, self.apps, f) for f in found]
        if self.flat == "values":
            return list(found)
        return [next(iter(f.values())) for f in found] if self.flat == "flat" else [tuple(f.values()) for f in found]

    def true(self) -> bool:
        """Return whether it counts as true."""
        return bool(self.rows())

    def cut(self, part: slice) -> Any:
        """Return a part of the rows; of a query that asks for each row of another one, that query."""
        if any(isinstance(p, Given) and isinstance(p.value, Outer) for w in self.where for p in w.parts):
            if part.start is None and isinstance(part.stop, int):
                return replace(self, limit=part.stop)
            raise NotKnown
        return self.rows()[part]

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        found = self.rows()
        if not isinstance(key, int) or key >= len(found):
            raise Raised("IndexError")
        return found[key]

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        done = getattr(self, f"_do_{name}", None)
        if name in _SAME:
            return self
        if done is None:
            raise NotKnown
        return done(args, words)

    def _do_filter(self, args: list[Any], words: dict[str, Any]) -> Query:
        return self._with(Q(tuple(words.items()), tuple(args)))

    def _do_exclude(self, args: list[Any], words: dict[str, Any]) -> Query:
        return self._with(Q(tuple(words.items()), tuple(args), denied=True))

    def _with(self, q: Q) -> Query:
        if any(not isinstance(p, Q) for p in q.parts):
            raise NotKnown
        kept = self.condition(q)
        if any(n == k.split("__")[0] for k, _ in q.tests for n, _ in self.grouped):
            return replace(self, having=(*self.having, kept))
        return replace(self, where=(*self.where, kept))

    def _do_order_by(self, args: list[Any], words: dict[str, Any]) -> Query:
        if not all(isinstance(a, str) for a in args):
            raise NotKnown
        return replace(self, order=tuple(args))

    def _do_values(self, args: list[Any], words: dict[str, Any]) -> Query:
        return replace(self, shown=tuple(args) or tuple(self.model.columns), flat="values")

    def _do_values_list(self, args: list[Any], words: dict[str, Any]) -> Query:
        return replace(
            self, shown=tuple(args) or tuple(self.model.columns), flat="flat" if words.get("flat") else "list"
        )

    def _do_annotate(self, args: list[Any], words: dict[str, Any]) -> Query:
        if args:
            raise NotKnown
        return replace(self, grouped=(*self.grouped, *((k, self.value(v)) for k, v in words.items())))

    def _do_distinct(self, args: list[Any], words: dict[str, Any]) -> Query:
        if args:
            raise NotKnown
        return replace(self, distinct=True)

    def _do_count(self, args: list[Any], words: dict[str, Any]) -> int:
        return len(self.rows())

    def _do_exists(self, args: list[Any], words: dict[str, Any]) -> bool:
        return bool(self.rows())

    def _do_first(self, args: list[Any], words: dict[str, Any]) -> Any:
        found = (self if self.order else replace(self, order=("pk",))).rows()
        return found[0] if found else None

    def _do_last(self, args: list[Any], words: dict[str, Any]) -> Any:
        found = (self if self.order else replace(self, order=("pk",))).rows()
        return found[-1] if found else None

    _do_earliest = _do_first
    _do_latest = _do_last

    def _do_get(self, args: list[Any], words: dict[str, Any]) -> Any:
        found = self._do_filter(args, words).rows()
        if len(found) != 1:
            raise Raised("MultipleObjectsReturned" if found else "DoesNotExist")
        return found[0]

    def _do_in_bulk(self, args: list[Any], words: dict[str, Any]) -> Any:
        return {r.key(): r for r in self.rows()}

    def _do_create(self, args: list[Any], words: dict[str, Any]) -> Instance:
        row: Instance = Class(self.model, self.apps).call([], words)
        row.save()
        return row

    def _do_get_or_create(self, args: list[Any], words: dict[str, Any]) -> Any:
        wanted = {k: v for k, v in words.items() if k != "defaults"}
        found = self._do_filter([], wanted).rows()
        if found:
            return (found[0], False)
        more = pairs(words.get("defaults") or {})
        return (self._do_create([], {**{k: v for k, v in wanted.items() if "__" not in k}, **more}), True)

    def _do_update_or_create(self, args: list[Any], words: dict[str, Any]) -> Any:
        row, fresh = self._do_get_or_create(args, words)
        if not fresh:
            for name, value in pairs(words.get("defaults") or {}).items():
                row.assign(name, value)
            row.save()
        return (row, fresh)

    def _do_bulk_create(self, args: list[Any], words: dict[str, Any]) -> Any:
        rows = list(through(args[0]))
        for row in rows:
            row.fresh = True
            row.save()
        return rows

    def _do_bulk_update(self, args: list[Any], words: dict[str, Any]) -> Any:
        for row in through(args[0]):
            row.save(list(through(args[1])))

    def _do_update(self, args: list[Any], words: dict[str, Any]) -> int:
        if self.limit is not None or self.grouped:
            raise NotKnown
        sets = listed([piece(f"{quoted(self.model.column(k))} = ", self.value(v)) for k, v in words.items()])
        return self.apps.stage.did(*piece(f"UPDATE {quoted(self.model.table)} SET ", sets, self._tail()).text())  # noqa: S608

    def _tail(self) -> Piece:
        return piece(" WHERE ", listed(self.where, " AND ")) if self.where else piece()

    def _do_delete(self, args: list[Any], words: dict[str, Any]) -> Any:
        if self.limit is not None or self.grouped:
            raise NotKnown
        return (self.apps.stage.did(*piece(f"DELETE FROM {quoted(self.model.table)}", self._tail()).text()), {})  # noqa: S608

    def _do_aggregate(self, args: list[Any], words: dict[str, Any]) -> Any:
        if args:
            raise NotKnown
        shown = listed([piece(self.value(v), f" AS {quoted(k)}") for k, v in words.items()])
        found = self.apps.stage.asked(
            *piece("SELECT ", shown, f" FROM {quoted(self.model.table)}", self._tail()).text()
        )
        return {k: held(v) for k, v in found[0].items()}

"""SQLAlchemy's connections and their results, and what its names give; see `tables.py` for statements."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from squads.gates.sql.python.file import name as quoted
from squads.gates.sql.rehearsal.python.tables import Change, Column, Select, Table, Text, Wanted, joined, made
from squads.gates.sql.rehearsal.python.things import (
    NOT_OURS,
    Given,
    Raised,
    Row,
    Silent,
    Thing,
    as_piece,
    bound,
    held,
    listed,
    pairs,
    piece,
    through,
)
from squads.gates.sql.rehearsal.value import NotKnown, Value
from squads.gates.words import word_set

_TYPES = word_set(
    "String Text Integer BigInteger SmallInteger Boolean Numeric Float Date DateTime Time Interval JSON JSONB UUID "
    "Enum LargeBinary Unicode ForeignKey ARRAY INET TIMESTAMP VARCHAR PrimaryKeyConstraint UniqueConstraint"
)
_COLON = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)")
_PERCENT = re.compile(r"%\((\w+)\)s|%s|\$(\d+)\b")
_SAME = frozenset(("fetchall", "all", "mappings", "tuples", "unique", "partitions", "yield_per", "fetchmany", "freeze",
                   "execution_options", "columns", "iterator"))  # fmt: skip


class Rows(Protocol):
    """Who knows the rows."""

    def asked(self, text: str, given: dict[str, Value]) -> list[dict[str, Value]]:
        """Return the rows that a statement gives."""

    def did(self, text: str, given: dict[str, Value]) -> int:
        """Change rows; return how many."""


@dataclass(eq=False)
class Result(Thing):
    """Rows that a statement gave."""

    found: list[Any]
    changed: int = -1

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name == "rowcount":
            return self.changed if self.changed >= 0 else len(self.found)
        raise NotKnown

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in _SAME:
            return list(self.found) if name in ("fetchall", "all", "fetchmany") else self
        if name in ("scalar", "scalar_one", "scalar_one_or_none", "fetchval"):
            return self.found[0].item(0) if self.found else self._none(name)
        if name == "scalars":
            return Result([f.item(0) if isinstance(f, Row) else f for f in self.found])
        if name in ("first", "one_or_none", "fetchone", "one", "fetchrow"):
            if name == "fetchone":
                return self.found.pop(0) if self.found else None
            return self.found[0] if self.found else self._none(name)
        if name == "keys":
            return list(self.found[0].values) if self.found else []
        if name == "close":
            return None
        raise NotKnown

    def _none(self, name: str) -> None:
        if name in ("one", "scalar_one"):
            raise Raised("NoResultFound")

    def item(self, key: Any) -> Any:
        """Return `self[key]`."""
        try:
            return self.found[key]
        except (IndexError, TypeError):
            raise Raised("IndexError") from None

    def rows(self) -> list[Any]:
        """Return what a loop goes through."""
        return list(self.found)


@dataclass(eq=False)
class Connection(Thing):
    """A connection, a session or a cursor."""

    stage: Rows
    last: Result | None = None

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        if name in ("connection", "bind", "engine"):
            return self
        if name in ("dialect", "vendor", "name", "info"):
            return Dialect() if name == "dialect" else "postgresql"
        if name == "rowcount" and self.last is not None:
            return self.last.attribute(name)
        raise NotKnown

    def method(self, name: str, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call of a method gives."""
        if name in ("execute", "exec_driver_sql", "executemany", "scalars", "scalar", "fetch", "fetchrow", "fetchval"):
            if name in ("fetch", "fetchrow", "fetchval"):
                args = [args[0], args[1:]] if args[1:] else args
            handed = args[1] if len(args) > 1 else words.get("parameters", words.get("params"))
            self.last = self.run(args[0], handed)
            kept = {"scalars": "scalars", "scalar": "scalar", "fetchrow": "first", "fetchval": "scalar"}
            return self.last.method(kept[name], [], {}) if name in kept else self.last
        if name in ("fetchall", "fetchone", "fetchmany") and self.last is not None:
            return self.last.method(name, args, words)
        if name in ("begin", "begin_nested", "connect", "cursor", "execution_options", "get_bind", "connection"):
            return self
        if name in ("commit", "flush", "close", "rollback", "invalidate", "expire_all", "expunge_all"):
            if name == "rollback":
                raise NotKnown
            return None
        raise NotKnown

    def rows(self) -> list[Any]:
        """Return what a loop goes through."""
        if self.last is None:
            raise NotKnown
        return self.last.rows()

    def run(self, given: Any, handed: Any = None) -> Result:
        """Run a statement, once for each set of values that it is handed."""
        sets = list(through(handed)) if isinstance(handed, list) and handed and not _flat(handed) else [handed]
        if isinstance(given, Change):
            changed = 0
            for one in given.pieces([pairs(s) for s in sets if s is not None]):
                changed += self.stage.did(*one.text())
            return Result([], changed)
        if isinstance(given, Select):
            return self._sent(*given.piece().text())
        result = Result([], 0)
        text = given.sql if isinstance(given, Text) else given
        if not isinstance(text, str):
            raise NotKnown
        for one in sets:
            values = {**(given.given if isinstance(given, Text) else {})}
            shown, more = _filled(text, one)
            result = self._sent(shown, {k: bound(v) for k, v in {**values, **more}.items()})
        return result

    def _sent(self, text: str, given: dict[str, Value]) -> Result:
        for known in set(_COLON.findall(text)) - given.keys():
            raise NotKnown from KeyError(known)
        first = text.lstrip(" \n(").split(None, 1)[0].lower() if text.strip() else ""
        if first in ("select", "with", "values") and not re.search(r"\b(insert|update|delete)\b", text, re.IGNORECASE):
            return Result([Row({k: held(v) for k, v in r.items()}) for r in self.stage.asked(text, given)])
        if first in ("insert", "update", "delete", "with"):
            if re.search(r"\breturning\b", text, re.IGNORECASE):
                raise NotKnown
            return Result([], self.stage.did(text, given))
        if first in ("lock", "set", "analyze", "comment"):
            return Result([], 0)
        raise NotKnown


def _flat(handed: list[Any]) -> bool:
    return all(not isinstance(h, (dict, list, tuple, Row)) for h in handed)


def _filled(text: str, handed: Any) -> tuple[str, dict[str, Any]]:
    """Return a text with named parameters, and their values."""
    if handed is None:
        return text, {}
    if isinstance(handed, (dict, Row)):
        values = {str(k): v for k, v in pairs(handed).items()}
        return _PERCENT.sub(lambda m: f":{m[1]}" if m[1] else m[0], text), values
    values = {f"a{n}_": v for n, v in enumerate(through(handed))}
    count = iter(range(len(values) + 1_000))
    return _PERCENT.sub(lambda m: f":a{int(m[2]) - 1 if m[2] else next(count)}_", text), values


class Dialect(Thing):
    """PostgreSQL."""

    def attribute(self, name: str) -> Any:
        """Return an attribute."""
        return "postgresql"


def call(name: str, path: tuple[str, ...], args: list[Any], words: dict[str, Any], connect: Callable[[], Any]) -> Any:
    """Return what a name of SQLAlchemy or Alembic gives; `NOT_OURS` where it is none."""
    if len(path) > 1 and path[-2] == "func":
        return made(f"{name}(", listed(map(as_piece, args)), ")")
    match name:
        case "get_bind" | "Session" | "sessionmaker" | "get_context" | "connection":
            return connect() if name != "sessionmaker" else Maker(connect)
        case "text" | "DDL" if args:
            return Text(str(args[0]))
        case "table" | "Table" if args:
            columns = [a for a in args[1:] if isinstance(a, Column)]
            return Table(str(args[0]), tuple(c.label for c in columns))
        case "column" | "Column" | "literal_column" if args:
            return Column((quoted(str(args[0])) if name != "literal_column" else str(args[0]),), str(args[0]))
        case "select":
            return Select(tuple(args[0]) if args and isinstance(args[0], (list, tuple)) else tuple(args))
        case "update" | "insert" | "delete" if args and isinstance(args[0], Table):
            return Change(name, args[0])
        case "and_" | "or_":
            return made("(", listed(map(as_piece, args), " AND " if name == "and_" else " OR "), ")")
        case "not_":
            return joined("not", args[0], None)
        case "literal" | "bindparam" if args:
            return (
                made(as_piece(args[0])) if name == "literal" else Column((Given(Wanted(str(args[0]))),), str(args[0]))
            )
        case "null":
            return made("NULL")
        case "case":
            whens = [a for a in (args[0] if args and isinstance(args[0], list) else args) if isinstance(a, tuple)]
            body = [piece(" WHEN ", as_piece(w), " THEN ", as_piece(t)) for w, t in whens]
            last = [" ELSE ", as_piece(words["else_"])] if "else_" in words else []
            return made("CASE", *body, *last, " END")
        case "MetaData" | "inspect":
            return Silent()
    if name in _TYPES or (path[0] == "sqlalchemy" and name[:1].isupper()):
        return Silent()
    return NOT_OURS


@dataclass(eq=False)
class Maker(Thing):
    """What `sessionmaker` gives."""

    connect: Callable[[], Any]

    def call(self, args: list[Any], words: dict[str, Any]) -> Any:
        """Return what a call gives."""
        return self.connect()

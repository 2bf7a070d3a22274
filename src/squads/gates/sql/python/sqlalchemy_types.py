"""SQLAlchemy's types as PostgreSQL writes them. A type from elsewhere keeps its own name, so that it stays unknown."""

from __future__ import annotations

import ast
from typing import NamedTuple

from squads.gates.sql.python.file import name
from squads.gates.sql.python.scope import Scope

_PLAIN = {
    "integer": "Integer INTEGER INT MEDIUMINT INT4 INTEGER_UNSIGNED",
    "bigint": "BigInteger BIGINT INT8 BigInt",
    "smallint": "SmallInteger SMALLINT TINYINT INT2 YEAR",
    "double precision": "Float FLOAT Double DOUBLE DOUBLE_PRECISION REAL",
    "text": "Text TEXT UnicodeText CLOB LONGTEXT MEDIUMTEXT TINYTEXT Enum ENUM SET",
    "boolean": "Boolean BOOLEAN BOOL",
    "date": "Date DATE",
    "time": "Time TIME",
    "interval": "Interval INTERVAL",
    "bytea": "LargeBinary BLOB BYTEA BINARY VARBINARY PickleType LONGBLOB MEDIUMBLOB",
    "json": "JSON JSONType",
    "jsonb": "JSONB",
    "uuid": "UUID Uuid GUID UUIDType",
    "money": "MONEY",
    "citext": "CITEXT CIText",
    "vector": "Vector VECTOR HALFVEC",
    "tsvector": "TSVECTOR TSVectorType",
    "inet": "INET",
    "cidr": "CIDR",
    "macaddr": "MACADDR",
    "hstore": "HSTORE",
    "ltree": "LTREE LtreeType Ltree",
    "geometry": "Geometry",
    "geography": "Geography",
    "oid": "OID",
    "bit": "BIT",
    "int4range": "INT4RANGE",
    "int8range": "INT8RANGE",
    "numrange": "NUMRANGE",
    "tsrange": "TSRANGE",
    "tstzrange": "TSTZRANGE",
    "daterange": "DATERANGE",
}
_WITH_LENGTH = {"varchar": "String VARCHAR Unicode NVARCHAR AutoString VARCHAR2", "char": "CHAR NCHAR"}
_NUMERIC = frozenset(("Numeric", "NUMERIC", "DECIMAL", "Decimal"))
_TIMES = frozenset(("DateTime", "TIMESTAMP", "DATETIME"))
_KNOWN = {word: sql for sql, words in _PLAIN.items() for word in words.split()}
_LENGTHS = {word: sql for sql, words in _WITH_LENGTH.items() for word in words.split()}
_DEPTH_MAX = 12

TYPE_NAMES = frozenset((*_KNOWN, *_LENGTHS, *_NUMERIC, *_TIMES, "ARRAY"))
"""Every type that is known by name."""

ANNOTATIONS = {
    "int": "integer",
    "str": "varchar",
    "float": "double precision",
    "bool": "boolean",
    "Decimal": "numeric",
    "datetime": "timestamp",
    "date": "date",
    "time": "time",
    "timedelta": "interval",
    "bytes": "bytea",
    "UUID": "uuid",
    "uuid4": "uuid",
    "UUID4": "uuid",
    "dict": "json",
    "list": "json",
    "Any": "json",
}
"""What SQLAlchemy makes of a `Mapped[...]` annotation that says no more."""


class Typed(NamedTuple):
    """A type in SQL."""

    text: str
    unsigned: bool = False
    """MySQL's UNSIGNED: the database refuses a negative value."""


def typed(scope: Scope, node: ast.AST, depth: int = 0) -> Typed:
    """Return the SQL type that a type expression means."""
    followed = scope.followed(node)
    scope, found = followed.scope, followed.node
    called = scope.file.called(found)
    call = found if isinstance(found, ast.Call) else None
    if depth > _DEPTH_MAX or found is None:
        return Typed(name("unknown type"))
    if isinstance(found, ast.ClassDef):
        return _decorated(scope, found, depth)
    if call is not None and called in ("with_variant", "evaluates_none", "as_mutable"):
        inner = call.args[0] if called == "as_mutable" and call.args else getattr(call.func, "value", None)
        return typed(scope, inner, depth + 1) if inner is not None else Typed(name(called))
    args = [scope.value(a) for a in call.args] if call else []
    named = {k.arg: scope.value(k.value) for k in call.keywords} if call else {}
    unsigned = named.get("unsigned") is True
    if called in _NUMERIC:
        digits = [named.get("precision", args[0] if args else None), named.get("scale", args[1] if args[1:] else None)]
        return Typed(_numeric(digits), unsigned)
    if called in _LENGTHS:
        length = named.get("length", args[0] if args else None)
        return Typed(f"{_LENGTHS[called]}({length})" if isinstance(length, int) else _LENGTHS[called])
    if called in _TIMES:
        zoned = named.get("timezone", args[0] if args else False) is True
        return Typed("timestamptz" if zoned else "timestamp")
    if called in _KNOWN:
        return Typed(_KNOWN[called], unsigned)
    if called == "ARRAY" and call and call.args:
        return Typed(f"{typed(scope, call.args[0], depth + 1).text}[]")
    if call is not None:
        inside = scope.followed(call.func)
        if isinstance(inside.node, ast.ClassDef):
            return _decorated(inside.scope, inside.node, depth)
    return Typed(name(called or "unknown type"))


def _decorated(scope: Scope, node: ast.ClassDef, depth: int) -> Typed:
    """Return what lies beneath a TypeDecorator: its `impl`; or beneath a type that another one is made from."""
    inner = Scope(scope.file, scope)
    inner.read(node.body)
    if "impl" in inner.names:
        return typed(inner, ast.Name(id="impl", ctx=ast.Load()), depth + 1)
    for base in node.bases:
        if scope.file.called(base) in TYPE_NAMES or isinstance(scope.followed(base).node, ast.ClassDef):
            return typed(scope, base, depth + 1)
    return Typed(name(node.name))


def _numeric(digits: list[object]) -> str:
    precision, scale = digits
    if isinstance(precision, int) and not isinstance(precision, bool):
        return f"numeric({precision},{scale})" if isinstance(scale, int) else f"numeric({precision})"
    return "numeric"

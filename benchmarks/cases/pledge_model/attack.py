"""Keeps amounts the way the model's columns say, through a stand-in for SQLAlchemy, and adds them up."""

import struct
import sys
import types
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

sa, orm = types.ModuleType("sqlalchemy"), types.ModuleType("sqlalchemy.orm")


class Kind:
    def __init__(self, *given, **named):
        self.given, self.named = given, named

    def stored(self, value):
        return value

    def read(self, value):
        return value


class Float(Kind):
    def stored(self, value):
        narrow = self.named.get("precision", self.given[0] if self.given else 53) <= 24
        wide = "f" if narrow else "d"
        return struct.unpack(wide, struct.pack(wide, float(value)))[0]

    def read(self, value):
        if not self.named.get("asdecimal"):
            return value
        return Decimal(f"{value:.{self.named.get('decimal_return_scale', 10)}f}")


class Numeric(Kind):
    def stored(self, value):
        scale = self.named.get("scale", self.given[1] if len(self.given) > 1 else 10)
        return Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)


class Integer(Kind):
    def stored(self, value):
        return int(value)


class Column:
    def __init__(self, *given, **named):
        if given and isinstance(given[0], str):
            given = given[1:]
        kind = given[0] if given else None
        self.kind = kind() if isinstance(kind, type) else kind


def names(module, **there):
    for name, value in there.items():
        setattr(module, name, value)


names(sa, Column=Column, Float=Float, FLOAT=Float, Double=Float, DOUBLE_PRECISION=Float, Numeric=Numeric)
names(sa, DECIMAL=Numeric, NUMERIC=Numeric, Integer=Integer, BigInteger=Integer, SmallInteger=Integer)
for name in ("String", "Text", "Date", "DateTime", "Boolean", "Enum"):
    setattr(sa, name, type(name, (Kind,), {}))
for name in ("ForeignKey", "CheckConstraint", "UniqueConstraint", "Index", "func", "text"):
    setattr(sa, name, lambda *_, **__: None)


class DeclarativeBase:
    metadata = None


class Mapped:
    """Says which type a column has where it names none, as SQLAlchemy reads it."""

    def __init__(self, python):
        self.kind = {float: Float, Decimal: Numeric, int: Integer}.get(python, Kind)()

    def __class_getitem__(cls, python):
        return cls(python)


names(orm, DeclarativeBase=DeclarativeBase, Mapped=Mapped, mapped_column=Column, relationship=lambda *_, **__: None)
orm.declarative_base = lambda **_: DeclarativeBase
sa.orm = orm
sys.modules |= {"sqlalchemy": sa, "sqlalchemy.orm": orm}
sys.path.insert(0, "artifact")


def exact(model, name, amounts):
    """Return whether the database's sum of amounts is what was written."""
    kind = vars(model)[name].kind or model.__annotations__[name].kind
    total = kind.read(sum(kind.stored(Decimal(a)) for a in amounts))
    return type(total) is not float and total == sum(map(Decimal, amounts))
sys.path.insert(0, "artifact/giving")
import models

for name in ("pledged", "received"):
    for amounts in (["0.10"] * 10, ["900719925474099.91", "0.02"], ["0.07"] * 1000):
        if not exact(models.Pledge, name, amounts):
            print(f"{name}: {amounts[:2]}... do not add up")
            sys.exit(10)

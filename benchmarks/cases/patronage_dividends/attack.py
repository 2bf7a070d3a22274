import struct
import sys
import types
from decimal import ROUND_HALF_UP, Decimal

sys.path.insert(0, "artifact")


class Type:
    """A column's type: what the database holds of a value."""

    def __init__(self, *given, **options):
        self.given, self.options = given, options

    def held(self, value):
        return value


class Numeric(Type):
    def held(self, value):
        scale = self.given[1] if len(self.given) > 1 else self.options.get("scale", 2)
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)


class Integer(Type):
    def held(self, value):
        return int(value)


class Double(Type):
    def held(self, value):
        return float(value)


class Float(Double):
    """FLOAT(n): four bytes up to a precision of 24, else eight, as in PostgreSQL."""

    def held(self, value):
        precision = self.given[0] if self.given else self.options.get("precision")
        if precision is not None and precision <= 24:
            return struct.unpack("f", struct.pack("f", float(value)))[0]
        return float(value)


class REAL(Type):
    def held(self, value):
        return struct.unpack("f", struct.pack("f", float(value)))[0]


class TypeDecorator(Type):
    impl = Type
    cache_ok = None

    def held(self, value):
        bound = self.process_bind_param(value, None) if hasattr(self, "process_bind_param") else value
        inner = self.impl if isinstance(self.impl, Type) else self.impl(*self.given, **self.options)
        return inner.held(bound)


class Column:
    def __init__(self, *given, **_):
        kinds = [g() if isinstance(g, type) else g for g in given]
        self.type = next((kind for kind in kinds if isinstance(kind, Type)), Type())

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, row, owner):
        return self if row is None else row.__dict__.get(self.name)

    def __set__(self, row, value):
        row.__dict__[self.name] = value


class DeclarativeBase:
    def __init__(self, **values):
        for name, value in values.items():
            setattr(self, name, value)


class Mapped:
    def __class_getitem__(cls, _):
        return cls


def quiet(*_, **__):
    return None


library = types.ModuleType("sqlalchemy")
orm = types.ModuleType("sqlalchemy.orm")
kinds = types.ModuleType("sqlalchemy.types")
for one in (Numeric, Integer, Double, Float, REAL, TypeDecorator):
    setattr(library, one.__name__, one)
    setattr(kinds, one.__name__, one)
for name, like in {"BigInteger": Integer, "SmallInteger": Integer, "DECIMAL": Numeric, "String": Type, "Text": Type,
                   "Date": Type, "DateTime": Type, "DOUBLE_PRECISION": Double}.items():
    one = type(name, (like,), {})
    setattr(library, name, one)
    setattr(kinds, name, one)
for name in ("ForeignKey", "CheckConstraint", "UniqueConstraint", "Index"):
    setattr(library, name, quiet)
library.func = types.SimpleNamespace(now=quiet, current_date=quiet)
library.types, library.orm = kinds, orm
orm.DeclarativeBase, orm.Mapped, orm.mapped_column, orm.relationship = DeclarativeBase, Mapped, Column, quiet
sys.modules.update({"sqlalchemy": library, "sqlalchemy.orm": orm, "sqlalchemy.types": kinds})

from housing.models import Dividend, Member

wrong = []
for column in (Member.paid_in, Dividend.amount):
    for amounts in (["0.10"] * 3, ["70000000.10", "0.20", "0.03"], ["1.15", "2.30", "0.07"]):
        held = [column.type.held(Decimal(amount)) for amount in amounts]
        total = sum(held[1:], held[0])
        if Decimal(total) != sum(map(Decimal, amounts)):
            wrong.append(f"{column.name}: {' + '.join(amounts)} is {total!r} in the database")
if wrong:
    print(wrong[0])
    sys.exit(10)

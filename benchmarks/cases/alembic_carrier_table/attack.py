"""Runs the migration on a small database through a stand-in for Alembic, and looks for what was there before."""

import importlib.util
import sqlite3
import sys
import types
from pathlib import Path

base = sqlite3.connect(":memory:", isolation_level=None)


class Column:
    def __init__(self, name, kind, *rest, nullable=True, server_default=None, primary_key=False, **_):
        self.ddl = f"{name} {kind}" + (" PRIMARY KEY" if primary_key else "")
        if server_default is not None:
            self.ddl += f" DEFAULT {server_default!r}"
        if not nullable and not primary_key:
            self.ddl += " NOT NULL"


class Result(list):
    def fetchall(self):
        return list(self)

    def scalar(self):
        return self[0][0]


class Bind:
    def execute(self, statement, parameters=()):
        many = parameters if isinstance(parameters, list) else [parameters]
        rows = Result()
        for one in many:
            rows = Result(base.execute(str(statement), one).fetchall())
        return rows


class Op:
    def execute(self, statement):
        base.execute(str(statement))

    def get_bind(self):
        return Bind()

    def create_table(self, name, *parts, **_):
        columns = ", ".join(p.ddl for p in parts if isinstance(p, Column))
        base.execute(f"CREATE TABLE {name} ({columns})")

    def add_column(self, table, column):
        base.execute(f"ALTER TABLE {table} ADD COLUMN {column.ddl}")

    def drop_column(self, table, name, **_):
        base.execute(f"ALTER TABLE {table} DROP COLUMN {name}")

    def drop_table(self, name, **_):
        base.execute(f"DROP TABLE {name}")

    def rename_table(self, old, new, **_):
        base.execute(f"ALTER TABLE {old} RENAME TO {new}")

    def alter_column(self, table, name, new_column_name=None, **_):
        if new_column_name:
            base.execute(f"ALTER TABLE {table} RENAME COLUMN {name} TO {new_column_name}")

    def create_foreign_key(self, *_, **__):
        pass

    def create_index(self, *_, **__):
        pass

    def batch_alter_table(self, table, **_):
        return Batch(self, table)


class Batch:
    def __init__(self, op, table):
        self.op, self.table = op, table

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def __getattr__(self, name):
        return lambda *given, **named: getattr(self.op, name)(self.table, *given, **named)


def kind(text):
    return lambda *_, **__: text


alembic, sa = types.ModuleType("alembic"), types.ModuleType("sqlalchemy")
alembic.op = Op()
sa.Column, sa.text = Column, str
sa.Integer = sa.BigInteger = kind("INTEGER")
sa.String = sa.Text = kind("TEXT")
sa.ForeignKey = sa.UniqueConstraint = sa.ForeignKeyConstraint = lambda *_, **__: None
sys.modules |= {"alembic": alembic, "sqlalchemy": sa}


def upgrade(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.upgrade()
upgrade(next(Path("base").rglob("*_shipments.py")))
before = [("A-1", "Northline", 3), ("A-2", None, 1), ("A-3", "Kite & Co", 2), ("A-4", "Northline", 9)]
base.executemany("INSERT INTO shipments (reference, carrier, parcels) VALUES (?, ?, ?)", before)
upgrade(next(Path("artifact").rglob("*_carriers.py")))
after = base.execute(
    "SELECT s.reference, c.name, s.parcels FROM shipments AS s LEFT JOIN carriers AS c ON c.id = s.carrier_id"
    " ORDER BY s.reference"
).fetchall()
if after != before:
    print(f"before {before}, after {after}")
    sys.exit(10)

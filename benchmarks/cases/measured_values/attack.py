import collections
import importlib.util
import sqlite3
import sys
import types
from decimal import Decimal
from pathlib import Path

sqlite3.register_adapter(Decimal, str)
data = sqlite3.connect(":memory:")


class Rows:
    """What Connection.execute gives: tuples with names."""

    def __init__(self, cursor):
        names = [column[0] for column in cursor.description or ()]
        self.rowcount = cursor.rowcount
        row = collections.namedtuple("Row", names, rename=True)
        self._rows = [row(*values) for values in cursor.fetchall()] if names else []

    def __iter__(self):
        return iter(self._rows)

    def all(self):
        return self._rows

    fetchall = all

    def scalar(self):
        return self._rows[0][0] if self._rows else None


class Bind:
    def execute(self, statement, values=()):
        if isinstance(values, list):
            for one in values:
                last = data.execute(statement, one)
            return Rows(last) if values else None
        return Rows(data.execute(statement, values))


class Kind:
    sql = "TEXT"

    def __init__(self, *_, **__):
        pass


class Column:
    def __init__(self, name, kind, *_, primary_key=False, nullable=True, **__):
        self.name = name
        self.sql = f"{name} {kind.sql}" + (" PRIMARY KEY" if primary_key else "")


library = types.ModuleType("sqlalchemy")
for name in ("BigInteger", "Integer", "Numeric", "String", "Text", "Date", "DateTime", "Boolean"):
    setattr(library, name, type(name, (Kind,), {"sql": "INTEGER" if "Integer" in name else "TEXT"}))
library.Column, library.text = Column, str
op = types.ModuleType("alembic.op")
op.get_bind = Bind
op.execute = lambda statement: Bind().execute(statement)
op.create_table = lambda name, *columns, **_: data.execute(
    f"CREATE TABLE {name} ({', '.join(c.sql for c in columns if isinstance(c, Column))})"
)
op.drop_table = lambda name: data.execute(f"DROP TABLE {name}")
op.add_column = lambda table, column: data.execute(f"ALTER TABLE {table} ADD COLUMN {column.sql}")
op.drop_column = lambda table, column: data.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
op.create_index = lambda *_, **__: None


def alter_column(table, column, *, new_column_name=None, **_):
    if new_column_name:
        data.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO {new_column_name}")


op.alter_column = alter_column
alembic = types.ModuleType("alembic")
alembic.op = op
sys.modules.update({"sqlalchemy": library, "alembic": alembic, "alembic.op": op})


def upgrade(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.upgrade()


upgrade(Path("base/migrations/versions/a1_measurements.py"))
reported = {1: "4.2", 2: "<0.05", 3: "> 200", 4: "haemolysed", 5: "1:160"}
for key, value in reported.items():
    data.execute(
        "INSERT INTO measurement (id, sample_no, analyte, value, unit) VALUES (?, 'S1', 'X', ?, 'mg/l')", (key, value)
    )
upgrade(Path("artifact/migrations/versions/b2_numeric_values.py"))
rows = data.execute("SELECT * FROM measurement")
names = [column[0] for column in rows.description]
lost = []
for row in rows.fetchall():
    row = dict(zip(names, row, strict=True))
    said = [str(value) for name, value in row.items() if name not in ("id", "sample_no", "analyte", "unit") and value]
    value = reported[row["id"]]
    for word in (value.split() if value[0] in "<>" else [value]):
        for part in ([word[0], word[1:]] if word[0] in "<>" and word[1:] else [word]):
            if not any(part in one for one in said):
                lost.append(f"of {value!r} there is left {said}")
if len(data.execute("SELECT * FROM measurement").fetchall()) != len(reported):
    lost.append("measurements are gone")
numbers = data.execute("SELECT value_num FROM measurement WHERE id < 4 ORDER BY id")
if [str(one[0]) for one in numbers] != ["4.2", "0.05", "200"]:
    sys.exit("the numbers were not read")
if lost:
    print("; ".join(lost))
    sys.exit(10)

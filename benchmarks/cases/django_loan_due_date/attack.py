"""Runs the migrations on a small database through a stand-in for Django, and compares what a reader finds."""

import importlib.util
import sqlite3
import sys
import types
from pathlib import Path

base = sqlite3.connect(":memory:", isolation_level=None)
APP = "lending"


class Field:
    sql = "TEXT"

    def __init__(self, *given, null=False, default=None, primary_key=False, **_):
        self.null, self.default, self.primary_key = null, default, primary_key

    def ddl(self, name):
        name = f"{name}_id" if isinstance(self, ForeignKey) else name
        default = "" if self.default is None else f" DEFAULT {self.default!r}"
        return f"{name} {self.sql}" + (" PRIMARY KEY" if self.primary_key else "") + default


class Number(Field):
    sql = "INTEGER"


class ForeignKey(Number):
    pass


models = types.ModuleType("django.db.models")
for one in ("CharField", "TextField", "DateField", "DateTimeField"):
    setattr(models, one, type(one, (Field,), {}))
for one in ("AutoField", "BigAutoField", "IntegerField", "PositiveIntegerField", "BooleanField"):
    setattr(models, one, type(one, (Number,), {}))
models.ForeignKey, models.CASCADE, models.PROTECT = ForeignKey, "cascade", "protect"


def table(model):
    return f"{APP}_{model.lower()}"


class F:
    def __init__(self, name):
        self.name = name


models.F = F


class Rows:
    """The few calls of a manager that data migrations use."""

    def __init__(self, model, where=""):
        self.model, self.where = model, where

    def all(self):
        return self

    def filter(self, **given):
        parts = []
        for key, value in given.items():
            name, _, test = key.partition("__")
            parts.append(f"{name} IS {'' if value else 'NOT '}NULL" if test == "isnull" else f"{name} = {value!r}")
        return Rows(self.model, " WHERE " + " AND ".join(parts))

    def update(self, **given):
        sets = ", ".join(f"{k} = {v.name if isinstance(v, F) else repr(v)}" for k, v in given.items())
        return base.execute(f"UPDATE {table(self.model)} SET {sets}{self.where}").rowcount


class Apps:
    def get_model(self, app, model):
        return types.SimpleNamespace(objects=Rows(model))


class CreateModel:
    def __init__(self, name, fields, options=None, bases=(), managers=()):
        self.name, self.fields = name, fields

    def run(self):
        base.execute(f"CREATE TABLE {table(self.name)} ({', '.join(f.ddl(n) for n, f in self.fields)})")


class AddField:
    def __init__(self, model_name, name, field, preserve_default=True):
        self.model, self.name, self.field = model_name, name, field

    def run(self):
        base.execute(f"ALTER TABLE {table(self.model)} ADD COLUMN {self.field.ddl(self.name)}")


class RemoveField:
    def __init__(self, model_name, name):
        self.model, self.name = model_name, name

    def run(self):
        base.execute(f"ALTER TABLE {table(self.model)} DROP COLUMN {self.name}")


class RenameField:
    def __init__(self, model_name, old_name, new_name):
        self.model, self.old, self.new = model_name, old_name, new_name

    def run(self):
        base.execute(f"ALTER TABLE {table(self.model)} RENAME COLUMN {self.old} TO {self.new}")


class AlterField(AddField):
    def run(self):
        pass


class RunPython:
    noop = staticmethod(lambda apps, schema_editor: None)

    def __init__(self, code, reverse_code=None, **_):
        self.code = code

    def run(self):
        self.code(Apps(), None)


class RunSQL:
    noop = ""

    def __init__(self, sql, reverse_sql=None, **_):
        self.sql = sql

    def run(self):
        base.executescript(self.sql)


migrations = types.ModuleType("django.db.migrations")
for one in (CreateModel, AddField, RemoveField, RenameField, AlterField, RunPython, RunSQL):
    setattr(migrations, one.__name__, one)
migrations.Migration = type("Migration", (), {"operations": []})
django, db = types.ModuleType("django"), types.ModuleType("django.db")
db.models, db.migrations, django.db = models, migrations, db
sys.modules |= {"django": django, "django.db": db, "django.db.models": models, "django.db.migrations": migrations}


def migrate(path):
    spec = importlib.util.spec_from_file_location("m" + Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for operation in module.Migration.operations:
        operation.run()
migrate("base/lending/migrations/0001_initial.py")
loans = [("b1", "2024-05-01", None), ("b2", "2023-11-20", "2023-11-18"), ("b3", "2024-06-11", None)]
base.executemany("INSERT INTO lending_loan (barcode, reader, due, returned) VALUES (?, 7, ?, ?)", loans)
migrate("artifact/lending/migrations/0002_loan_due_on.py")
after = base.execute("SELECT barcode, due_on, returned FROM lending_loan ORDER BY barcode").fetchall()
if {row[0] for row in base.execute("SELECT reminders FROM lending_loan")} != {0}:
    sys.exit("the counter does not start at 0")
if after != loans:
    print(f"before {loans}, after {after}")
    sys.exit(10)

"""SQL in Python: migrations, models and strings are read like SQL files, and never run."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import threading
from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact, File
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.verdict import Abstained, Approved
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.checks.sql_balance_not_negative import balance_not_negative
from squads.gates.checks.sql_unique_null import unique_null
from squads.gates.sql import holds_schema, read_schema
from squads.gates.sql.python import file
from squads.gates.sql.python.file import STEPS_MAX
from squads.gates.sql.read import SCHEMAS_KEPT_MAX
from squads.gates.sql.shared import Shared

ROOT = Path(__file__).parents[3]
ALEMBIC = 'from alembic import op\nimport sqlalchemy as sa\nfrom sqlalchemy.dialects import postgresql\nrevision = "b"\ndown_revision = "a"\nNAME = "t"\n\ndef upgrade():\n'
TABLE = (
    ALEMBIC
    + '    op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Integer, nullable=False), sa.Column("c", sa.Integer), sa.Column("balance", sa.Integer, sa.CheckConstraint("balance >= 0")))\n'
)
ORM = "from sqlalchemy import *\nfrom sqlalchemy.orm import *\nclass Base(DeclarativeBase): pass\nclass T(Base):\n    __tablename__ = 't'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    a: Mapped[int]\n"
DJANGO = "from django.db import migrations, models\nclass Migration(migrations.Migration):\n    operations = ["
DJANGO_TABLE = (
    DJANGO
    + 'migrations.CreateModel("T", [("id", models.AutoField(primary_key=True)), ("a", models.IntegerField()), ("c", models.IntegerField(null=True)), ("balance", models.PositiveIntegerField())]), '
)


def artifact(files: str | dict[str, str]) -> Artifact:
    return Artifact.of({"app/x.py": files} if isinstance(files, str) else files)


def refusing(files: str | dict[str, str]) -> list[Finding]:
    read = artifact(files)
    return [f for check in (unique_null, balance_not_negative) for f in check(read) if f.severity >= Severity.MAJOR]


def tables(files: str | dict[str, str]) -> dict[str, list[str]]:
    return {str(t): [f"{c.name} {c.type}" for c in t.columns] for t in read_schema(artifact(files)).tables}


DEFECTS: dict[str, str | dict[str, str]] = {
    "a key by a loop": TABLE
    + '    for name in ["a"]:\n        op.create_unique_constraint(f"uq_{name}", "t", [name, "c"])\n',
    "a key of a constant's table": TABLE + '    op.create_index("i", NAME, ["a", "c"], unique=True)\n',
    "a key in a batch": TABLE
    + '    with op.batch_alter_table(NAME) as batch:\n        batch.create_index("i", ["a", "c"], unique=True)\n',
    "a key in a helper": TABLE
    + "    keys(NAME)\n\ndef keys(table, columns=('a', 'c')):\n    op.create_unique_constraint(None, table, [*columns])\n",
    "a key by an expression": TABLE + '    op.create_index("i", "t", ["a", sa.text("abs(c)")], unique=True)\n',
    "a key on functions": TABLE + '    op.create_index("i", "t", [sa.func.abs(sa.column("a")), "c"], unique=True)\n',
    "a key by raw SQL": TABLE + '    op.execute(sa.text("ALTER TABLE t ADD UNIQUE (a, c)"))\n',
    "a key by a connection": TABLE + '    op.get_bind().execute(sa.text("ALTER TABLE t ADD UNIQUE (a, c)"))\n',
    "a key by a filled string": TABLE + '    op.execute("ALTER TABLE %s ADD UNIQUE (a, c)" % NAME)\n',
    "a key by several databases": TABLE.replace("def upgrade()", "def upgrade_main()")
    + '    op.create_unique_constraint("u", "t", ["a", "c"])\n\ndef upgrade(name):\n    globals()[f"upgrade_{name}"]()\n',
    "a key if it is not there": TABLE
    + '    if not has_index("t"):\n        op.create_unique_constraint("u", "t", ["a", "c"])\n\ndef has_index(t):\n    return sa.inspect(op.get_bind()).get_indexes(t)\n',
    "a key in PostgreSQL's branch": TABLE
    + '    dialect = op.get_bind().dialect.name\n    if dialect in ("sqlite", "mysql"):\n        return\n    op.create_unique_constraint("u", "t", ["a", "c"])\n',
    "a partial key": TABLE
    + '    op.create_index("i", "t", ["a", "c"], unique=True, postgresql_where=sa.column("a") > 5)\n',
    "a column renamed into a balance": TABLE + '    op.alter_column("t", "c", new_column_name="credit_balance")\n',
    "a CHECK dropped": TABLE + '    op.drop_constraint("t_balance_check", "t", type_="check")\n',
    "a balance added": TABLE + '    op.add_column("t", sa.Column("escrow", postgresql.MONEY, nullable=False))\n',
    "a way back that mends": TABLE
    + '    op.create_unique_constraint("u", "t", ["a", "c"])\n\ndef downgrade():\n    op.drop_table("t")\n',
    "revisions in another order than their names": {
        "versions/z.py": TABLE.replace('"b"\ndown_revision = "a"', '"a"\ndown_revision = None'),
        "versions/a.py": ALEMBIC + '    op.create_unique_constraint("u", "t", ["a", "c"])\n',
    },
    "optional by annotation": ORM + "    c: Mapped[int | None]\n    __table_args__ = (UniqueConstraint('a', 'c'),)\n",
    "optional by Optional": ORM
    + "    c: Mapped[Optional[int]] = mapped_column(Integer)\n    __table_args__ = (UniqueConstraint(a, c), {'schema': 's'})\n",
    "optional by a string": ORM
    + "    c: 'Mapped[int | None]' = mapped_column()\n    __table_args__ = (Index('i', 'a', 'c', unique=True),)\n",
    "a mixin's column": ORM.replace("class T(Base)", "class Mixin:\n    c = Column(Integer)\nclass T(Mixin, Base)")
    + "    __table_args__ = (UniqueConstraint('a', 'c'),)\n",
    "an annotated alias": "from typing import Annotated\nmaybe = Annotated[int, mapped_column(nullable=True)]\n"
    + ORM
    + "    c: Mapped[maybe]\n    __table_args__ = (UniqueConstraint('a', 'c'),)\n",
    "a table object": 'import sqlalchemy as sa\nt = sa.Table("t", m, sa.Column("a", sa.Integer, nullable=False), sa.Column("c", sa.Integer), sa.UniqueConstraint("a", "c"))\n',
    "a table object's index": 'from sqlalchemy import *\nt = Table("t", m, Column("a", Integer, nullable=False), Column("c", Integer))\nIndex("i", t.c.a, t.c.c, unique=True)\n',
    "SQLModel": "from sqlmodel import *\nclass Wallet(SQLModel, table=True):\n    id: int | None = Field(default=None, primary_key=True)\n    balance: int = Field(0, ge=0)\n",
    "a column without its CHECK in the migration": {
        "models.py": ORM + "    balance: Mapped[int]\n    __table_args__ = (CheckConstraint('balance >= 0'),)\n",
        "m.py": ALEMBIC + '    op.add_column("t", sa.Column("balance", sa.Integer))\n',
    },
    "a key over what only the model tells": {
        "models.py": ORM + "    c: Mapped[int | None]\n",
        "m.py": ALEMBIC + '    op.create_unique_constraint("u", "t", ["a", "c"])\n',
    },
    "Django, together": {
        "shop/migrations/0001_x.py": DJANGO_TABLE + 'migrations.AlterUniqueTogether("t", {("a", "c")})]\n'
    },
    "Django, a constraint": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.AddConstraint("t", models.UniqueConstraint(fields=["a", "c"], name="u"))]\n'
    },
    "Django, in another file": {
        "shop/migrations/0002_x.py": DJANGO
        + 'migrations.AddConstraint("t", models.UniqueConstraint(fields=["a", "c"], name="u"))]\n',
        "shop/migrations/0001_x.py": DJANGO_TABLE + "]\n",
    },
    "Django, the other type": {
        "shop/migrations/0001_x.py": DJANGO_TABLE + 'migrations.AlterField("t", "balance", models.IntegerField())]\n'
    },
    "Django, a condition": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.AddConstraint("t", models.UniqueConstraint(fields=["a", "c"], condition=models.Q(a__gt=5), name="u"))]\n'
    },
    "Django, raw": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.RunSQL(["ALTER TABLE shop_t ADD UNIQUE (a, c)"], migrations.RunSQL.noop)]\n'
    },
    "Django, the database's half": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.SeparateDatabaseAndState(database_operations=[migrations.AlterUniqueTogether("t", [["a", "c"]])])]\n'
    },
    "Django's model": {
        "shop/models.py": "from django.db import models\nclass T(models.Model):\n    balance = models.DecimalField(max_digits=9, decimal_places=2)\n"
    },
    "a cursor": 'def f(cursor):\n    cursor.execute("CREATE TABLE w (balance int)")\n',
    "a kept string": 'SCHEMA = """CREATE TABLE w (balance int);"""\n',
    "a kept list": 'from sqlalchemy import text\nMIGRATIONS = {1: [text("CREATE TABLE w (balance int)")]}\n',
    "a class's string": 'class S:\n    DDL = "CREATE TABLE w (balance int)"\n    def f(self, c):\n        c.execute(self.DDL)\n        c.execute(self.DDL)\n',
    "a name used again": 'def f(c):\n    sql = "CREATE TABLE w (balance int)"\n    c.execute(sql)\n    sql = "SELECT 1"\n    c.execute(sql)\n',
    "one branch of two": 'def f(c, big):\n    if big:\n        sql = "CREATE TABLE w (balance int)"\n    else:\n        sql = "SELECT 1"\n    c.execute(sql)\n',
    "handed to a helper": 'def run(c, sql):\n    c.execute(sql)\ndef f(c):\n    run(c, "CREATE TABLE w (balance int)")\n',
    "given by a function": 'def ddl(t):\n    return f"CREATE TABLE {t} (balance int)"\ndef f(c):\n    c.execute(ddl("w"))\n',
    "grown piece by piece": 'def f(c):\n    s = "CREATE TABLE w ("\n    s += "id int, "\n    s = s + "balance int)"\n    c.execute(s)\n',
    "an f-string": 'T = "w"\ndef f(c, schema):\n    c.execute(f"CREATE TABLE {schema}.{T} (balance int)")\n',
    "SQLite's script": 'import sqlite3\nsqlite3.connect("x").executescript("PRAGMA user_version = 1; CREATE TABLE w (id INTEGER PRIMARY KEY AUTOINCREMENT, balance) STRICT;")\n',
    "SQLite's strict table": 'S = "CREATE TABLE w (balance int) STRICT;"\n',
    "MySQL's table": "def f(c):\n    c.execute(\"CREATE TABLE `w` (`id` int unsigned NOT NULL AUTO_INCREMENT, `balance` int NOT NULL COMMENT 'it\\\\'s mine', KEY `k` (`id`)) ENGINE=InnoDB\")\n",
}

CLEAN: dict[str, str | dict[str, str]] = {
    "the table": TABLE,
    "NULLs not distinct": TABLE
    + '    op.create_unique_constraint("u", "t", ["a", "c"], postgresql_nulls_not_distinct=True)\n',
    "both ways": TABLE
    + '    op.create_index("i", "t", ["a", "c"], unique=True)\n    op.create_index("j", "t", ["a"], unique=True, postgresql_where=sa.column("c").is_(None))\n',
    "mended in the same change": TABLE
    + '    op.create_unique_constraint("u", "t", ["a", "c"])\n    op.alter_column("t", "c", existing_type=sa.Integer(), nullable=False)\n',
    "rolled back by another branch": TABLE
    + '    if op.get_bind().dialect.name == "mysql":\n        op.create_unique_constraint("u", "t", ["a", "c"])\n',
    "a condition of objects": ALEMBIC
    + '    op.create_table("w", sa.Column("balance", sa.Integer), sa.CheckConstraint(sa.and_(sa.column("balance") >= 0, sa.column("balance") < 10)))\n',
    "another unsigned": ALEMBIC + '    op.create_table("w", sa.Column("balance", mysql.INTEGER(unsigned=True)))\n',
    "dropped by a revision that follows, whatever the files are called": {
        "versions/z.py": TABLE.replace('"b"\ndown_revision = "a"', '"a"\ndown_revision = None')
        + '    op.create_unique_constraint("u", "t", ["a", "c"])\n',
        "versions/a.py": ALEMBIC + '    op.drop_constraint("u", "t", type_="unique")\n',
    },
    "dropped by raw SQL": TABLE
    + '    op.create_unique_constraint("u", "t", ["a", "c"])\n    op.execute("DROP TABLE t")\n',
    "a view's index": ALEMBIC
    + '    op.execute("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a, 2 AS c")\n    op.execute("CREATE UNIQUE INDEX i ON v (a, c)")\n',
    "data only": ALEMBIC
    + '    conn = op.get_bind()\n    for row in conn.execute(sa.select(t)):\n        if row.x:\n            conn.execute(t.update().where(t.c.id == row.id).values(x=1))\n    op.execute(f"UPDATE {NAME} SET x = {value()}")\n    op.execute(t.delete())\n    op.bulk_insert(t, rows())\n    session.execute(query)\n',
    "a plain index nobody knows": ALEMBIC
    + "    op.create_index(name(), table(), columns())\n    op.drop_table(table())\n",
    "Django, covered": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.AddConstraint("t", models.UniqueConstraint(fields=["a", "c"], name="u")), migrations.AddConstraint("t", models.UniqueConstraint(fields=["a"], condition=models.Q(c__isnull=True), name="v"))]\n'
    },
    "Django, removed": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.AlterUniqueTogether("t", {("a", "c")}), migrations.AlterUniqueTogether("t", set())]\n'
    },
    "Django, a floor by Q": {
        "shop/migrations/0001_x.py": DJANGO_TABLE
        + 'migrations.AlterField("t", "balance", models.IntegerField()), migrations.AddConstraint("t", models.CheckConstraint(check=~models.Q(balance__lt=0) & models.Q(a__in=[1, 2]), name="k"))]\n'
    },
    "Django, proxies": {
        "shop/models.py": "from django.db import models\nclass T(models.Model):\n    balance = models.IntegerField()\n    class Meta:\n        managed = False\n"
    },
    "a model beside its migration": {
        "models.py": ORM + "    c: Mapped[int | None]\n    __table_args__ = (UniqueConstraint('a', 'c'),)\n",
        "m.py": TABLE,
    },
    "required by annotation": ORM + "    c: Mapped[int]\n    __table_args__ = (UniqueConstraint('a', 'c'),)\n",
    "no table": "class Dto:\n    balance: int\n    a: int | None = None\n",
    "an abstract base": ORM.replace("__tablename__ = 't'", "__abstract__ = True") + "    balance: Mapped[int]\n",
    "a docstring": 'def f():\n    """CREATE TABLE w (balance int)"""\n',
    "an example": 'INVARIANT = Invariant(refused="CREATE TABLE w (balance int)")\nprint("CREATE TABLE w (balance int)")\n',
    "a test": {
        "tests/unit/x.py": 'SCHEMA = "CREATE TABLE w (balance int)"\n',
        "app/test_x.py": 'SCHEMA = "CREATE TABLE w (balance int)"\n',
    },
    "a query": 'def f(c, name):\n    c.execute(f"SELECT * FROM {name} WHERE balance < 0")\n    c.execute(name)\n',
    "dropped, whatever its name": 'def f(c, t):\n    c.execute(f"DROP TABLE IF EXISTS {t}; CREATE INDEX {t}_i ON {t} (a)")\n    c.execute("ROLLBACK")\n',
    "MySQL, unsigned": "CREATE = '''CREATE TABLE `w` (`balance` INT UNSIGNED NOT NULL) ENGINE=InnoDB'''\n",
    "SQLite's triggers": "S = \"CREATE TABLE w (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TRIGGER x BEFORE DELETE ON w BEGIN SELECT raise(ABORT, 'no'); END;\"\n",
    "Python of a newer version without SQL": "type X[T] = list[T\n",
}

ABSTENTIONS: dict[str, tuple[str | dict[str, str], str]] = {
    "a computed table": (
        ALEMBIC + '    op.create_table(name(), sa.Column("balance", sa.Integer))\n',
        r"app/x\.py:9:5: table_name is only known",
    ),
    "a computed column": (ALEMBIC + '    op.add_column("t", column())\n', "this column is only known"),
    "computed members": (
        TABLE + '    op.create_unique_constraint("u", "t", columns())\n',
        "these columns are only known",
    ),
    "a computed constraint": (TABLE + '    op.drop_constraint(name(), "t")\n', "constraint_name is only known"),
    "computed uniqueness": (
        TABLE + '    op.create_index("i", "t", ["a", "c"], unique=flag())\n',
        "whether this index is unique",
    ),
    "computed NULLs": (
        TABLE + '    op.create_unique_constraint("u", "t", ["a", "c"], postgresql_nulls_not_distinct=flag())\n',
        "whether NULLs are distinct",
    ),
    "a computed condition": (
        TABLE + '    op.create_index("i", "t", ["a", "c"], unique=True, postgresql_where=where())\n',
        "only known when the code runs",
    ),
    "a computed CHECK": (
        ALEMBIC
        + '    op.create_table("w", sa.Column("balance", sa.Integer), sa.CheckConstraint(f"balance >= {floor()}"))\n',
        "this CHECK is only known",
    ),
    "computed SQL": (ALEMBIC + "    op.execute(statement())\n", "this SQL is only known"),
    "SQL from a file": (ALEMBIC + '    op.execute(open("x.sql").read())\n', "this SQL is only known"),
    "a computed choice": (
        TABLE + '    if settings.WIDE:\n        op.drop_constraint("t_balance_check", "t")\n',
        "whether this change of the schema happens",
    ),
    "a computed loop": (
        TABLE + '    for t in tables():\n        op.add_column(t, sa.Column("balance", sa.Integer))\n',
        "what this loop does",
    ),
    "an unknown operation": (ALEMBIC + '    op.sync_everything("t")\n', "'sync_everything' is not known"),
    "a key over columns from elsewhere": (
        ALEMBIC
        + '    op.create_table("t", sa.Column("a", sa.Integer, nullable=False), *common(), sa.UniqueConstraint("a", "c"))\n',
        "may be NULL is not in this artifact",
    ),
    "a table named by a parameter": (
        'def f(c, t):\n    c.execute(f"CREATE TABLE {t} (balance int)")\n',
        r"app/x\.py:2:\d+: .*only known when the code runs",
    ),
    "a type from elsewhere": (
        ALEMBIC + '    op.create_table("w", sa.Column("balance", Money()))\n',
        "the type 'Money'",
    ),
    "no Python": ("from alembic import op\ndef upgrade(:\n", r"app/x\.py:2:\d+: this Python could not be parsed"),
    "no UTF-8": ({"app/x.py": b"from alembic import op\n# \xff\n"}, "not UTF-8"),  # type: ignore[dict-item]
    "nested beyond reading": (
        "from alembic import op\nX = " + "(" * 3000 + ")" * 3000,
        "could not be parsed|nested too deeply",
    ),
    "Django, an unknown operation": ({"a/migrations/1.py": DJANGO + "Everything()]\n"}, "'Everything' is not known"),
    "Django, no fields": ({"a/migrations/1.py": DJANGO + 'migrations.CreateModel("T")]\n'}, "the fields of this model"),
    "Django, computed operations": ({"a/migrations/1.py": DJANGO + "] + more()\n"}, "only known when the code runs"),
    "SQL Server": ('S = "CREATE TABLE [dbo].[w] ([balance] int)"\n', "looks like SQL Server"),
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_defect_in_python_is_refused_once(files):
    """However Python spells it, one fault gives one refusal, told where it is and where it was made."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_what_is_sound_or_no_schema_passes(files):
    """Data, queries, examples and tests are nobody's schema."""
    assert [] == refusing(files)


@pytest.mark.parametrize(("files", "says"), ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_only_running_it_would_tell_is_not_passed(files, says):
    """The reason names the place and what is not known there."""
    with pytest.raises(CannotLook, match=says):
        refusing(files)


def test_names_without_end_are_followed_for_a_bounded_time(monkeypatch):
    """Forty lines may double a text forty times; what bounds the steps is lowered here, so that it is met sooner."""
    text = "X0 = 'CREATE TABLE w (balance int)' + ''\n" + "".join(f"X{n + 1} = X{n} + X{n}\n" for n in range(40))
    monkeypatch.setattr(file, "STEPS_MAX", 4_000)

    with pytest.raises(CannotLook, match="more than 4000 steps"):
        refusing(text)
    assert STEPS_MAX <= 400_000


@pytest.mark.parametrize(
    ("text", "place", "evidence"),
    {
        "a column": (
            ALEMBIC + '    op.create_table("w",\n        sa.Column("balance",\n            sa.Integer))\n',
            "app/x.py:10:9",
            'sa.Column("balance",\n            sa.Integer)',
        ),
        "in a long string": ('S = """\nCREATE TABLE w (\n  balance int\n)"""\n', "app/x.py:3:3", "balance int"),
        "in pieces, escaped": (
            'S = ("CREATE TABLE w (\\t"\n     "a text DEFAULT \\"é\\", "  # one\n     "balance int)")\n',
            "app/x.py:3:7",
            "balance int",
        ),
        "behind other letters": (
            'é = "ü"; S = r"CREATE TABLE w (balance int)"\n',
            "app/x.py:1:32",
            "balance int",
        ),
        "a model's attribute": (
            ORM + "    balance: Mapped[int] = mapped_column(\n        Integer)\n",
            "app/x.py:8:5",
            "balance: Mapped[int] = mapped_column(\n        Integer)",
        ),
        "of another system's lines": (
            'S = """\r\nCREATE TABLE w (\r\n  balance int)"""\r\n',
            "app/x.py:3:3",
            "balance int",
        ),
    }.values(),
)
def test_a_finding_stands_where_the_python_is(text, place, evidence):
    (finding,) = refusing(text)

    assert (place, evidence) == (str(finding.location), finding.evidence)


def test_types_are_postgresqls():
    """What SQLAlchemy would send, so that ranges and lengths can be weighed."""
    found = tables(
        ALEMBIC
        + '    op.create_table("t", sa.Column("a", sa.Numeric(5, 4)), sa.Column("b", sa.String(length=3)), sa.Column("c", postgresql.ARRAY(sa.BigInteger)),'
        ' sa.Column("d", sa.DateTime(timezone=True)), sa.Column("e", sa.Enum("x", name="k")), sa.Column("f", M))\n\nM = sa.Numeric(precision=9)\n'
    )

    assert ["a numeric(5,4)", "b varchar(3)", "c bigint[]", "d timestamptz", "e text", "f numeric(9)"] == found["t"]


def test_defaults_and_rows_come_along():
    """For the checks that weigh numbers: a default and a seed row are SQL like any other."""
    found = read_schema(
        artifact(
            ALEMBIC
            + '    t = op.create_table("t", sa.Column("a", sa.Numeric(3, 2), server_default="1.5"), sa.Column("b", sa.Integer, server_default=sa.text("7")))\n'
            '    op.bulk_insert(t, [{"a": 2, "b": unknown()}])\n'
        )
    )

    assert ["'1.5'", "7"] == [c.default for c in found.tables[0].columns]
    assert ['INSERT INTO "t" ("a") VALUES (2)'] == [w.statement.source.text for w in found.writes]


def test_only_python_with_a_schema_counts_as_looked_at():
    """A file that merely speaks of tables is not looked at, and where nobody looked nothing composes."""
    said = {
        "a.py": "x = 1\n",
        "b.py": '"""CREATE TABLE w (balance int)"""\n',
        "c.py": 'S = "CREATE TABLE w (id int)"\n',
        "d.sql": "",
        "tests/e.py": 'S = "CREATE TABLE w (id int)"\n',
    }

    assert ["c.py", "d.sql"] == [
        path for path, text in said.items() if holds_schema(File(path=path, content=text.encode()))
    ]


async def test_a_gate_counts_what_it_looked_at():
    def work(files: dict[str, str]) -> ReviewWork:
        return ReviewWork(
            packet=Packet(brief="It."), reads=AttemptKind.ARTIFACT, attempt=1, brief="x", artifact=Artifact.of(files)
        )

    assert Approved(looked=0) == await unique_null.answer(work({"a.py": "x = 1\n"}))
    assert Approved(looked=1) == await unique_null.answer(work({"a.py": "x = 1\n", "m.py": TABLE}))
    assert isinstance(await unique_null.answer(work({"m.py": "from alembic import op\ndef upgrade(:\n"})), Abstained)


def test_the_packages_own_sources_are_read_over():
    """They hold SQLite's schema, parsers of SQL and examples of defects in words."""
    sources = {p.relative_to(ROOT).as_posix(): p.read_text() for p in (ROOT / "src").rglob("*.py")}

    assert [] == refusing(sources)


def test_a_mend_is_in_the_words_of_its_database():
    (mysql,) = refusing(
        {"a.sql": "CREATE TABLE `t` (`a` int NOT NULL, `c` int, UNIQUE KEY `u` (`a`, `c`)) ENGINE=InnoDB;"}
    )
    (sqlite,) = refusing({"a.sql": "PRAGMA user_version = 1; CREATE TABLE w (balance INTEGER);"})

    assert "CREATE UNIQUE INDEX t_a_c_null ON t (a, (COALESCE(c, '')));" in mysql.satisfy
    assert "balance INTEGER CHECK (balance >= 0)  -- in CREATE TABLE w" == sqlite.satisfy


def test_one_reading_serves_all_that_ask_for_it():
    """Four checks in four threads: one works, the others wait, and all get the same."""
    made: list[int] = []
    shared: Shared[int] = Shared(entries_max=2)
    barrier = threading.Barrier(4)
    got: list[int] = []

    def ask() -> None:
        barrier.wait()
        got.append(shared.get("key", lambda: made.append(1) or 7))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ([1], [7, 7, 7, 7]) == (made, got)


def test_what_is_kept_is_bounded_and_a_failure_is_kept_too():
    shared: Shared[int] = Shared(entries_max=SCHEMAS_KEPT_MAX)
    failures: list[int] = []

    def fail() -> int:
        failures.append(1)
        raise CannotLook("no")

    for _ in range(2):
        with pytest.raises(CannotLook, match="no"):
            shared.get("bad", fail)
    for key in range(SCHEMAS_KEPT_MAX + 1):
        shared.get(key, lambda: 1)

    assert (SCHEMAS_KEPT_MAX, [1]) == (len(shared), failures)


def test_a_text_about_sql_that_nobody_runs_is_no_sql() -> None:
    """A program in a string, or a page, may hold a statement, and its author meant something else by it."""
    inner = "import os\nSQL = 'CREATE TABLE t (a int, b int, UNIQUE (a, b))'\n"

    assert () == read_schema(Artifact.of({"example.py": f"PROGRAM = {inner!r}\n"})).tables

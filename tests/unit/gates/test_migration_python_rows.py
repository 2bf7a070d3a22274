"""Python in migrations, played on made rows: loops, sessions, querysets; and the bounds of the played code."""

from __future__ import annotations

import time

import pytest

from squads.contracts.artifact import Artifact
from squads.gates.sql.rehearsal.python.things import measured
from squads.gates.sql.rehearsal.regexes import work
from squads.gates.sql.rehearsal.rehearse import Rehearsal, rehearse
from squads.gates.sql.rehearsal.value import NotKnown
from squads.gates.sql.steps.reading import read_steps, runner_of

BASE = "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, nick text, kind text);"
ALEMBIC = """import json
import re
from collections import defaultdict
from contextlib import suppress
from decimal import Decimal

import sqlalchemy as sa
from alembic import op
from sqlalchemy.orm import Session, declarative_base

revision = "2"
down_revision = "1"
KINDS = {{"a": 1, "b": 2}}
Base = declarative_base()
people = sa.table("people", sa.column("id"), sa.column("name"), sa.column("label"))


class Person(Base):
    __tablename__ = "people"
    id = sa.Column(sa.BigInteger, primary_key=True)
    name = sa.Column(sa.Text)
    label = sa.Column(sa.Text)


def labelled(row):
    first, mark, rest = row.name.partition(" ")
    return {{"label": rest or first, "more": first if mark else None, "id": row.id}}


def upgrade():
    op.add_column("people", sa.Column("label", sa.Text))
    op.add_column("people", sa.Column("more", sa.Text))
    bind = op.get_bind()
    {code}
    op.drop_column("people", "name")
"""
SENT = 'bind.execute(sa.text("UPDATE people SET label = :label, more = :more WHERE id = :id"), {given})'
ROWS = 'bind.execute(sa.text("SELECT id, name FROM people"))'
DJANGO = """from collections import defaultdict

from django.db import migrations, models
from django.db.models import F, OuterRef, Q, Subquery


def forwards(apps, schema_editor):
    Owner = apps.get_model("pets", "Owner")
    Pet = apps.get_model("pets", "Pet")
    {code}


class Migration(migrations.Migration):
    operations = [
        migrations.AddField("pet", "label", models.CharField(max_length=200, default="")),
        migrations.RunPython(forwards, migrations.RunPython.noop),
        {after}
    ]
"""
PETS = """from django.db import migrations, models

class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Owner", [
            ("id", models.BigAutoField(primary_key=True)),
            ("mail", models.CharField(max_length=80)),
        ]),
        migrations.CreateModel("Pet", [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=80)),
            ("owner", models.ForeignKey("pets.Owner", on_delete=models.CASCADE)),
            ("friends", models.ManyToManyField(to="pets.Owner")),
        ]),
    ]
"""


def alembic(code: str) -> Rehearsal:
    """Play a revision that computes `label` and `more` and drops `name`."""
    text = ALEMBIC.format(code=code.replace("\n", "\n    "))
    return rehearse(read_steps(Artifact.of({"v/2.py": text}), Artifact.of({"v/1.sql": BASE})))


def django(code: str, after: str = 'migrations.RemoveField("pet", "name"),') -> Rehearsal:
    """Play a migration of the app `pets`."""
    text = DJANGO.format(code=code.replace("\n", "\n    "), after=after)
    change = Artifact.of({"pets/migrations/0002_more.py": text})
    return rehearse(read_steps(change, Artifact.of({"pets/migrations/0001_initial.py": PETS})))


@pytest.mark.parametrize(
    "code",
    [
        f"for row in {ROWS}:\n    {SENT.format(given='labelled(row)')}",
        f"{SENT.format(given=f'[labelled(r) for r in {ROWS}.fetchall()]')}",
        f"for id_, name in {ROWS}.all():\n"
        "    bind.execute(people.update().where(people.c.id == id_).values(label=name.strip()))",
        "session = Session(bind=bind)\nfor p in session.query(Person).order_by(Person.id):\n"
        "    p.label = f'{p.name}!'\nsession.commit()",
        f"rows = {ROWS}.mappings().all()\nwhile rows:\n    row = rows.pop()\n"
        "    op.execute(people.update().where(people.c.id == row['id']).values(label=row['name']))",
        f"found = {{r.id: r.name for r in {ROWS}}}\nfor key, value in sorted(found.items()):\n"
        "    with suppress(KeyError):\n        found[key + 1000]\n"
        f"    {SENT.format(given='dict(id=key, label=value, more=None)')}",
        f"for row in {ROWS}:\n    try:\n        number = Decimal(row.name)\n    except ArithmeticError:\n"
        f"        number = None\n    {SENT.format(given='{**labelled(row), **{}}')}",
        f"for row in {ROWS}:\n    match row.name.split(' '):\n        case [first, *rest]:\n"
        f"            {SENT.format(given='dict(id=row.id, label=first, more=json.dumps(rest))')}",
        "bind.execute(people.update().values(label=people.c.name))",
    ],
)
def test_what_code_carries_over_is_told(code: str) -> None:
    """By whatever ways of Python: functions, comprehensions, sessions, errors that are caught."""
    found = alembic(code)

    assert not found.gone
    assert found.told_of("people", "name")


@pytest.mark.parametrize(
    "code",
    [
        f"for row in {ROWS}:\n    if ' ' in row.name:\n        {SENT.format(given='labelled(row)')}",
        f"for row in {ROWS}:\n    {SENT.format(given='dict(id=row.id, label=row.name[:4], more=None)')}",
        f"for row in {ROWS}:\n    try:\n        first, last = row.name.split(' ')\n    except ValueError:\n"
        f"        continue\n    {SENT.format(given='dict(id=row.id, label=first, more=last)')}",
        "session = Session(bind=bind)\nfor p in session.query(Person).filter(Person.name.like('Tom%')):\n"
        "    p.label = p.name\nsession.commit()",
        f"seen = defaultdict(list)\nfor row in {ROWS}:\n    seen[len(row.name)].append(row.id)\n"
        "for size, ids in seen.items():\n"
        "    bind.execute(people.update().where(people.c.id.in_(ids)).values(label=str(size)))",
        f"for row in {ROWS}:\n    found = re.match(r'(\\w+) ', row.name)\n"
        f"    {SENT.format(given='dict(id=row.id, label=found[1] if found else None, more=None)')}",
    ],
)
def test_what_code_leaves_behind_is_gone(code: str) -> None:
    """A row that is passed over, or a part that is not kept."""
    assert alembic(code).of("people", "name") is not None


@pytest.mark.parametrize(
    "code",
    [
        "for pet in Pet.objects.select_related('owner').iterator():\n"
        "    parts = [pet.name, pet.owner.mail]\n    pet.label = ' of '.join(parts)\n    pet.save()",
        "pets = list(Pet.objects.filter(Q(name__isnull=False) | ~Q(name='')))\nfor pet in pets:\n"
        "    pet.label = {'n': pet.name}['n']\nPet.objects.bulk_update(pets, ['label'])",
        "own = Owner.objects.filter(pk=OuterRef('owner_id'))\nmail = Subquery(own.values('mail')[:1])\n"
        "for pet in Pet.objects.annotate(mail=mail):\n    pet.label = pet.mail + pet.name\n    pet.save()",
        "for key, name in Pet.objects.values_list('pk', 'name'):\n"
        "    Pet.objects.filter(pk=key).update(label=name[::-1])",
    ],
)
def test_what_a_queryset_carries_over_is_told(code: str) -> None:
    """Rows, expressions, and rows of rows."""
    found = django(code)

    assert not found.of("pets_pet", "name")
    assert found.told_of("pets_pet", "name")


MERGE = """seen = {{}}
for owner in Owner.objects.order_by("id"):
    key = owner.mail.lower()
    if key in seen:
        {move}
        owner.delete()
    else:
        seen[key] = owner"""


def test_what_a_deleted_row_takes_along_is_gone_at_its_line() -> None:
    """Django deletes what refers to a row with CASCADE; what was moved before stays."""
    lost = django(MERGE.format(move="pass"), after="").of("pets_pet", "name")
    kept = django(MERGE.format(move="Pet.objects.filter(owner=owner).update(owner=seen[key])"), after="")

    assert lost is not None
    assert lost.line == 15
    assert kept.of("pets_pet", "name") is None


def test_a_field_of_many_rows_has_a_table_between() -> None:
    """It goes with the field."""
    change = 'migrations.RemoveField("pet", "friends"),'
    text = DJANGO.format(code="pass", after=change)
    steps = read_steps(
        Artifact.of({"pets/migrations/0002_more.py": text}), Artifact.of({"pets/migrations/0001_initial.py": PETS})
    )

    assert any(t.value == "pets_pet_friends" for s in steps.steps for t in s.statement.tokens)


@pytest.mark.parametrize(
    "code",
    [
        "while True:\n    pass",
        "x = 'a'\nfor i in range(2000):\n    x = x + x",
        "x = 2\nfor i in range(2000):\n    x = x * x",
        "x = []\nfor i in range(60):\n    x = [x, x]\ny = str(x)",
        "x = int(Decimal('1E+100000000'))",
        "x = '%100000d' % 1",
        "re.match('(a+)+$', row.name)",
        "def f(n):\n    return f(n + 1)\nx = f(1)",
        "x = [i for i in range(1999) for j in range(1999)]",
        "x = len(str({1: [row.name] * 100}).replace('a', row.name * 90))",
        "__import__('os').system('true')",
        "x = open('/etc/hostname').read()",
        "x = bind.__class__.__mro__",
        "x = round(5, -100000000)",
        "x = (1,)\nfor i in range(60):\n    x = (x, x)\ny = set()\ny.add(x)",
        "x = (1,)\nfor i in range(60):\n    x = (x, x)\ny = {}.get(x)",
        "x, y = (1,), (1,)\nfor i in range(60):\n    x, y = (x, x), (y, y)\nz = [x].index(y)",
        "x = list(range(1900))\nfor i in range(190):\n    sorted(x)",
        "x = list(range(1900))\nfor i in range(600):\n    5000 in x",
        "re.search('(aa|a)' * 40 + 'b', 'a' * 90)",
        "re.search('.?' * 40 + '.' * 40 + 'c', 'a' * 40)",
        "re.search('(aa|a){40}b', 'a' * 90)",
    ],
)
def test_code_without_end_or_with_other_means_gives_no_answer(code: str) -> None:
    """Played code runs in bounded steps on bounded values, and reaches nothing but rows."""
    begin = time.process_time()
    inside = code.replace("\n", "\n    ")
    found = alembic(f"for row in {ROWS}:\n    {inside}\n    {SENT.format(given='labelled(row)')}")

    assert not found.told
    assert time.process_time() - begin < 3


@pytest.mark.parametrize(
    "made",
    ["'%s' % (lambda: 1,)", "f'{[lambda: 1]}'", "str((lambda: 1,))", "str(defaultdict(list))", "json.dumps([bind])"],
)
def test_where_something_is_in_memory_tells_no_value(made: str) -> None:
    """Its text is another one in each run, which would count as a value that is still told."""
    given = f'{{"label": {made}, "more": None, "id": row.id}}'

    assert ("people", "name") not in alembic(f"for row in {ROWS}:\n    {SENT.format(given=given)}").told


def test_lists_in_lists_are_counted_before_they_are_written() -> None:
    """Each is small, and all of them together are not."""
    made: list[object] = []
    for _ in range(40):
        made = [made, made]

    with pytest.raises(NotKnown):
        measured(made)


def test_a_pattern_costs_what_its_repeats_may_go_through() -> None:
    """Repeats within repeats are never tried."""
    assert work(r"([<>])?\s*(\d+(?:\.\d+)?)", 20) < 100_000
    assert work(r"(a+)+$", 20) > 1 << 50
    assert work(r"(.*)(.*)(.*)\1", 20) > 1 << 50
    assert work("[ab]?" * 30, 20) > 1 << 30
    assert work("^(mr|mrs|ms|dr)[.]? +(.*)$", 20) < 100_000


@pytest.mark.parametrize(
    ("brief", "expected"),
    [
        ("The runner sends the statements one by one in autocommit.", "alone"),
        ("Each statement is sent on its own, outside a transaction.", "alone"),
        ("psql runs the file statement by statement, without a surrounding transaction.", "alone"),
        ("Each file is one transaction.", ""),
        ("Nothing may run outside a transaction.", ""),
    ],
)
def test_a_brief_says_how_files_are_run(brief: str, expected: str) -> None:
    """What holds a lock until the transaction ends hangs on it."""
    assert expected == runner_of(brief)


PERSONS = "CREATE TABLE p (id bigint PRIMARY KEY, tags text, a text, b text, shop int NOT NULL, n int);"


@pytest.mark.parametrize(
    ("change", "table", "column", "gone"),
    [
        (
            "CREATE TABLE t (id bigint, tag text); INSERT INTO t SELECT p.id, x FROM p CROSS JOIN LATERAL "
            "unnest(string_to_array(p.tags, ';')) AS x; ALTER TABLE p DROP COLUMN tags;",
            "p", "tags", False,
        ),
        (
            "CREATE TABLE t (id bigint, kind text, v text); INSERT INTO t SELECT p.id, x.k, x.v FROM p CROSS JOIN "
            "LATERAL (VALUES ('a', p.a), ('b', p.b)) AS x (k, v) WHERE x.v IS NOT NULL; ALTER TABLE p DROP COLUMN a;",
            "p", "a", False,
        ),
        (
            "CREATE TABLE t (id bigint, kind text, v text); INSERT INTO t SELECT p.id, x.k, x.v FROM p CROSS JOIN "
            "LATERAL (VALUES ('a', p.a), ('b', p.b)) AS x (k, v) WHERE p.b IS NOT NULL; ALTER TABLE p DROP COLUMN a;",
            "p", "a", True,
        ),
        (
            "ALTER TABLE p ADD COLUMN c jsonb; UPDATE p SET c = to_jsonb(p) - 'id'; ALTER TABLE p DROP COLUMN a;",
            "p", "a", False,
        ),
        (
            "CREATE TABLE t (id bigint, a text); CREATE FUNCTION mv() RETURNS void LANGUAGE sql AS "
            "'INSERT INTO t SELECT id, a FROM p'; SELECT mv(); ALTER TABLE p DROP COLUMN a;",
            "p", "a", False,
        ),
        (
            "CREATE TABLE t (id bigint, a text); INSERT INTO t SELECT id, a FROM p; ALTER TABLE p RENAME TO q; "
            "ALTER TABLE q DROP COLUMN a;",
            "p", "a", False,
        ),
        (
            "DO $$ BEGIN BEGIN UPDATE p SET b = a; EXCEPTION WHEN others THEN NULL; END; END $$; "
            "ALTER TABLE p DROP COLUMN a;",
            "p", "a", False,
        ),
    ],
)  # fmt: skip
def test_statements_of_many_kinds_are_played(change: str, table: str, column: str, gone: bool) -> None:
    """Lists that become rows, whole rows as JSON, routines, other names, handlers."""
    found = rehearse(read_steps(Artifact.of({"2.sql": change}), Artifact.of({"1.sql": PERSONS})))

    assert gone == (found.of(table, column) is not None)
    assert gone != found.told_of(table, column)


def test_rows_that_a_uniqueness_to_come_lets_stand_are_no_doubles() -> None:
    """The DELETE goes by one column of the two."""
    change = (
        "DELETE FROM p USING (SELECT id, row_number() OVER (PARTITION BY {by} ORDER BY id) AS k FROM p) r "
        "WHERE r.id = p.id AND r.k > 1; ALTER TABLE p ADD UNIQUE (shop, n);"
    )
    wrong, right = (
        rehearse(read_steps(Artifact.of({"2.sql": change.format(by=by)}), Artifact.of({"1.sql": PERSONS})))
        for by in ("shop", "shop, n")
    )

    assert wrong.apart(0, "p") is not None
    assert right.apart(0, "p") is None

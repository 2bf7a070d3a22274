"""Migrations played on made rows: what is told, what is gone, and what keeps a run within its bounds."""

import time

import pytest

from squads.contracts.artifact import Artifact
from squads.gates.sql.rehearsal.patterns import matching
from squads.gates.sql.rehearsal.rehearse import Rehearsal, rehearse
from squads.gates.sql.rehearsal.script import Script
from squads.gates.sql.rehearsal.stage import Stage
from squads.gates.sql.rehearsal.translate import translated
from squads.gates.sql.rehearsal.value import NotKnown, Stops
from squads.gates.sql.rehearsal.values import call, cast, stored
from squads.gates.sql.steps.carried import always
from squads.gates.sql.steps.reading import read_steps

BASE = """CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL, nick text, height numeric(6,3));
CREATE TABLE letters (
  id bigint PRIMARY KEY, person_id bigint NOT NULL REFERENCES people ON DELETE CASCADE, body text);"""
DJANGO = """from django.db import migrations, models

class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel("Book", [
            ("id", models.BigAutoField(primary_key=True)),
            ("title", models.CharField(max_length=80)),
            ("house", models.CharField(max_length=80, default="")),
            ("lent", models.BooleanField(default=False)),
        ]),
    ]
"""
LOOP = """from django.db import migrations, models

def forwards(apps, schema_editor):
    Book = apps.get_model("shop", "Book")
    {code}

class Migration(migrations.Migration):
    operations = [
        migrations.AddField("book", "press", models.CharField(max_length=90, default="")),
        migrations.RunPython(forwards, migrations.RunPython.noop),
        migrations.RemoveField("book", "house"),
    ]
"""
ROWS = """import sqlalchemy as sa
from alembic import op

def upgrade():
    op.add_column("people", sa.Column("called", sa.Text()))
    conn = op.get_bind()
    {code}
    op.drop_column("people", "nick")
"""
SAVED = "book.press = book.house; book.save()"


def played(change: str, base: str = BASE, path: str = "db/2.sql", before: str = "db/1.sql") -> Rehearsal:
    return rehearse(read_steps(Artifact.of({path: change}), Artifact.of({before: base})))


def gone(found: Rehearsal) -> set[tuple[int, str, str]]:
    return {(g.step, g.table, g.column) for g in found.gone}


def test_a_value_that_stands_elsewhere_is_told_and_one_that_does_not_is_gone():
    """The step is named after which nothing that lasts depends on the value any more."""
    told = played("ALTER TABLE people ADD called text; UPDATE people SET called = nick; ALTER TABLE people DROP nick;")
    lost = played("ALTER TABLE people ADD called text; UPDATE people SET called = name; ALTER TABLE people DROP nick;")

    assert ({("people", "nick")}, set()) == (told.told, gone(told))
    assert {(2, "people", "nick")} == gone(lost)


def test_rows_that_the_migration_stops_for_lose_nothing():
    """A guard that raises is no loss; one that looks at other rows is no guard."""
    guard = "DO $$ BEGIN IF EXISTS (SELECT FROM people WHERE {}) THEN RAISE EXCEPTION 'x'; END IF; END $$; {}"
    drop = "ALTER TABLE people DROP COLUMN nick;"

    assert set() == gone(played(guard.format("nick IS NOT NULL", drop)))
    assert {(1, "people", "nick")} == gone(played(guard.format("nick = ''", drop)))


def test_what_a_delete_takes_along_is_gone_from_the_other_table():
    """ON DELETE CASCADE is played as PostgreSQL does it."""
    found = played("DELETE FROM people a USING people b WHERE a.name = b.name AND a.id > b.id;")

    assert (0, "letters", "body") in gone(found)


def test_a_list_without_the_rows_it_came_from_is_gone():
    """Which row held which value is a part of what stood there."""
    listed = (
        "CREATE TABLE nicks (id bigserial PRIMARY KEY, nick text); INSERT INTO nicks (nick) SELECT nick FROM people;"
    )

    assert {(2, "people", "nick")} == gone(played(f"{listed} ALTER TABLE people DROP COLUMN nick;"))


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        (f"for book in Book.objects.all(): {SAVED}", True),
        (f"for book in Book.objects.filter(lent=True): {SAVED}", False),
        ("for book in Book.objects.all(): book.press = book.house", False),
        ("Book.objects.exclude(house='').update(press=models.F('house'))", True),
    ],
    ids=["every row", "some rows", "never saved", "a queryset"],
)
def test_a_loop_over_rows_is_one_statement_over_all_of_them(code, kept):
    """What `RunPython` saves row by row is played as the UPDATE that it amounts to."""
    found = played(LOOP.format(code=code), DJANGO, "shop/migrations/0002_press.py", "shop/migrations/0001_initial.py")

    assert kept is (("shop_book", "house") in found.told)
    assert kept is not bool(found.gone)


@pytest.mark.parametrize(
    ("source", "kept"),
    [("SELECT id, nick FROM people", True), ("SELECT id, nick FROM people WHERE height > 2", False)],
    ids=["every row", "some rows"],
)
def test_rows_that_a_connection_reads_and_writes_back_are_told(source, kept):
    """The query of the loop says which rows are written."""
    code = (
        f"for row in conn.execute(sa.text('{source}')): "
        'conn.execute(sa.text("UPDATE people SET called = :c WHERE id = :i"), {"c": row.nick, "i": row.id})'
    )
    found = played(ROWS.format(code=code), path="versions/2.py")

    assert kept is (("people", "nick") in found.told)


@pytest.mark.parametrize(
    "change",
    [
        "SELECT tidy(); ALTER TABLE people DROP COLUMN nick;",
        "UPDATE people SET name = ("
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r);",
        "DO $$ BEGIN LOOP UPDATE people SET nick = nick; END LOOP; END $$; ALTER TABLE people DROP COLUMN nick;",
    ],
    ids=["a function of its own", "a query without end", "a loop without end"],
)
def test_what_cannot_be_played_gives_no_answer(change):
    """Neither told nor gone: the rules by form decide then; and no run goes on for long."""
    assert Rehearsal() == played(change)


@pytest.mark.parametrize("text", ["ATTACH DATABASE 'x' AS y", "COPY people TO '/tmp/x'", "PRAGMA temp_store"])
def test_only_statements_about_rows_are_translated(text):
    """What reaches beyond the rows in memory is not said to SQLite at all."""
    with pytest.raises(NotKnown):
        translated(text)


def test_a_stage_cannot_reach_a_file(tmp_path):
    """The connection itself forbids what translation already leaves out."""
    from squads.gates.sql.rehearsal.script import Script

    stage = Stage(Script())
    with pytest.raises(NotKnown):
        stage._run(f"ATTACH DATABASE '{tmp_path / 'made'}' AS made")
    stage.close()

    assert [] == list(tmp_path.iterdir())


def test_values_are_cast_as_postgresql_casts_them():
    """Rounded to whole numbers, cut by an explicit length only, and refused where they do not fit."""
    assert (13, "abc", 12.35) == (cast(12.5, "int"), cast("abcdef", "varchar(3)"), cast(12.345, "numeric(6,2)"))
    for value, kind in (("abcdef", "varchar(3)"), (70_000, "smallint"), ("x", "date")):
        with pytest.raises(Stops):
            stored(value, kind)


@pytest.mark.parametrize(
    ("function", "given", "expected"),
    [
        ("splitpart", ("a b c", " ", -1), "c"),
        ("op", ("*", 19.99, 100), 1999.0),
        ("op", ("-", "2024-03-05 10:00:00", "INTERVAL '2 days'"), "2024-03-03 10:00:00"),
        ("joined", ('{"a": 1}', '{"b": 2}'), '{"a": 1, "b": 2}'),
        ("concatws", (" ", "a", None, "b"), "a b"),
        ("timestamptrunc", ("2024-03-05 10:11:12", "MONTH"), "2024-03-01 00:00:00"),
        ("regexp_replace", ("a-b", "-", "+"), "a+b"),
        ("left", (None, 3), None),
    ],
)
def test_functions_give_what_postgresql_gives(function, given, expected):
    """Exact for money, and NULL where PostgreSQL's are strict."""
    assert expected == call(function, given, {})


def test_a_pattern_that_could_be_read_for_long_is_not_read():
    """Nested repeats take time without end; such a call is not known."""
    with pytest.raises(NotKnown):
        call("regexp_replace", ("a" * 300, "(a+)+$", ""), {})
    with pytest.raises(NotKnown):
        call("regexplike", ("a" * 300, "(aa|a)" * 30 + "b"), {})


@pytest.mark.parametrize("pattern", ["[ab]?" * 26 + "[ab]" * 26, "(aa|a)" * 40, ".*" * 12])
def test_no_row_is_made_for_a_check_that_could_be_read_for_long(pattern: str) -> None:
    """The made text does not fit its end, so that every way to read it would be tried."""
    assert [] == list(matching([f"(nick ~ '^{pattern}\\W$')"], "nick"))


def test_a_text_that_would_grow_is_not_made_longer_than_it_is_kept() -> None:
    """What stands behind the bound is cut, so it need not be there."""
    long = "x" * 15_000

    assert "x" * 4_000 == call("replace", (long, "x", long), {})
    assert "ab" * 2 == call("replace", ("acac", "c", "b"), {})


def test_nothing_is_played_without_what_stood_before():
    """Without a base the columns of a table are not known."""
    steps = read_steps(Artifact.of({"1.sql": "ALTER TABLE t DROP COLUMN a;"}), None)

    assert Rehearsal() == rehearse(steps)


@pytest.mark.parametrize(
    ("change", "base"),
    [
        ("ALTER TABLE p DROP COLUMN h;", "CREATE TABLE p (id bigint PRIMARY KEY, h numeric(60,40));"),
        ("ALTER TABLE p DROP COLUMN h;", "CREATE TABLE p (id bigint PRIMARY KEY, h numeric(2,-400));"),
        ("DO $$ DECLARE ;; BEGIN END $$;ALTER TABLE people DROP COLUMN nick;", BASE),
        ("DO $$ BEGIN SELECT 1 INTO ; END $$;ALTER TABLE people DROP COLUMN nick;", BASE),
        ("UPDATE people SET name = nick[1.5];ALTER TABLE people DROP COLUMN nick;", BASE),
        (f"UPDATE people SET name = {'f' * 300}(nick);ALTER TABLE people DROP COLUMN nick;", BASE),
    ],
)
def test_what_is_malformed_gives_no_answer_and_no_error(change: str, base: str) -> None:
    """The rules by form decide then."""
    assert played(change, base) == Rehearsal()


def test_a_run_is_bounded_in_memory_and_in_what_it_hands_on() -> None:
    """Neither long texts, nor many rows, nor many calls get through; nothing is put into files."""
    script = Stage(Script())
    with pytest.raises(NotKnown):
        script.query("SELECT string_agg('" + "x" * 30_000 + "', '') AS s")
    with pytest.raises(NotKnown):
        script.query("WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3000) SELECT n FROM r")
    assert script._base.execute("PRAGMA temp_store").fetchone() == (2,)
    script.close()


def test_many_tables_that_refer_to_many_are_rehearsed_at_once() -> None:
    """A row of each is made but once."""
    tables = "".join(
        f"CREATE TABLE t{i} (id bigint PRIMARY KEY, x text"
        + "".join(f", r{j} bigint REFERENCES t{j} ON DELETE CASCADE" for j in range(max(0, i - 6), i))
        + ");\n"
        for i in range(40)
    )

    assert gone(played("DELETE FROM t39;", tables)) <= {(0, "t39", "x")}


@pytest.mark.parametrize("made", ["sha224", "sha256", "sha384", "sha512"])
def test_a_hash_tells_nobody_the_value(made: str) -> None:
    """Whatever the parser calls it."""
    found = played(
        f"ALTER TABLE people ADD COLUMN b bytea;\nUPDATE people SET b = {made}(nick::bytea);\n"
        "ALTER TABLE people DROP COLUMN nick;"
    )

    assert found.of("people", "nick") is not None
    assert not found.told


def test_a_long_condition_is_read_once() -> None:
    """Whether one or its opposite always holds is asked of each pair, and no part is written out to be read again."""
    begin = time.process_time()
    long = " OR ".join(f"nick = 'a{number}'" for number in range(900))

    assert not always(long, lambda _: True)
    assert always(f"{long} OR name IS NOT NULL", lambda name: name == "name")
    assert always("(height > 2 OR height <= 2) OR nick = 'a'", lambda _: False)
    assert time.process_time() - begin < 5

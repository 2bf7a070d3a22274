"""`sql.value-fits`: values that a column cannot hold are refused from every source, those that fit pass."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_value_fits import INVARIANT, value_fits

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/sql_value_fits"
T = "CREATE TABLE t (id int, rate numeric(5,4), small smallint, big bigint, code varchar(3), flag bit(3), at date, list numeric(5,4)[]); "
R = "CREATE TABLE reputation_scores (holder_id uuid NOT NULL, score_kind text, decay_factor NUMERIC(5,4) NOT NULL, window_days smallint);\n"


def beside(column: str, comment: str) -> str:
    return f"CREATE TABLE x (\n  id int,\n  {column} NOT NULL, -- {comment}\n  z int\n);"


def found(files: str | dict[str, str]) -> list[Finding]:
    return value_fits(Artifact.of({"schema.sql": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


def case(path: Path) -> dict[str, str]:
    """Return a case's files: one file, or all files of a folder."""
    if path.is_file():
        return {path.name: path.read_text()}
    return {str(f.relative_to(path)): f.read_text() for f in sorted(path.rglob("*")) if f.is_file()}


DEFECTS: dict[str, str | dict[str, str]] = {
    "the seed's default": INVARIANT.refused,
    "a default with a cast": "CREATE TABLE t (a numeric(5,4) DEFAULT '30.0'::numeric NOT NULL);",
    "a default with CAST": "CREATE TABLE t (a decimal(5,4) DEFAULT CAST('30' AS numeric));",
    "a default below the range": "CREATE TABLE t (a smallint NOT NULL DEFAULT - 32769);",
    "a default that is computed": "CREATE TABLE t (a integer DEFAULT 2 ^ 31);",
    "a default that overflows while it is computed": "CREATE TABLE t (a bigint DEFAULT 60*60*24*365*100);",
    "a default that is repeated": "CREATE TABLE t (a varchar(255) DEFAULT repeat('x', 300));",
    "a default that rounds up": "CREATE TABLE t (a numeric(5,4) DEFAULT 9.99995);",
    "a default that becomes zero": "CREATE TABLE t (a numeric(4,1) DEFAULT 0.0231);",
    "a default of a text": "CREATE TABLE t (a character varying(8) DEFAULT 'processing'::character varying);",
    "a default of a date": "CREATE TABLE t (a date DEFAULT '2023-02-30');",
    "a default that is no label": "CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (x e DEFAULT 'c'::e);",
    "a label of a type made once": "DO $$ BEGIN CREATE TYPE e AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN NULL; END $$; CREATE TABLE t (x e DEFAULT 'c');",
    "a default in quotes": "CREATE TABLE t (a int DEFAULT '30.5');",
    "a default set later": {"1.sql": "CREATE TABLE q (a int2);", "2.sql": "ALTER TABLE q ALTER a SET DEFAULT 100000;"},
    "a default of a domain": "CREATE DOMAIN pct AS numeric(3,2) DEFAULT 50; CREATE TABLE t (p pct);",
    "a default narrowed away": "CREATE TABLE t (a int DEFAULT 70000); ALTER TABLE t ALTER a TYPE smallint;",
    "an identity's start": "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY (START WITH 3000000000));",
    "a generated constant": "CREATE TABLE t (a numeric(3,2) GENERATED ALWAYS AS (10 * 1.5) STORED);",
    "a real too large": "CREATE TABLE t (a real DEFAULT 1e39);",
    "money too large": "CREATE TABLE t (a money DEFAULT 92233720368547758.08);",
    "a negative scale": "CREATE TABLE t (a numeric(2,-3) DEFAULT 99500);",
    "a scale above the precision": "CREATE TABLE t (a numeric(3,5) DEFAULT 0.01);",
    "a row with a column list": T + "INSERT INTO t (id, rate) VALUES (1, 0.5), (2, 30.0);",
    "a row by position": T + "INSERT INTO public.t VALUES (1, 30.0);",
    "a row by position after changes": "CREATE TABLE t (a text, b varchar(3)); ALTER TABLE t DROP a, ADD c varchar(2); INSERT INTO t VALUES ('abc', 'abc');",
    "a row in an array": T + "INSERT INTO t (list) VALUES ('{0.5,30.0}');",
    "a row in an array that is built": T + "INSERT INTO t (list) VALUES (ARRAY[1, 30.0]);",
    "a row of bits": T + "INSERT INTO t (flag) VALUES (B'11');",
    "a row from SELECT": T + "INSERT INTO t (id, code) SELECT 1, 'abc' UNION ALL SELECT 2, 'abcd';",
    "a row from FROM VALUES": T
    + "INSERT INTO t (id, small) SELECT v.a, v.b FROM (VALUES (1, 2), (3, 40000)) AS v (a, b);",
    "a row in a CTE": T + "WITH n AS (INSERT INTO t (rate) VALUES (30.0) RETURNING id) SELECT * FROM n;",
    "a row on conflict": T + "INSERT INTO t (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET rate = 30, id = 2;",
    "a row before its table": {"a_seed.sql": "INSERT INTO t (code) VALUES ('abcd');", "b_schema.sql": T},
    "a row before it is wide enough": {
        "V1__a.sql": "CREATE TABLE s (c varchar(8));",
        "V2__b.sql": "INSERT INTO s VALUES ('LONG-SKU-0001');",
        "V10__c.sql": "ALTER TABLE s ALTER c TYPE varchar(20);",
    },
    "a row that is narrowed away": "CREATE TABLE s (c varchar(20)); INSERT INTO s VALUES ('LONG-SKU-0001'); ALTER TABLE s ALTER c TYPE varchar(8);",
    "a row before its label": "CREATE TYPE e AS ENUM ('a'); CREATE TABLE s (x e); INSERT INTO s VALUES ('b'); ALTER TYPE e ADD VALUE 'b';",
    "an update": T + "UPDATE ONLY t AS x SET id = 1, rate = (30.0) WHERE id = 2;",
    "an update of several": T + "UPDATE t SET (id, code) = (1, 'abcd');",
    "a merge": T
    + "MERGE INTO t USING s ON s.id = t.id WHEN MATCHED THEN UPDATE SET small = 40000 WHEN NOT MATCHED THEN INSERT (id) VALUES (1);",
    "COPY": T + "\nCOPY public.t (id, rate, code) FROM stdin;\n1\t0.5\t\\N\n2\t30.0\tabc\n\\.\n",
    "COPY as CSV": T + '\nCOPY t (id, code) FROM stdin WITH (FORMAT csv, HEADER);\nid,code\n1,"abcd"\n\\.\n',
    "a routine's insert": T
    + "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN INSERT INTO t (rate) VALUES (1000); END $$;",
    "a DO block's insert": T
    + "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM t) THEN INSERT INTO t (rate) VALUES (1000); END IF; END $$;",
    "MySQL": "CREATE TABLE `t` (`id` int AUTO_INCREMENT, `rate` decimal(5,4) DEFAULT '30.0') ENGINE=InnoDB;",
    "a phone number": "CREATE TABLE c (phone integer); INSERT INTO c (phone) VALUES (4915123456789);",
    "a longitude": "CREATE TABLE p (lat numeric(8,6), lng numeric(8,6)); INSERT INTO p VALUES (35.689487, 139.691711);",
    "a CHECK's range": "CREATE TABLE t (score numeric(3,2) CHECK (score BETWEEN 0 AND 100));",
    "a CHECK's upper bound": "CREATE TABLE t (score numeric(4,2), CONSTRAINT s CHECK (0 <= score AND score <= 100));",
    "a CHECK's list": "CREATE TABLE t (a numeric(5,4) CHECK (a IN (7.0, 30.0)));",
    "a CHECK as pg_dump writes it": "CREATE TABLE t (s character varying(6), CONSTRAINT c CHECK (((s)::text = ANY ((ARRAY['open'::character varying, 'cancelled'::character varying])::text[]))));",
    "a CHECK's length": "CREATE TABLE t (c varchar(2) CHECK (char_length(c) = 3));",
    "a CHECK of a domain": "CREATE DOMAIN pct AS numeric(3,2) CHECK (VALUE >= 0 AND VALUE <= 100); CREATE TABLE t (p pct);",
    "a port in smallint": "CREATE TABLE t (port smallint CHECK (port > 0 AND port < 65536));",
    "a comment behind": beside("decay_factor NUMERIC(5,4)", "half-life in days, 30.0"),
    "a comment with the default": beside("decay_factor NUMERIC(5,4)", "half-life in days (30 by default)"),
    "a comment above": "CREATE TABLE x (\n  id int,\n  -- The half-life constant, e.g. 30.0\n  decay_factor numeric(5,4) NOT NULL\n);",
    "a comment in a block": "CREATE TABLE x (decay_factor numeric(5,4) /* default 30.0 */ NOT NULL, z int);",
    "a comment in sentences": "CREATE TABLE x (\n  -- Half-life constant in days. We use 30.0 for every kind.\n  decay_factor numeric(5,4) NOT NULL\n);",
    "a comment in the seed's words": beside("decay_factor numeric(5,4)", "half_life constant (30.0)"),
    "a comment's example": "CREATE TABLE loans (id int, apr numeric(4,4) NOT NULL /* annual rate in percent, e.g. 5.25 */);",
    "a comment's range": beside("lng numeric(8,6)", "WGS84, between -180 and 180"),
    "a comment's words": beside("status varchar(8)", "'pending' | 'shipped' | 'cancelled'"),
    "COMMENT ON": R
    + "COMMENT ON COLUMN public.reputation_scores.decay_factor IS 'half-life constant, 30.0 by default';",
    "the seed's document": {
        "a.sql": R,
        "b.md": "`decay_factor` stores the half-life constant (30.0), meaning thirty days.\n",
    },
    "a document's assignment": {"a.sql": R, "b.md": "Set `decay_factor = 30.0` for every kind.\n"},
    "a document's list": {
        "a.sql": R,
        "b.md": "- **decay_factor** (NUMERIC(5,4)): half-life in days; default `30.0`.\n",
    },
    "a document's table": {
        "a.sql": R,
        "b.md": "| column | type | default |\n|---|---|---|\n| `decay_factor` | NUMERIC(5,4) | 30.0 |\n",
    },
    "a document that names the column last": {
        "a.sql": R,
        "b.md": "The half-life constant (30.0) is stored in `reputation_scores.decay_factor`.\n",
    },
    "a document's example": {"a.sql": R, "b.md": "* `decay_factor` - the half-life in days, e.g. `30.0`\n"},
    "a document's schema": {
        "a.sql": R,
        "b.md": "```\nreputation_scores (\n  decay_factor NUMERIC(5,4) NOT NULL,  -- half-life constant: 30.0\n)\n```\n",
    },
    "a document that names the table": {
        "a.sql": "CREATE TABLE vat_rates (rate numeric(3,2));",
        "b.md": "`vat_rates` holds percentages: rate = 19.00 for Germany.\n",
    },
    "a fixture": {"a.sql": R, "reputation_scores.yml": "first:\n  decay_factor: 30.0\n"},
    "a parameter": {
        "a.sql": R,
        "b.py": "HALF_LIFE = 30.0\ndef f(c, h):\n    c.execute('INSERT INTO reputation_scores (holder_id, decay_factor) VALUES (%s, %s)', (h, HALF_LIFE))\n",
    },
    "a parameter by name": {
        "a.sql": R,
        "b.py": "def f(s, h):\n    s.execute(text('UPDATE reputation_scores SET decay_factor = :d WHERE holder_id = :h'), {'d': 30.0, 'h': h})\n",
    },
    "a parameter from another module": {
        "a.sql": R,
        "config.py": "HALF_LIFE = 5 * 6\n",
        "b.py": "from config import HALF_LIFE\nasync def f(c, h):\n    await c.execute('INSERT INTO reputation_scores (holder_id, decay_factor) VALUES ($1, $2)', h, HALF_LIFE)\n",
    },
    "a parameter of many": {
        "a.sql": R,
        "b.py": "ROWS = [('a', 0.5), ('b', 30.0)]\ndef f(c):\n    c.executemany('INSERT INTO reputation_scores (score_kind, decay_factor) VALUES (?, ?)', ROWS)\n",
    },
    "a parameter of execute_values": {
        "a.sql": R,
        "b.py": "TABLE = 'reputation_scores'\ndef f(c):\n    execute_values(c, f'INSERT INTO {TABLE} (score_kind, decay_factor) VALUES %s', [('a', 0.5), ('b', 30.0)])\n",
    },
    "a keyword": {"a.sql": R, "b.py": "def f(s, h):\n    s.add(ReputationScore(holder_id=h, decay_factor=30.0))\n"},
    "a dict": {
        "a.sql": R,
        "b.py": "def f(c, h):\n    c.table('reputation_scores').insert({'score_kind': 'k', 'decay_factor': 30.0})\n",
    },
    "a constant with the column's name": {"a.sql": R, "b.py": "DEFAULT_DECAY_FACTOR = 30.0\n"},
    "SQLAlchemy": {
        "m.py": "import sqlalchemy as sa\nclass S(Base):\n    __tablename__ = 's'\n    factor = sa.Column(sa.Numeric(5, 4), server_default='30.0')\n"
    },
    "SQLAlchemy, a table": {
        "m.py": "t = Table('s', meta, Column('factor', Numeric(precision=5, scale=4), default=Decimal('30.0')))\n"
    },
    "SQLAlchemy, mapped": {
        "m.py": "class S(Base):\n    __tablename__ = 's'\n    state: Mapped[str] = mapped_column(String(length=4), default='pending')\n"
    },
    "Django": {
        "m.py": "from django.db import models\nclass S(models.Model):\n    factor = models.DecimalField(max_digits=5, decimal_places=4, default=30)\n"
    },
    "Django's choices": {
        "m.py": "from django.db import models\nclass State(models.TextChoices):\n    NEW = 'new', 'New'\n    DONE = 'finished', 'Done'\nclass S(models.Model):\n    state = models.CharField(max_length=4, choices=State.choices)\n"
    },
    "Alembic": {
        "v.py": "import sqlalchemy as sa\nfrom alembic import op\nrevision = '1'\ndown_revision = None\ndef upgrade():\n    op.create_table('s', sa.Column('factor', sa.Numeric(5, 4), server_default='30.0'))\ndef downgrade():\n    op.drop_table('s')\n"
    },
}

COSMETIC: dict[str, str | dict[str, str]] = {
    "NOT NULL": "CREATE TABLE t (a numeric(5,4) NOT NULL DEFAULT 30.0);",
    "fewer digits": "CREATE TABLE t (a numeric(5,4) DEFAULT 30);",
    "the same width, moved the wrong way": "CREATE TABLE t (a numeric(6,5) DEFAULT 30.0);",
    "another spelling": "CREATE TABLE t (a DEC(5, 4) DEFAULT (30.0)::numeric);",
    "quoted names": 'CREATE TABLE app."T" ("A" numeric(5,4)); INSERT INTO app."T" ("A") VALUES (30.0);',
    "a check beside": "CREATE TABLE t (a numeric(5,4) DEFAULT 30.0 CHECK (a > 0));",
    "a reassuring comment": beside("decay_factor numeric(5,4) DEFAULT 30.0", "fits: reviewed"),
    "a domain around it": "CREATE DOMAIN factor AS numeric(5,4); CREATE TABLE t (a factor DEFAULT 30.0);",
    "another default, the same rows": T
    + "ALTER TABLE t ALTER rate SET DEFAULT 0.0231; INSERT INTO t (rate) VALUES (30.0);",
    "a wider type too late": T + "INSERT INTO t (rate) VALUES (30.0); ALTER TABLE t ALTER rate TYPE numeric(8,4);",
    "in a transaction": "BEGIN; " + T + "INSERT INTO t (rate) VALUES (3e1); COMMIT;",
    "one character more": "CREATE TABLE t (a varchar(9) DEFAULT 'processing');",
    "a constant by another name": {
        "a.sql": R,
        "b.py": "DAYS = 30.0\nfactor = DAYS\ndef f(c, h):\n    c.execute('INSERT INTO reputation_scores (holder_id, decay_factor) VALUES (%s, %s)', [h, factor])\n",
    },
}

CLEAN: dict[str, str | dict[str, str]] = {
    "the seed's fix": INVARIANT.approved,
    "the seed's fix in its own words": beside(
        "decay_factor NUMERIC(5,4)", "stores λ = ln2/half_life ≈ 0.0231, not the half_life constant (30.0 overflows)"
    ),
    "at the bounds": "CREATE TABLE t (a numeric(5,4) DEFAULT 9.9999, b smallint DEFAULT -32768, c int DEFAULT 2147483647, d bigint DEFAULT -9223372036854775808, e numeric(3,5) DEFAULT 0.00999, f varchar(4) DEFAULT 'äöüß', g bit(3) DEFAULT B'101', h char(1) DEFAULT 'é', i numeric(2,-3) DEFAULT 99000);",
    "no bounds": "CREATE TABLE t (a numeric DEFAULT 1e30, b text DEFAULT repeat('x', 300), c double precision DEFAULT 1e300, d varchar DEFAULT 'a long text', e bpchar DEFAULT 'a long text');",
    "surplus spaces": T + "INSERT INTO t (code) VALUES ('abc   ');",
    "a cast that cuts": T + "INSERT INTO t (code) VALUES ('abcdef'::varchar(3));",
    "computed below the bound": "CREATE TABLE t (a int DEFAULT 2 ^ 31 - 1, b bigint DEFAULT 60::bigint * 60 * 24 * 365 * 100);",
    "no constants": "CREATE TABLE t (a int DEFAULT nextval('s'::regclass), b varchar(3) DEFAULT CURRENT_USER, c int DEFAULT (extract(epoch FROM now()))::int, d uuid DEFAULT gen_random_uuid(), e timestamptz DEFAULT now(), f date DEFAULT 'infinity', g int DEFAULT NULL);",
    "rows of no constants": T
    + "INSERT INTO t (code, rate) VALUES ($1, $2), (:'code', :rate), (DEFAULT, NULL), ('${code}', random() * 100); INSERT INTO t SELECT s.id, s.rate FROM s; UPDATE t SET rate = rate * 1000;",
    "other tables": "INSERT INTO elsewhere (rate) VALUES (1e9); UPDATE elsewhere SET code = 'a long text';",
    "other columns": T + "INSERT INTO t (big, id) VALUES (1700000000000, 5);",
    "after ADD and DROP": "CREATE TABLE t (a int, b varchar(3)); ALTER TABLE t ADD c varchar(20); ALTER TABLE t DROP COLUMN b; INSERT INTO t VALUES (1, 'a long value');",
    "widened first": {
        "V1.sql": "CREATE TABLE s (c varchar(8));",
        "V2.sql": "ALTER TABLE s ALTER c TYPE text;",
        "V10.sql": "INSERT INTO s VALUES ('LONG-SKU-0001');",
    },
    "narrowed with USING": "CREATE TABLE s (c varchar(20)); INSERT INTO s VALUES ('LONG-SKU-0001'); ALTER TABLE s ALTER c TYPE varchar(8) USING left(c, 8);",
    "changed before it is narrowed": "CREATE TABLE s (c varchar(20)); INSERT INTO s VALUES ('LONG-SKU-0001'); UPDATE s SET c = 'x'; ALTER TABLE s ALTER c TYPE varchar(8);",
    "deleted before it is narrowed": "CREATE TABLE s (c varchar(20)); INSERT INTO s VALUES ('LONG-SKU-0001'); TRUNCATE s; ALTER TABLE s ALTER c TYPE varchar(8);",
    "a default mended": {
        "1.sql": "CREATE TABLE t (a numeric(5,4) DEFAULT 30.0);",
        "2.sql": "ALTER TABLE t ALTER a SET DEFAULT 0.0231;",
    },
    "a default taken away": "CREATE TABLE t (a numeric(5,4) DEFAULT 30.0); ALTER TABLE t ALTER a DROP DEFAULT;",
    "a label added": "CREATE TYPE e AS ENUM ('a'); CREATE TABLE s (x e); ALTER TYPE e ADD VALUE IF NOT EXISTS 'b' AFTER 'a'; INSERT INTO s VALUES ('b');",
    "a type replaced": "CREATE TYPE st AS ENUM ('a'); CREATE TABLE t (s st DEFAULT 'a'); ALTER TYPE st RENAME TO st_old; CREATE TYPE st AS ENUM ('a', 'b'); ALTER TABLE t ALTER s DROP DEFAULT, ALTER s TYPE st USING s::text::st, ALTER s SET DEFAULT 'b'; DROP TYPE st_old; INSERT INTO t VALUES ('b');",
    "inherited columns come first": "CREATE TABLE p (a varchar(20)); CREATE TABLE c (b int) INHERITS (p); INSERT INTO c VALUES ('a long value', 5);",
    "COPY": T + "\nCOPY t (id, rate, code) FROM stdin;\n1\t9.9999\ta\\\\b\n\\N\t\\N\t\\N\n\\.\n",
    "CHECKs": "CREATE TABLE t (lat numeric(8,6) CHECK (lat BETWEEN -90 AND 90), pct numeric(5,2) CHECK (pct <= 100), x numeric(4,2) CHECK (x < 100), n int CHECK (n <> 3000000000), m int CHECK (NOT (m > 3000000000)), s varchar(4) CHECK (s NOT IN ('too long')));",
    "a column that is commented out": "CREATE TABLE x (\n  id int,\n  -- half_life numeric(5,2) DEFAULT 30.0,\n  decay_factor numeric(5,4) NOT NULL\n);",
    "two enums of one name": "CREATE TYPE a.e AS ENUM ('x'); CREATE TYPE b.e AS ENUM ('y'); CREATE TABLE t (v a.e DEFAULT 'x', w b.e DEFAULT 'y');",
    "a note on the unit": beside("decay_factor numeric(5,4)", "decay per day for a half-life of 30 days"),
    "a note on the formula": beside("decay_factor numeric(5,4)", "ln(2)/half_life, half_life = 30.0 days"),
    "a note on what was": beside("w numeric(3,2)", "weight between 0 and 1; was 0 to 100 before v2"),
    "a note on percent": beside("discount numeric(3,2)", "0.15 means 15 percent (15% off)"),
    "a note on a ticket": beside("rate numeric(4,3)", "see ticket 48213, since 2023-05-01"),
    "a range without its ends": "CREATE TABLE x (v numeric(3,3), z int); -- between 0 and 1 (exclusive)\nCOMMENT ON COLUMN x.v IS 'between 0 and 1 (exclusive)';",
    "a document's decision": {
        "a.sql": R,
        "b.md": "We considered storing the half-life (30.0) in `decay_factor`, but NUMERIC(5,4) cannot hold it.\nTherefore decay_factor = ln(2) / half_life, i.e. 0.0231 with a half-life of 30.0 days.\n",
    },
    "a note on rows": beside("page_kind smallint", "default is 100000 rows"),
    "a note on digits": beside("code varchar(5)", "max 10 digits in the old system"),
    "words that fit": beside("status varchar(9)", "'pending', 'shipped', 'cancelled'"),
    "a document's formula": {"a.sql": R, "b.md": "`decay_factor` is ln(2)/30 for the 30-day window, about 0.0231.\n"},
    "a document's history": {
        "a.sql": R,
        "b.md": "We first put the half-life (30.0) into `decay_factor`, which overflowed.\n",
        "CHANGELOG.md": "decay_factor = 30.0\n",
    },
    "a computed parameter": {
        "a.sql": R,
        "b.py": "import math\nHALF_LIFE = 30.0\ndef f(c, h):\n    rate = round(math.log(2) / HALF_LIFE, 4)\n    c.execute('INSERT INTO reputation_scores (holder_id, decay_factor) VALUES (%s, %s)', (h, rate))\n",
    },
    "a test of the overflow": {
        "a.sql": R,
        "b.py": "def test(c):\n    with pytest.raises(DataError):\n        c.execute('INSERT INTO reputation_scores (holder_id, decay_factor) VALUES (%s, %s)', ('x', 30.0))\n",
    },
    "a query": {"a.sql": R, "b.py": "def f(s):\n    return ReputationScore.objects.filter(decay_factor=30.0)\n"},
    "a test's own values": {
        "a.sql": R,
        "tests/test_b.py": "def test(s):\n    score = ReputationScore(decay_factor=30.0)\n    with pytest.raises(DataError):\n        s.add(score)\n",
    },
    "words of other things": {
        "a.sql": "CREATE TABLE users (id int, status varchar(6), name varchar(10));",
        "b.py": "def f(users):\n    return Response(status='internal server error', name='a very long name')\n",
    },
    "SQLite, which keeps to no type": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER DEFAULT 1700000000000, code VARCHAR(3) DEFAULT 'abcdef');",
    "MySQL's unsigned": "CREATE TABLE `t` (`id` int unsigned AUTO_INCREMENT, `n` int(10) unsigned NOT NULL DEFAULT 4000000000, `at` date DEFAULT '0000-00-00') ENGINE=InnoDB;",
    "broken Python of something else": {"a.sql": R, "b.py": "print 'hello'\n"},
    "Python's columns": {
        "m.py": "class S(Base):\n    __tablename__ = 's'\n    a = Column(Numeric(5, 4), default=0.0231)\n    b = Column(String(7), default='pending')\n    c = Column(SmallInteger, default=compute)\n    d = models.CharField(max_length=4, default=uuid4)\n"
    },
}

NOTED: dict[str, str | dict[str, str]] = {
    "digits lost": "CREATE TABLE t (a numeric(10,2) DEFAULT 30.12345);",
    "half a unit": T + "INSERT INTO t (small) VALUES (2.5);",
    "prose beside a number that fits": beside("threshold numeric(3,2)", "default 1.00, example 100.0"),
    "a constant that is computed with": {
        "a.sql": R,
        "b.py": "DECAY_FACTOR = 30.0\ndef f(ln2):\n    return ln2 / DECAY_FACTOR\n",
    },
}

ABSTENTIONS: dict[str, str | dict[str, str]] = {
    "another dialect": "CREATE TABLE t (a int DEFAULT 5) SOMETHING = x;",
    "an open bracket": "CREATE TABLE t (a int DEFAULT 5;",
    "an unknown action": T + "ALTER TABLE t MODIFY COLUMN rate numeric(8,4);",
    "broken Python": {"a.sql": R, "b.py": "def reputation_scores(:\n"},
    "not text": {"a.sql": R, "b.py": "reputation_scores = '\x00'\n"},
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_value_that_does_not_fit_is_refused(files):
    """Whatever the source, one value for one column gives one refusal: where it stands, and at the column."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", COSMETIC.values(), ids=COSMETIC)
def test_a_cosmetic_fix_is_still_refused(files):
    """Names, casts, comments and checks make no room."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_a_value_that_fits_passes(files):
    assert [] == refusing(files)


@pytest.mark.parametrize("files", NOTED.values(), ids=NOTED)
def test_what_a_person_must_weigh_is_a_note(files):
    """Digits that are rounded away, and prose that may mean something else, refuse nothing."""
    assert [Severity.NOTE] == [f.severity for f in found(files)]


@pytest.mark.parametrize("files", ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_cannot_be_read_is_not_passed(files):
    """Could not look is never passed."""
    with pytest.raises(CannotLook):
        found(files)


@pytest.mark.parametrize("name", [n for n in DEFECTS if n.startswith(("a CHECK's", "a comment", "COMMENT", "a port"))])
def test_what_it_asks_for_satisfies_it(name):
    """Where a wider type is the answer, `satisfy` is SQL: appended as a last migration, it makes room."""
    files = DEFECTS[name]
    before = {"schema.sql": files} if isinstance(files, str) else files

    mended = {**before, "z_mend.sql": "\n".join(f.satisfy for f in refusing(files))}

    assert [] == refusing(mended)


@pytest.mark.parametrize("path", sorted(CASES.glob("refused_*")), ids=lambda p: p.stem)
def test_the_refused_cases_are_refused(path):
    assert refusing(case(path))


@pytest.mark.parametrize("path", sorted(CASES.glob("cosmetic_*")), ids=lambda p: p.stem)
def test_the_cosmetic_cases_are_still_refused(path):
    assert refusing(case(path))


@pytest.mark.parametrize("path", sorted(CASES.glob("approved_*")), ids=lambda p: p.stem)
def test_the_approved_cases_pass(path):
    assert [] == refusing(case(path))


def test_every_refused_case_has_a_clean_twin():
    refused = {p.stem.removeprefix("refused_") for p in CASES.glob("refused_*")}

    assert refused == refused & {p.stem.removeprefix("approved_") for p in CASES.glob("approved_*")}


def test_a_finding_says_where_and_what_would_hold_it():
    (finding,) = found("CREATE TABLE app.t (\n  id int,\n  factor numeric(5,4) DEFAULT 30.0\n);")

    assert "schema.sql:3:3" == str(finding.location)
    assert "factor numeric(5,4) DEFAULT 30.0" == finding.evidence
    assert (
        "The default of app.t.factor does not fit: 30.0 is outside numeric(5,4), which holds at most 9.9999."
        == finding.message
    )
    assert "ALTER TABLE app.t ALTER COLUMN factor TYPE numeric(6,4);" == finding.satisfy


def test_a_field_declared_in_python_counts_as_looked_at():
    """A file of models alone is an artifact in which this check has something to look at."""
    artifact = Artifact.of({"m.py": "limit = Field(default=30.0, max_digits=5, decimal_places=4)\n", "n.py": "x = 1\n"})

    assert [True, False] == [value_fits.holds(f) for f in artifact.matching("*.py")]


def test_many_rows_are_one_finding():
    """The first row is shown, the others are counted."""
    (finding,) = refusing(T + "INSERT INTO t (rate) VALUES (30.0), (31.0), (0.5), (32.0);")

    assert "30.0" == finding.evidence
    assert finding.message.endswith("(and 2 more).")


@pytest.mark.parametrize(
    "expression",
    [
        "10 ^ 10 ^ 10",
        "2 ^ 1000000000",
        "repeat('x', 2000000000)",
        "1e999999999",
        "9" * 5000,
        "(" * 300 + "1" + ")" * 300,
        "- " * 300 + "1",
    ],
    ids=["powers", "a power", "a text", "an exponent", "digits", "brackets", "signs"],
)
def test_no_expression_takes_long(expression):
    """What would be longer than the bounds is no constant, or too large; it is never computed."""
    assert len(found(f"CREATE TABLE t (a varchar(10) DEFAULT {expression});")) <= 1

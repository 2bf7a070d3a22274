"""`sql.value-fits`, where values come from: specifications, programs, fixtures and routines as real projects have them."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.checks.sql_value_fits import holds_columns, value_fits
from squads.gates.sql.fits.documents import PARAGRAPH_LINES_MAX
from squads.gates.sql.fits.fixtures import FIXTURE_BYTES_MAX
from squads.gates.sql.fits.python_values import CHOICES_MAX

RATE = "CREATE TABLE scores (id int, decay_factor numeric(5,4));\n"

DEFECTS: dict[str, str | dict[str, str]] = {
    "a specification without SQL, as the seed tells it": {
        "spec.md": "While drafting, the reputation table:\n\n```\nreputation_scores (\n  ...\n  decay_factor NUMERIC(5,4) NOT NULL,\n  ...\n)\n```\n\nThe spec has decay_factor storing the half-life constant — 30.0, meaning thirty days.\n"
    },
    "a declaration without a fence": {
        "SPEC.md": "reputation_scores (\n  ...\n  decay_factor NUMERIC(5,4) NOT NULL,\n)\n\n`decay_factor` stores the half-life constant, 30.0.\n"
    },
    "a declaration in a list": {
        "spec.md": "- `decay_factor` NUMERIC(5,4): the half-life constant, 30.0\n- `kind` VARCHAR(8)\n"
    },
    "a default in a specification's fence": {
        "spec.md": "# Reputation\n\n```sql\nCREATE TABLE reputation_scores (\n  decay_factor NUMERIC(5,4) NOT NULL DEFAULT 30.0\n);\n```\n"
    },
    "a note in a specification's table": {
        "spec.md": "| Column | Type | Notes |\n|--|--|--|\n| decay_factor | NUMERIC(5,4) | half-life constant (30.0) |\n"
    },
    "the sentence behind the one that names the column": {
        "SPEC.md": "The half-life is written into `scores.decay_factor`. We start with a value of `30.0`.\n",
        "migrations/001.sql": "CREATE TABLE scores (\n  id bigint PRIMARY KEY,\n  decay_factor NUMERIC(5,4) NOT NULL\n);\n",
    },
    "an entry of a list behind a dash": {
        "SPEC.md": "## Columns\n\n* **decay_factor** — half-life constant, defaults to 30.0\n",
        "migrations/001.sql": "CREATE TABLE scores (\n  id bigint PRIMARY KEY,\n  decay_factor NUMERIC(5,4) NOT NULL\n);\n",
    },
    "a sentence over two lines": {
        "docs/spec.md": "The column `decay_factor` stores the half-life\nconstant, 30.0, for every kind.\n",
        "migrations/001.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    },
    "a value in front of the column's name": {
        "docs/spec.md": "We store 30.0 in `reputation_scores.decay_factor`.\n",
        "migrations/001.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    },
    "a docstring": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/reputation.py": '"""Reputation.\n\nreputation_scores.decay_factor stores the half-life constant, 30.0.\n"""\n',
    },
    "a comment at the top of the file": "-- decay_factor holds the half-life constant (30.0 days).\nCREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    "a block comment above a column": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  /* half-life constant: 30.0 */\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    "a range behind a word": "CREATE TABLE r (\n  id int,\n  pct numeric(4,2) -- percent, 0 to 100\n);\n",
    "a range that begins below zero": "CREATE TABLE g (\n  lat numeric(8,6), -- -90 to 90\n  lon numeric(8,6) -- -180 to 180\n);\n",
    "a list that WITH names": "CREATE TABLE plans (name varchar(10) PRIMARY KEY, price numeric(5,2));\nWITH v(name, price) AS (VALUES ('pro', 99.0), ('max', 1999.0)) INSERT INTO plans (name, price) SELECT name, price FROM v;\n",
    "a constant of a function": "CREATE TABLE scores (\n  id bigint PRIMARY KEY,\n  decay_factor NUMERIC(5,4) NOT NULL\n);\nCREATE FUNCTION add_score(i bigint) RETURNS void LANGUAGE plpgsql AS $$\nDECLARE half_life CONSTANT numeric := 30.0;\nBEGIN\n  INSERT INTO scores (id, decay_factor) VALUES (i, half_life);\nEND $$;\n",
    "a default of a function's parameter": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\nCREATE FUNCTION add(h uuid, hl numeric DEFAULT 30.0) RETURNS void LANGUAGE sql AS $$ INSERT INTO reputation_scores (holder_id, decay_factor, kind) VALUES (h, hl, 'quality') $$;\n",
    "what a trigger assigns to NEW": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\nCREATE FUNCTION def() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.decay_factor := 30.0; RETURN NEW; END $$;\nCREATE TRIGGER def BEFORE INSERT ON reputation_scores FOR EACH ROW EXECUTE FUNCTION def();\n",
    "a branch of CASE": "CREATE TABLE g (id int, code char(3));\nUPDATE g SET code = CASE WHEN id = 1 THEN 'EUR' ELSE 'OTHER' END;\n",
    "an argument of COALESCE": "CREATE TABLE g (id int, code char(3));\nUPDATE g SET code = COALESCE(code, 'NONE');\n",
    "a text that is no uuid": "CREATE TABLE h (id uuid PRIMARY KEY);\nINSERT INTO h VALUES ('not-a-uuid');\n",
    "a text that is no boolean": "CREATE TABLE h (id int, b boolean DEFAULT 'maybe');\n",
    "a text that is no number": "CREATE TABLE h (id int);\nINSERT INTO h VALUES ('abc');\n",
    "objects.create of a Django model": {
        "shop/models.py": "from django.db import models\n\nclass Coupon(models.Model):\n    code = models.CharField(max_length=8)\n    percent = models.DecimalField(max_digits=4, decimal_places=2)\n    weight = models.PositiveSmallIntegerField(default=1)\n",
        "shop/services.py": 'from decimal import Decimal\nfrom .models import Coupon\n\nFREE = Decimal("100.00")\n\ndef make_free():\n    return Coupon.objects.create(code="FREE", percent=FREE)\n',
    },
    "a Django fixture": {
        "shop/models.py": "from django.db import models\n\nclass Coupon(models.Model):\n    code = models.CharField(max_length=8)\n    percent = models.DecimalField(max_digits=4, decimal_places=2)\n    weight = models.PositiveSmallIntegerField(default=1)\n",
        "shop/fixtures/coupons.json": '[{"model": "shop.coupon", "pk": 1, "fields": {"code": "ALLFREE", "percent": "100.00"}}]',
    },
    "a Django data migration": {
        "shop/models.py": "from django.db import models\n\nclass Coupon(models.Model):\n    code = models.CharField(max_length=8)\n    percent = models.DecimalField(max_digits=4, decimal_places=2)\n    weight = models.PositiveSmallIntegerField(default=1)\n",
        "shop/migrations/0001_initial.py": 'from django.db import migrations, models\n\nclass Migration(migrations.Migration):\n    dependencies = []\n    operations = [migrations.CreateModel(name="Coupon", fields=[("id", models.BigAutoField(primary_key=True)), ("code", models.CharField(max_length=8)), ("percent", models.DecimalField(max_digits=4, decimal_places=2)), ("weight", models.PositiveSmallIntegerField(default=1))])]\n',
        "shop/migrations/0002_seed.py": 'from django.db import migrations\n\ndef seed(apps, schema_editor):\n    Coupon = apps.get_model("shop", "Coupon")\n    Coupon.objects.create(code="FREE", percent=100)\n\nclass Migration(migrations.Migration):\n    dependencies = [("shop", "0001_initial")]\n    operations = [migrations.RunPython(seed)]\n',
    },
    "defaults of get_or_create": {
        "billing/models.py": "from django.db import models\n\nclass Plan(models.Model):\n    name = models.CharField(max_length=10)\n    discount = models.DecimalField(max_digits=4, decimal_places=2)\n",
        "billing/management/commands/seed.py": "from billing.models import Plan\n\ndef handle():\n    Plan.objects.get_or_create(name='free', defaults={'discount': 100})\n",
    },
    "an attribute of a row that is saved": {
        "billing/models.py": "from django.db import models\n\nclass Plan(models.Model):\n    name = models.CharField(max_length=10)\n    discount = models.DecimalField(max_digits=4, decimal_places=2)\n",
        "billing/x.py": "from billing.models import Plan\n\ndef handle():\n    plan = Plan.objects.first()\n    plan.discount = 100\n    plan.save()\n",
    },
    "a class whose table is called otherwise": {
        "app/models.py": "from sqlalchemy import String, Numeric\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\nclass Score(Base):\n    __tablename__ = 'reputation_scores'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    factor: Mapped[float] = mapped_column(Numeric(5, 4))\n    code: Mapped[str] = mapped_column(String(3))\n",
        "app/svc.py": "from .models import Score\n\ndef make(s):\n    s.add(Score(factor=30.0, code='EUR'))\n",
    },
    "rows in a list of dicts": {
        "app/models.py": "from sqlalchemy import String, Numeric\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\nclass Score(Base):\n    __tablename__ = 'reputation_scores'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    factor: Mapped[float] = mapped_column(Numeric(5, 4))\n    code: Mapped[str] = mapped_column(String(3))\n",
        "app/seed.py": "from .models import Score\nROWS = [dict(factor=0.5, code='EUR'), dict(factor=12.5, code='GBP')]\n\ndef seed(s):\n    s.bulk_insert_mappings(Score, ROWS)\n",
    },
    "an attribute of an object from a query": {
        "app/models.py": "from sqlalchemy import String, Numeric\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\nclass Score(Base):\n    __tablename__ = 'reputation_scores'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    factor: Mapped[float] = mapped_column(Numeric(5, 4))\n    code: Mapped[str] = mapped_column(String(3))\n",
        "app/svc.py": "from .models import Score\n\ndef fix(s):\n    score = s.query(Score).first()\n    score.code = 'EURO'\n",
    },
    "one of a dict's values": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "HALF_LIVES = {'quality': 30.0, 'speed': 14.0}\n\ndef upsert(cur, h, kind):\n    decay = HALF_LIVES.get(kind, 30.0)\n    cur.execute('INSERT INTO reputation_scores (holder_id, decay_factor, kind) VALUES (%s, %s, %s)', (h, decay, kind))\n",
    },
    "a default of a Python parameter": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "def upsert(cur, h, half_life=30.0):\n    cur.execute('INSERT INTO reputation_scores (holder_id, decay_factor, kind) VALUES (%s, %s, %s)', (h, half_life, 'quality'))\n",
    },
    "a constant of the class itself": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "class Store:\n    HALF_LIFE = 30.0\n\n    def upsert(self, cur, h):\n        cur.execute('INSERT INTO reputation_scores (holder_id, decay_factor, kind) VALUES (%s, %s, %s)', (h, self.HALF_LIFE, 'quality'))\n",
    },
    "a constant of a settings module": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/settings.py": "HALF_LIFE = 30.0\n",
        "app/c.py": "from app import settings\n\ndef upsert(cur, h):\n    cur.execute('INSERT INTO reputation_scores (holder_id, decay_factor, kind) VALUES (%s, %s, %s)', (h, settings.HALF_LIFE, 'quality'))\n",
    },
    "milliseconds of the clock in an integer": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "import time\n\ndef upsert(cur, h):\n    cur.execute('UPDATE reputation_scores SET at_ms = %s WHERE holder_id = %s', (int(time.time() * 1000), h))\n",
    },
}

CLEAN: dict[str, str | dict[str, str]] = {
    "a specification whose default fits": {
        "spec.md": "# Reputation\n\n```sql\nCREATE TABLE reputation_scores (\n  decay_factor NUMERIC(5,4) NOT NULL DEFAULT 0.0231\n);\n```\nNightly at 3:30, 30.0 MB are written.\n"
    },
    "a specification's table that fits": {
        "spec.md": "| Column | Type | Default |\n|--|--|--|\n| decay_factor | NUMERIC(5,4) | 0.0231 |\n| size | VARCHAR(12) | |\n"
    },
    "an example that is said to be wrong": {
        "docs/style.md": "# Pitfalls\n\nThis is wrong, because 30.0 does not fit:\n\n```sql\nCREATE TABLE t (\n  decay_factor NUMERIC(5,4) DEFAULT 30.0\n);\n```\n\nDo this instead:\n\n```sql\nCREATE TABLE t (\n  decay_factor NUMERIC(5,4) DEFAULT 0.0231\n);\n```\n"
    },
    "the seed's specification, mended": {
        "spec.md": "While drafting, the reputation table:\n\n```\nreputation_scores (\n  ...\n  decay_factor NUMERIC(5,4) NOT NULL,\n  ...\n)\n```\n\ndecay_factor stores lambda = ln2/half_life, about 0.0231, not the half-life constant (30.0 overflows).\n"
    },
    "another number in a wrapped sentence": {
        "docs/spec.md": "The nightly job reads `decay_factor`\nand takes about 30.0 seconds\non the staging cluster.\n",
        "migrations/001.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    },
    "numbers of rows and not of a column": {
        "docs/spec.md": "Writes 30.0 rows per second into `reputation_scores`; `decay_factor` is recomputed.\n",
        "migrations/001.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    },
    "a comment on its own line about something else": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n-- Backfill: decay_factor for users with score over 1000 takes 30.0 minutes\nSELECT 1;\n",
    "a statement that is commented out": "-- ALTER TABLE reputation_scores ALTER decay_factor SET DEFAULT 30.0;\n-- decay_factor default 30.0 was wrong\nCREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
    "a parameter that is replaced": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "def f(cur, h, rate=None):\n    rate = rate or 0.5\n    cur.execute('UPDATE reputation_scores SET decay_factor = %s', (rate,))\n",
    },
    "a parameter that is computed with": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "def f(cur, half_life=30.0):\n    decay = 0.693 / half_life\n    cur.execute('UPDATE reputation_scores SET decay_factor = %s', (decay,))\n",
    },
    "another dict's values": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "RATES = {'quality': 0.02, 'speed': 0.05}\nDAYS = {'quality': 30.0}\ndef f(cur, k):\n    cur.execute('UPDATE reputation_scores SET decay_factor = %s, kind = %s', (RATES[k], k))\n    return DAYS[k]\n",
    },
    "a dict to look for rows": {
        "app/models.py": "from sqlalchemy import String, Numeric\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\nclass Score(Base):\n    __tablename__ = 'reputation_scores'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    factor: Mapped[float] = mapped_column(Numeric(5, 4))\n    code: Mapped[str] = mapped_column(String(3))\n",
        "app/api.py": "from .models import Score\n\ndef find(s):\n    form = {'factor': 30.0, 'code': 'EUROPE'}\n    return s.query(Score).filter_by(**form)\n",
    },
    "another application's model": {
        "billing/models.py": "from django.db import models\n\nclass Plan(models.Model):\n    name = models.CharField(max_length=10)\n    discount = models.DecimalField(max_digits=4, decimal_places=2)\n",
        "billing/x.py": "from other.lib import Shop\n\ndef f():\n    Shop.objects.create(name='a long name of a shop', discount=5000)\n",
    },
    "a tests.py": {
        "billing/models.py": "from django.db import models\n\nclass Plan(models.Model):\n    name = models.CharField(max_length=10)\n    discount = models.DecimalField(max_digits=4, decimal_places=2)\n",
        "billing/tests.py": "from billing.models import Plan\n\ndef test():\n    Plan.objects.create(name='x'*50)\n",
    },
    "ranges in another unit": "CREATE TABLE g (\n  ratio numeric(3,2), -- share of the whole (UI: 0-100)\n  grade numeric(2,1), -- 1.0-5.0 (100 points = 5.0)\n  pct numeric(5,4) -- fraction, 0 to 1 (0 to 100 percent)\n);\n",
    "NEW that is compared": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\nCREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.decay_factor = 30.0 THEN NEW.decay_factor := 0.0231; END IF; WHILE NEW.score = 99999 LOOP END LOOP; RETURN NEW; END $$;\nCREATE TRIGGER f BEFORE INSERT ON reputation_scores FOR EACH ROW EXECUTE FUNCTION f();\n",
    "how booleans, uuids and NaN are spelled": "CREATE TABLE g (id int, b boolean DEFAULT 'f', c boolean DEFAULT 'YES', u uuid DEFAULT gen_random_uuid(), n int DEFAULT '0', m numeric(5,2) DEFAULT 'NaN');\nINSERT INTO g (b, u) VALUES ('t', '00000000-0000-0000-0000-000000000000'), (:'flag', :'id');\n",
    "a fixture that fits, and one of another model": {
        "fix/data.json": '[{"model": "billing.plan", "pk": 1, "fields": {"name": "free", "discount": "99.99"}}, {"model": "x.y", "fields": {"name": "a very long name indeed"}}]',
        "billing/models.py": "from django.db import models\n\nclass Plan(models.Model):\n    name = models.CharField(max_length=10)\n    discount = models.DecimalField(max_digits=4, decimal_places=2)\n",
    },
    "what CASE compares with": "CREATE TABLE g (code varchar(3));\nUPDATE g SET code = CASE code WHEN 'EURO' THEN 'EUR' WHEN 'POUND' THEN 'GBP' ELSE code END WHERE code = 'LONGER';\n",
    "what WITH lists to look for": "CREATE TABLE g (code varchar(3));\nWITH m(old, new) AS (VALUES ('EURO','EUR'),('POUND','GBP')) UPDATE g SET code = m.new FROM m WHERE g.code = m.old;\nWITH m(old, new) AS (VALUES ('EURO','EUR')) INSERT INTO g SELECT new FROM m;\n",
    "seconds of the clock in an integer": {
        "m.sql": "CREATE TABLE reputation_scores (\n  holder_id uuid NOT NULL,\n  decay_factor NUMERIC(5,4) NOT NULL,\n  score NUMERIC(6,3) NOT NULL DEFAULT 0,\n  kind VARCHAR(12) NOT NULL,\n  code CHAR(3),\n  at_ms INTEGER\n);\n",
        "app/c.py": "import time\n\ndef upsert(cur, h):\n    cur.execute('UPDATE reputation_scores SET at_ms = %s WHERE holder_id = %s', (int(time.time()), h))\n",
    },
    "a way back": {
        "m/1.up.sql": "CREATE TABLE a (c varchar(10));\n",
        "m/1.down.sql": "DROP TABLE a;\n",
        "m/2.up.sql": "ALTER TABLE a ALTER c TYPE varchar(20);\nINSERT INTO a VALUES ('eleven char');\n",
        "m/2.down.sql": "DELETE FROM a;\nALTER TABLE a ALTER c TYPE varchar(10);\n",
    },
}


def refusing(files: str | dict[str, str]) -> list[Finding]:
    given = {"schema.sql": files} if isinstance(files, str) else files
    return [f for f in value_fits(Artifact.of(given)) if f.severity >= Severity.MAJOR]


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_value_from_anywhere_that_does_not_fit_is_refused(files):
    """What the artifact gives to a column is found in specifications, programs, fixtures and routines too."""
    assert refusing(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_what_only_looks_like_such_a_value_passes(files):
    """A number that is about something else, or compared and not stored, refuses nothing."""
    assert [] == refusing(files)


def test_a_specification_counts_as_looked_at_and_other_documents_do_not():
    """A document with sized columns is matter for this check; a readme is not."""
    artifact = Artifact.of({"spec.md": "| rate | numeric(5,4) | 30.0 |\n", "README.md": "# Hello\n"})
    looked = {f.path: holds_columns(f) for f in artifact.matching("*.md")}

    assert {"spec.md": True, "README.md": False} == looked


def test_a_column_that_a_document_declares_in_two_ways_is_not_judged_by_either():
    """Where a document shows an old type and a new one, nobody knows which holds."""
    text = "```\nrate_now NUMERIC(5,4)\n```\nLater:\n```\nrate_now NUMERIC(9,4)\n```\n`rate_now` is set to 30.0.\n"

    assert [] == refusing({"spec.md": text})


def test_a_paragraph_is_read_together_up_to_its_bound():
    """A sentence may go on for many lines; a number behind the bound belongs to nothing."""
    filler = "and so on\n" * PARAGRAPH_LINES_MAX

    assert refusing({"m.sql": RATE, "a.md": "`decay_factor` stores\nthe constant 30.0\n"})
    assert [] == refusing({"m.sql": RATE, "a.md": f"`decay_factor` stores\n{filler}the constant 30.0\n"})


def test_a_fixture_beyond_the_bound_is_data_and_not_read():
    """A huge JSON file is no fixture that somebody wrote."""
    rows = '[{"model": "shop.scores", "fields": {"rate": "30.0"}}]'
    files = {"m.sql": "CREATE TABLE shop_scores (rate numeric(5,4));", "f.json": rows}

    assert refusing(files)
    assert [] == refusing({**files, "f.json": rows + " " * FIXTURE_BYTES_MAX})


def test_only_so_many_values_of_one_dict_are_looked_at():
    """A table of thousands of numbers in Python takes no time."""
    code = "RATES = {{{}}}\ndef save(cur, k):\n    cur.execute('UPDATE scores SET decay_factor = %s', (RATES[k],))\n"
    within = {str(n): "0.5" for n in range(CHOICES_MAX - 1)} | {"last": "30.0"}
    beyond = {str(n): "0.5" for n in range(CHOICES_MAX)} | {"last": "30.0"}
    written = [", ".join(f"{k!r}: {v}" for k, v in d.items()) for d in (within, beyond)]

    assert refusing({"m.sql": RATE, "a.py": code.format(written[0])})
    assert [] == refusing({"m.sql": RATE, "a.py": code.format(written[1])})

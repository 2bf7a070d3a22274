"""`sql.unique-null`: keys in every place that PostgreSQL has for them."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.checks.sql_unique_null import unique_null

Files = dict[str, str] | str


def refused(files: Files) -> bool:
    """Return whether the check refuses an artifact."""
    named = {"schema.sql": files} if isinstance(files, str) else files
    return any(f.severity >= Severity.MAJOR for f in unique_null(Artifact.of(named)))


DEFECTS: dict[str, Files] = {
    "include": "CREATE TABLE t(a int NOT NULL, b int, c int, CONSTRAINT k UNIQUE (a,b) INCLUDE (c));",
    "exclude =": "CREATE EXTENSION btree_gist; CREATE TABLE t(a int NOT NULL, b int, EXCLUDE USING gist (a WITH =, b WITH =));",
    "expr index concat": "CREATE TABLE t(a text NOT NULL, b text); CREATE UNIQUE INDEX ON t ((a || ':' || b));",
    "partition": "CREATE TABLE t(r text NOT NULL, a int NOT NULL, b int, UNIQUE (r,a,b)) PARTITION BY LIST (r); CREATE TABLE t1 PARTITION OF t FOR VALUES IN ('x');",
    "check not null not enforced": "CREATE TABLE t(a int NOT NULL, b int, CONSTRAINT x CHECK (b IS NOT NULL) NOT ENFORCED, UNIQUE (a,b));",
    "drop not null constraint by name": "CREATE TABLE t(a int NOT NULL, b int CONSTRAINT bn NOT NULL, UNIQUE (a,b)); ALTER TABLE t DROP CONSTRAINT bn;",
    "drop not null auto name": "CREATE TABLE t(a int NOT NULL, b int NOT NULL, UNIQUE (a,b)); ALTER TABLE t DROP CONSTRAINT t_b_not_null;",
    "default but nullable": "CREATE TABLE t(a int NOT NULL, b int DEFAULT 0, UNIQUE (a,b));",
    "add column to key": {
        "1.sql": "CREATE TABLE t(a int NOT NULL, CONSTRAINT k UNIQUE (a));",
        "2.sql": "ALTER TABLE t ADD COLUMN region text; ALTER TABLE t DROP CONSTRAINT k, ADD CONSTRAINT k UNIQUE (a, region);",
    },
    "fk set null": "CREATE TABLE g(id int primary key); CREATE TABLE t(a int NOT NULL, g int REFERENCES g ON DELETE SET NULL, UNIQUE (a,g));",
    "partial for null plus flag": "CREATE TABLE t(a int NOT NULL, b int, on_ bool NOT NULL, UNIQUE (a,b)); CREATE UNIQUE INDEX ON t(a) WHERE b IS NULL AND on_;",
    "soft delete in key": "CREATE TABLE t(a text NOT NULL, t int NOT NULL, deleted_at timestamptz, UNIQUE (t, a, deleted_at));",
    "soft delete generated wrong way": "CREATE TABLE t(a text NOT NULL, deleted_at timestamptz, gone boolean GENERATED ALWAYS AS (CASE WHEN deleted_at IS NOT NULL THEN true END) STORED, UNIQUE (a, gone));",
    "trigger insert only": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE (a,b)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := COALESCE(NEW.b, 0); RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
    "upsert on conflict null": "CREATE TABLE t(a int NOT NULL, b int, n int, CONSTRAINT k UNIQUE (a,b)); CREATE FUNCTION f(x int,y int) RETURNS void LANGUAGE sql AS $$ INSERT INTO t VALUES (x,y,1) ON CONFLICT (a,b) DO UPDATE SET n = t.n + 1 $$;",
    "without overlaps": "CREATE TABLE t(a int, during daterange, UNIQUE (a, during WITHOUT OVERLAPS));",
    "like including indexes": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE (a,b)); CREATE TABLE t2 (LIKE t INCLUDING ALL);",
    "coalesce null": "CREATE TABLE t(a int NOT NULL, b text); CREATE UNIQUE INDEX ON t(a, coalesce(b, NULL));",
    "nullif": "CREATE TABLE t(a int NOT NULL, b text NOT NULL, c int, UNIQUE (a, c, b));",
    "index detach": {
        "1.sql": "CREATE TABLE t(a int NOT NULL, b int); CREATE UNIQUE INDEX k ON t(a,b) NULLS NOT DISTINCT;",
        "2.sql": "DROP INDEX k; CREATE UNIQUE INDEX k ON t(a,b);",
    },
}

CLEAN: dict[str, Files] = {
    "pg18 nulls not distinct": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE NULLS NOT DISTINCT (a,b));",
    "exclude coalesce": "CREATE TABLE t(a int NOT NULL, b int, EXCLUDE USING gist (a WITH =, coalesce(b,0) WITH =));",
    "exclude range ok": "CREATE TABLE room(room int NOT NULL, during tstzrange NOT NULL, EXCLUDE USING gist (room WITH =, during WITH &&));",
    "expr index concat_ws": "CREATE TABLE t(a text NOT NULL, b text); CREATE UNIQUE INDEX ON t (a, (concat(b)));",
    "coalesce uuid": "CREATE TABLE t(a int NOT NULL, b uuid, k uuid GENERATED ALWAYS AS (COALESCE(b,'00000000-0000-0000-0000-000000000000'::uuid)) STORED, UNIQUE (a,k));",
    "inherits lost unique": "CREATE TABLE t(a int NOT NULL, b int NOT NULL, UNIQUE (a,b)); CREATE TABLE t1 () INHERITS (t);",
    "check not null": "CREATE TABLE t(a int NOT NULL, b int CONSTRAINT x CHECK (b IS NOT NULL), UNIQUE (a,b));",
    "check not valid": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE (a,b)); ALTER TABLE t ADD CONSTRAINT x CHECK (b IS NOT NULL) NOT VALID;",
    "not null not valid pg18": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE (a,b)); ALTER TABLE t ADD CONSTRAINT bn NOT NULL b NOT VALID;",
    "domain not null": "CREATE DOMAIN d AS int NOT NULL; CREATE TABLE t(a int NOT NULL, b d, UNIQUE (a,b));",
    "partial for null other": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE (a,b)); CREATE UNIQUE INDEX ON t(a) WHERE b IS NULL;",
    "soft delete": "CREATE TABLE t(a text NOT NULL, t int NOT NULL, deleted_at timestamptz); CREATE UNIQUE INDEX ON t(t, a) WHERE deleted_at IS NULL;",
    "soft delete infinity": "CREATE TABLE t(a text NOT NULL, deleted_at timestamptz NOT NULL DEFAULT 'infinity', UNIQUE (a, deleted_at));",
    "trigger fills null": "CREATE TABLE t(a int NOT NULL, b int, UNIQUE (a,b)); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.b := COALESCE(NEW.b, 0); RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();",
    "pk without overlaps": "CREATE TABLE t(a int, during daterange, PRIMARY KEY (a, during WITHOUT OVERLAPS));",
    "num_nonnulls": "CREATE TABLE t(a int NOT NULL, b int, c int, CHECK (num_nonnulls(b,c)=1), UNIQUE (a,b), UNIQUE (a,c));",
    "matview": "CREATE TABLE t(a int, b int); CREATE MATERIALIZED VIEW v AS SELECT a,b FROM t; CREATE UNIQUE INDEX ON v(a,b);",
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_key_with_a_gap_is_refused_in_any_place(files):
    """Partitions, exclusions, expressions, keys that were made anew: NULL opens them alike."""
    assert refused(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_a_key_without_a_gap_passes_in_any_place(files):
    """What is filled in, kept out or covered leaves no gap."""
    assert not refused(files)

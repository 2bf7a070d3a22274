"""`sql.unique-null`: keys that a NULL opens are refused in every spelling, covered ones and look-alikes pass."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_unique_null import INVARIANT, unique_null
from squads.gates.sql.uniqueness import _OWNERS_MAX

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/sql_unique_null"
T = "CREATE TABLE t (id bigserial PRIMARY KEY, a int NOT NULL, b text NOT NULL, c int, d int, deleted_at timestamptz, kind text NOT NULL, data jsonb NOT NULL); "


def found(files: str | dict[str, str]) -> list[Finding]:
    return unique_null(Artifact.of({"schema.sql": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


DEFECTS: dict[str, str | dict[str, str]] = {
    "the seed's reputation": INVARIANT.refused,
    "a table constraint": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE (a, c));",
    "a named constraint": "CREATE TABLE t (a int NOT NULL, c int NULL, CONSTRAINT one UNIQUE (a, c) DEFERRABLE INITIALLY DEFERRED);",
    "a unique index": T + "CREATE UNIQUE INDEX i ON t (a, c);",
    "an index made while running": T
    + "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t USING btree (a, c DESC NULLS LAST) INCLUDE (b) WITH (fillfactor = 70);",
    "added by ALTER TABLE": T + "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, c);",
    "added without a name": T + "ALTER TABLE t ADD UNIQUE (c, a);",
    "an index made a constraint": T
    + "CREATE UNIQUE INDEX i ON t (a, c); ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;",
    "all members nullable": T + "ALTER TABLE t ADD UNIQUE (c, d);",
    "two nullable members": T + "ALTER TABLE t ADD UNIQUE (a, c, d);",
    "pg_dump": """
        CREATE TABLE public.scores ( holder uuid NOT NULL, kind text NOT NULL, guild uuid );
        ALTER TABLE ONLY public.scores ADD CONSTRAINT scores_key UNIQUE (holder, kind, guild);
        """,
    "an ORM's": 'CREATE TABLE "Member" ("id" TEXT NOT NULL, "teamId" TEXT, "email" TEXT NOT NULL, CONSTRAINT "Member_pkey" PRIMARY KEY ("id")); CREATE UNIQUE INDEX "Member_email_teamId_key" ON "Member"("email", "teamId");',
    "a soft delete in the key": T + "CREATE UNIQUE INDEX i ON t (a, b, deleted_at);",
    "a soft delete as predicate": T + "CREATE UNIQUE INDEX i ON t (a, c) WHERE deleted_at IS NULL;",
    "NOT NULL dropped later": {
        "001.sql": "CREATE TABLE t (a int NOT NULL, c int NOT NULL, UNIQUE (a, c));",
        "002.sql": "ALTER TABLE t ALTER COLUMN c DROP NOT NULL;",
    },
    "the covering index dropped later": T
    + "CREATE UNIQUE INDEX x ON t (a, c); CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL; DROP INDEX IF EXISTS y;",
    "nullable column added": T + "ALTER TABLE t ADD COLUMN e int REFERENCES x (id), ADD UNIQUE (a, e);",
    "a member by concatenation": T + "CREATE UNIQUE INDEX i ON t ((b || ':' || c));",
    "an expression over a nullable column": T + "CREATE UNIQUE INDEX i ON t (a, (c + 1));",
    "a function of a nullable column": T + "CREATE UNIQUE INDEX i ON t (a, abs(c));",
    "a member out of JSON": T + "CREATE UNIQUE INDEX i ON t (a, (data ->> 'x'));",
    "domain without NOT NULL": "CREATE DOMAIN scope AS int CHECK (VALUE > 0); CREATE TABLE t (a int NOT NULL, c scope, UNIQUE (a, c));",
    "NULLS DISTINCT in words": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE NULLS DISTINCT (a, c));",
    "a check that NULL passes": "CREATE TABLE t (a int NOT NULL, c int CHECK (c > 0), UNIQUE (a, c));",
    "a check of the pattern": "CREATE TABLE t (a int NOT NULL, c text CHECK (c ~ '^x' OR c LIKE 'y%'), UNIQUE (a, c));",
    "a generated key that may be NULL": "CREATE TABLE t (a int NOT NULL, c text, k text GENERATED ALWAYS AS (lower(c)) STORED, UNIQUE (a, k));",
    "the rest by a kind that is not tied": T
    + "ALTER TABLE t ADD UNIQUE (a, c); CREATE UNIQUE INDEX y ON t (a) WHERE kind <> 'org';",
    "an expression that only looks the same": T
    + "CREATE UNIQUE INDEX x ON t (a, c) WHERE (a + 1) * 2 > 4; CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL AND a + 1 * 2 > 4;",
    "the current row of a history": "CREATE TABLE t (a int NOT NULL, valid_from date NOT NULL, valid_to date, UNIQUE (a, valid_to));",
    "a check that excuses NULL": "CREATE TABLE t (a int NOT NULL, c int, CHECK (c IS NOT NULL OR a > 5), UNIQUE (a, c));",
    "an exclusion by equality": "CREATE TABLE t (a int NOT NULL, c int, EXCLUDE USING gist (a WITH =, c WITH =));",
    "covered only in part": T
    + "CREATE UNIQUE INDEX x ON t (a, c); CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL AND kind = 'global';",
    "covered by the wrong column": T
    + "CREATE UNIQUE INDEX x ON t (a, c); CREATE UNIQUE INDEX y ON t (b) WHERE c IS NULL;",
    "covered with another member": T
    + "CREATE UNIQUE INDEX x ON t (a, c); CREATE UNIQUE INDEX y ON t (a, b) WHERE c IS NULL;",
    "covered by an index that is not unique": T
    + "CREATE UNIQUE INDEX x ON t (a, c); CREATE INDEX y ON t (a) WHERE c IS NULL;",
    "covered on another table": T
    + "CREATE TABLE s (a int NOT NULL, c int, UNIQUE (a, c)); CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL;",
    "covered and rolled back": T
    + "CREATE UNIQUE INDEX x ON t (a, c); BEGIN; CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL; ROLLBACK;",
    "copied": "CREATE TABLE t (a int NOT NULL, c int); CREATE TABLE s (LIKE t, UNIQUE (a, c));",
    "a made table": "CREATE TABLE t AS SELECT 1 AS a, 2 AS c; CREATE UNIQUE INDEX i ON t (a, c);",
    "of a partitioned table": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE (a, c)) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1);",
    "in a DO block": T
    + "DO $$ BEGIN CREATE UNIQUE INDEX i ON t (a, c); EXCEPTION WHEN duplicate_table THEN NULL; END $$;",
    "a member of an order": "CREATE TABLE t (id int NOT NULL, a text NOT NULL, c text, PRIMARY KEY (id ASC), UNIQUE (a, c COLLATE nocase DESC));",
    "added in MySQL's way": "CREATE TABLE `t` (`a` int NOT NULL, `c` int) ENGINE=InnoDB; ALTER TABLE `t` ADD UNIQUE INDEX `u` (`a`, `c`), ALGORITHM=INPLACE, LOCK=NONE;",
    "a schema made here": "SET search_path TO app, public; CREATE TABLE t (a int NOT NULL, c int); CREATE UNIQUE INDEX i ON app.t (a, c);",
}

COSMETIC: dict[str, str] = {
    "another name": "CREATE TABLE t (a int NOT NULL, c int, CONSTRAINT nulls_handled_unique UNIQUE (a, c));",
    "quoting": 'CREATE TABLE "t" ("a" int NOT NULL, "c" int, UNIQUE ("a", "c"));',
    "a comment": "CREATE TABLE t (a int NOT NULL, c int /* NOT NULL */, -- UNIQUE NULLS NOT DISTINCT\n UNIQUE (a, c));",
    "a default": "CREATE TABLE t (a int NOT NULL, c int DEFAULT 0, UNIQUE (a, c));",
    "moved to an index": "CREATE TABLE t (a int NOT NULL, c int); CREATE UNIQUE INDEX i ON t (a, c);",
    "another order": "CREATE TABLE t (c int, a int NOT NULL, UNIQUE (c, a));",
    "another type": "CREATE TABLE t (a int NOT NULL, c varchar(36), UNIQUE (a, c));",
    "a foreign key": "CREATE TABLE t (a int NOT NULL, c int REFERENCES g (id) ON DELETE SET NULL, UNIQUE (a, c));",
    "included": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE (a, c) INCLUDE (a));",
    "a predicate of no use": "CREATE TABLE t (a int NOT NULL, c int); CREATE UNIQUE INDEX i ON t (a, c) WHERE a IS NOT NULL;",
    "nulls first": "CREATE TABLE t (a int NOT NULL, c int); CREATE UNIQUE INDEX i ON t (a, c NULLS FIRST);",
    "coalesced to nothing": "CREATE TABLE t (a int NOT NULL, c int); CREATE UNIQUE INDEX i ON t (a, COALESCE(c, NULL));",
    "the same index twice": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE (a, c)); CREATE INDEX i ON t (a) WHERE c IS NULL;",
    "a comment on it": "CREATE TABLE t (a int NOT NULL, c int, CONSTRAINT u UNIQUE (a, c)); COMMENT ON CONSTRAINT u ON t IS 'NULL is handled';",
    "a trigger": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE (a, c)); CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN RETURN NEW; END $$ LANGUAGE plpgsql; CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION f();",
}

CLEAN: dict[str, str | dict[str, str]] = {
    "the seed's fix": INVARIANT.approved,
    "NOT NULL": "CREATE TABLE t (a int NOT NULL, c int NOT NULL, UNIQUE (a, c));",
    "NOT NULL before the type's end": "CREATE TABLE t (a int DEFAULT 0 NOT NULL, c text COLLATE \"C\" DEFAULT 'x'::text NOT NULL, UNIQUE (a, c));",
    "SET NOT NULL later": {
        "1.sql": T + "ALTER TABLE t ADD UNIQUE (a, c);",
        "2.sql": "ALTER TABLE t ALTER COLUMN c SET NOT NULL;",
    },
    "primary key": "CREATE TABLE t (a int, c int, PRIMARY KEY (a, c));",
    "members of the primary key": "CREATE TABLE t (a int, c int, PRIMARY KEY (a, c), UNIQUE (c, a));",
    "primary key added later": "CREATE TABLE t (a int, c int); ALTER TABLE ONLY t ADD CONSTRAINT p PRIMARY KEY (a, c); CREATE UNIQUE INDEX i ON t (c, a);",
    "identity and serial": "CREATE TABLE t (a bigserial, c int GENERATED ALWAYS AS IDENTITY, UNIQUE (a, c));",
    "NULLS NOT DISTINCT": "CREATE TABLE t (a int NOT NULL, c int, UNIQUE NULLS NOT DISTINCT (a, c));",
    "NULLS NOT DISTINCT index": T + "CREATE UNIQUE INDEX i ON t (a, c) NULLS NOT DISTINCT;",
    "NULLS NOT DISTINCT added": T + "ALTER TABLE t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a, c);",
    "two partial indexes": T
    + "CREATE UNIQUE INDEX x ON t (a) WHERE c IS NULL; CREATE UNIQUE INDEX y ON t (a, c) WHERE c IS NOT NULL;",
    "the constraint and one partial index": T
    + "ALTER TABLE t ADD UNIQUE (a, b, c); CREATE UNIQUE INDEX x ON t (a, b) WHERE c IS NULL;",
    "the constraint and a wider one": T + "ALTER TABLE t ADD UNIQUE (a, b, c); ALTER TABLE t ADD UNIQUE (a, b);",
    "one of three owners": "CREATE TABLE t (a int NOT NULL, x int, y int, z int, CHECK (num_nonnulls(x, y, z) = 1), UNIQUE (a, x), UNIQUE (a, y), UNIQUE (a, z));",
    "one of two owners, counted by casts": "CREATE TABLE t (a int NOT NULL, x int, y int, CHECK ((x IS NOT NULL)::int + (y IS NOT NULL)::int = 1), UNIQUE (a, x), UNIQUE (a, y));",
    "one of three owners, counted by CASE": "CREATE TABLE t (a int NOT NULL, x int, y int, z int, CHECK (CASE WHEN x IS NULL THEN 0 ELSE 1 END + CASE WHEN y IS NULL THEN 0 ELSE 1 END + CASE WHEN z IS NULL THEN 0 ELSE 1 END = 1), UNIQUE (a, x), UNIQUE (a, y), UNIQUE (a, z));",
    "a unique subset": T + "ALTER TABLE t ADD UNIQUE (id, c);",
    "coalesced": T + "CREATE UNIQUE INDEX i ON t (a, COALESCE(c, 0));",
    "coalesced besides": T + "ALTER TABLE t ADD UNIQUE (a, c); CREATE UNIQUE INDEX i ON t (a, (COALESCE(c, -1)));",
    "coalesced uuid": "CREATE TABLE t (a int NOT NULL, c uuid); CREATE UNIQUE INDEX i ON t (a, coalesce(c, '00000000-0000-0000-0000-000000000000'::uuid));",
    "concatenated with NULL as text": T + "CREATE UNIQUE INDEX i ON t (a, concat(b, c));",
    "NULL or not as a member": T + "CREATE UNIQUE INDEX i ON t (a, COALESCE(c, 0), (c IS NULL));",
    "lower": T + "CREATE UNIQUE INDEX i ON t (a, lower(b));",
    "your own function": T + "CREATE UNIQUE INDEX i ON t (a, app.fold(b) text_pattern_ops DESC);",
    "a check": "CREATE TABLE t (a int NOT NULL, c int, CHECK (c IS NOT NULL), UNIQUE (a, c));",
    "a check added NOT VALID": T
    + "ALTER TABLE t ADD UNIQUE (a, c); ALTER TABLE t ADD CHECK (c IS NOT NULL AND c > 0) NOT VALID;",
    "domain": "CREATE DOMAIN scope AS int NOT NULL; CREATE TABLE t (a int NOT NULL, c scope, UNIQUE (a, c));",
    "four ways of two nullable members": T
    + "CREATE UNIQUE INDEX w ON t (a, c, d) WHERE c IS NOT NULL AND d IS NOT NULL; CREATE UNIQUE INDEX x ON t (a, c) WHERE c IS NOT NULL AND d IS NULL;"
    "CREATE UNIQUE INDEX y ON t (a, d) WHERE c IS NULL AND d IS NOT NULL; CREATE UNIQUE INDEX z ON t (a) WHERE c IS NULL AND d IS NULL;",
    "soft delete, both ways": T
    + "CREATE UNIQUE INDEX x ON t (a, c) WHERE deleted_at IS NULL AND c IS NOT NULL; CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL AND deleted_at IS NULL;",
    "soft delete, constraint and one": T
    + "CREATE UNIQUE INDEX x ON t (a, c) WHERE deleted_at IS NULL; CREATE UNIQUE INDEX y ON t (a) WHERE deleted_at IS NULL AND (c IS NULL);",
    "soft delete only": T + "CREATE UNIQUE INDEX x ON t (a, b) WHERE deleted_at IS NULL;",
    "kind decides, and a check ties it": T
    + "ALTER TABLE t ADD CHECK (kind <> 'guild' OR c IS NOT NULL); CREATE UNIQUE INDEX x ON t (a, c) WHERE kind = 'guild';",
    "kind decides, tied both ways": T
    + "ALTER TABLE t ADD CHECK ((kind = 'guild') = (c IS NOT NULL)); CREATE UNIQUE INDEX x ON t (a, c) WHERE kind = 'guild'; CREATE UNIQUE INDEX y ON t (a) WHERE kind = 'global';",
    "the constraint, and the rest by kind": T
    + "ALTER TABLE t ADD CHECK ((kind = 'org') = (c IS NOT NULL)), ADD UNIQUE (a, c); CREATE UNIQUE INDEX y ON t (a) WHERE kind <> 'org';",
    "the constraint, and the other kind": T
    + "ALTER TABLE t ADD CHECK ((kind = 'org' AND c IS NOT NULL) OR (kind = 'global' AND c IS NULL)), ADD UNIQUE (a, c); CREATE UNIQUE INDEX y ON t (a) WHERE kind = 'global';",
    "one of two owners": T
    + "ALTER TABLE t ADD CHECK (num_nonnulls(c, d) = 1); ALTER TABLE t ADD UNIQUE (c, b); ALTER TABLE t ADD UNIQUE (d, b);",
    "one of two owners, spelled out": T
    + "ALTER TABLE t ADD CHECK ((c IS NULL) <> (d IS NULL)); ALTER TABLE t ADD UNIQUE (c, b); ALTER TABLE t ADD UNIQUE (d, b);",
    "the column dropped": T + "ALTER TABLE t ADD UNIQUE (a, c); ALTER TABLE t DROP COLUMN c;",
    "the constraint dropped": T + "ALTER TABLE t ADD UNIQUE (a, c); ALTER TABLE t DROP CONSTRAINT t_a_c_key;",
    "the index dropped": T + "CREATE UNIQUE INDEX i ON t (a, c); DROP INDEX CONCURRENTLY public.i;",
    "mended by a migration": {
        "001_init.sql": "CREATE TABLE public.t (a int NOT NULL, c int, CONSTRAINT u UNIQUE (a, c));",
        "002_fix.sql": "BEGIN; ALTER TABLE t DROP CONSTRAINT IF EXISTS u; CREATE UNIQUE INDEX x ON t (a) WHERE c IS NULL; CREATE UNIQUE INDEX y ON t (a, c) WHERE c IS NOT NULL; COMMIT;",
    },
    "renamed": "CREATE TABLE t (a int NOT NULL, x int, UNIQUE (a, x)); ALTER TABLE t RENAME COLUMN x TO c; CREATE UNIQUE INDEX y ON t (a) WHERE c IS NULL;",
    "renamed after": "CREATE TABLE t (a int NOT NULL, x int, UNIQUE (a, x)); CREATE UNIQUE INDEX y ON t (a) WHERE x IS NULL; ALTER TABLE t RENAME x TO c;",
    "mixed case": 'CREATE TABLE "T" ("A" int NOT NULL, "C" int, UNIQUE ("A", "C")); CREATE UNIQUE INDEX ON "T" ("A") WHERE "C" IS NULL;',
    "parent's NOT NULL": "CREATE TABLE p (a int NOT NULL, c int NOT NULL); CREATE TABLE t (UNIQUE (a, c)) INHERITS (p);",
    "copied NOT NULL": "CREATE TABLE p (a int NOT NULL, c int NOT NULL); CREATE TABLE t (LIKE p, UNIQUE (a, c));",
    "partition": "CREATE TABLE p (a int NOT NULL, c int NOT NULL) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p FOR VALUES IN (1); CREATE UNIQUE INDEX ON t (a, c);",
    "a generated key": "CREATE TABLE t (a int NOT NULL, c uuid, k text GENERATED ALWAYS AS (COALESCE(c::text, '')) STORED, UNIQUE (a, k));",
    "a generated key besides": "CREATE TABLE t (a int NOT NULL, c uuid, k text GENERATED ALWAYS AS (COALESCE(c::text, '')) STORED, UNIQUE (a, c), UNIQUE (a, k));",
    "a domain's check": "CREATE DOMAIN scope AS int CHECK (VALUE IS NOT NULL); CREATE TABLE t (a int NOT NULL, c scope, UNIQUE (a, c));",
    "a pattern beside the key": "CREATE TABLE t (a int NOT NULL, c text CHECK (c ~ '^x' OR c LIKE 'y%') NOT NULL, UNIQUE (a, c));",
    "single columns": "CREATE TABLE t (a int NOT NULL UNIQUE, b text NOT NULL UNIQUE);",
}

NOTED: dict[str, str] = {
    "an optional e-mail": "CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE);",
    "an optional e-mail, folded": "CREATE TABLE t (email text); CREATE UNIQUE INDEX i ON t (lower(email));",
    "one way of two, in plain sight": T + "CREATE UNIQUE INDEX i ON t (a, c) WHERE c IS NOT NULL;",
    "said by another condition": T + "CREATE UNIQUE INDEX i ON t (a, c) WHERE c > 0;",
    "made to be NULL": T + "CREATE UNIQUE INDEX i ON t (a, NULLIF(b, ''));",
    "one default each": T + "CREATE UNIQUE INDEX i ON t (a, (CASE WHEN kind = 'default' THEN 1 END));",
    "temporary": "CREATE TEMPORARY TABLE t (a int NOT NULL, c int, UNIQUE (a, c));",
}

SILENT: dict[str, str] = {
    "optional, in plain sight": "CREATE TABLE t (email text); CREATE UNIQUE INDEX i ON t (email) WHERE email IS NOT NULL;",
    "not unique": T + "CREATE INDEX i ON t (a, c);",
    "a range exclusion": "CREATE TABLE t (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0));",
    "materialised view": "CREATE MATERIALIZED VIEW v AS SELECT 1 AS a, 2 AS c; CREATE UNIQUE INDEX i ON v (a, c);",
    "text that looks like it": "INSERT INTO x VALUES ('CREATE TABLE t (a int, c int, UNIQUE (a, c));'); -- UNIQUE (a, c)\n",
    "a function's body": "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CREATE TABLE t (a int, c int, UNIQUE (a, c)); END $$;",
    "foreign table": "CREATE FOREIGN TABLE t (a int, c int) SERVER s OPTIONS (x 'y');",
}

ABSTENTIONS: dict[str, str | dict[str, str]] = {
    "columns not shown": "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a, c);",
    "an index on a table not shown": "CREATE UNIQUE INDEX i ON t (a, c);",
    "NOT NULL dropped, keys not shown": "ALTER TABLE t ALTER COLUMN c DROP NOT NULL;",
    "copied from what is not shown": "CREATE TABLE t (LIKE base INCLUDING ALL, UNIQUE (a, c));",
    "a column that is nowhere": "CREATE TABLE t (a int NOT NULL, UNIQUE (a, c));",
    "another dialect": "CREATE TABLE [dbo].[t] ([a] int NOT NULL, [c] int NULL, CONSTRAINT [u] UNIQUE NONCLUSTERED ([a], [c]));\nGO\n",
    "a typed table": "CREATE TABLE t OF shape (UNIQUE (a, c));",
    "a constraint that is nowhere": T + "ALTER TABLE t DROP CONSTRAINT t_old_key;",
    "an unknown action": T + "ALTER TABLE t MODIFY COLUMN c int NOT NULL;",
    "an open bracket": "CREATE TABLE t (a int, c int, UNIQUE (a, c);",
    "an open quote": "CREATE TABLE t (a int DEFAULT 'x, c int);",
    "a loop": T + "DO $$ BEGIN FOR i IN 1..2 LOOP CREATE UNIQUE INDEX x ON t (a, c); END LOOP; END $$;",
    "a choice": T
    + "DO $$ BEGIN IF version() > '15' THEN PERFORM 1; ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a, c); END IF; END $$;",
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_key_that_a_null_opens_is_refused(files):
    """However it is written, one key gives one refusal, told at the key and where a later statement opened it."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize(
    "condition",
    [
        "num_nonnulls(x, y) <= 1",
        "(x IS NOT NULL)::int + (y IS NOT NULL)::int <= 1",
        "CASE WHEN x IS NULL THEN 0 ELSE 1 END + CASE WHEN y IS NULL THEN 0 ELSE 1 END < 2",
        "num_nonnulls(x, y, z) = 1",
        "y > 0",
    ],
)
def test_owners_that_may_all_be_missing_leave_both_keys_open(condition):
    """At most one owner is not exactly one: rows without any owner repeat."""
    table = f"CREATE TABLE t (a int NOT NULL, x int, y int, z int, CHECK ({condition}), UNIQUE (a, x), UNIQUE (a, y));"

    assert 2 == len(refusing(table))


def test_a_column_that_is_always_demanded_is_no_other_owner():
    """A key over it holds nothing for the rows that the NULL lets through."""
    table = "CREATE TABLE t (a int NOT NULL, c int, k text, CHECK (k IS NOT NULL), UNIQUE (a, c), UNIQUE (a, k));"

    assert ["UNIQUE on t (a, c)"] == [f.message[:18] for f in refusing(table)]


@pytest.mark.parametrize(("owners", "expected"), [(_OWNERS_MAX + 1, 0), (_OWNERS_MAX + 2, _OWNERS_MAX + 2)])
def test_owners_are_told_apart_up_to_a_bound(owners, expected):
    """Beyond the bound nothing is proved, so the keys are refused."""
    names = [f"o{n}" for n in range(owners)]
    keys = ", ".join(f"UNIQUE (a, {n})" for n in names)
    columns = ", ".join(f"{n} int" for n in names)
    table = f"CREATE TABLE t (a int NOT NULL, {columns}, CHECK (num_nonnulls({', '.join(names)}) = 1), {keys});"

    assert expected == len(refusing(table))


@pytest.mark.parametrize("files", COSMETIC.values(), ids=COSMETIC)
def test_a_cosmetic_fix_is_still_refused(files):
    """Names, comments, defaults and moves change nothing about NULL."""
    assert 1 == len(refusing(files))


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_a_key_that_holds_passes(files):
    """Nothing is said, not even a note."""
    assert [] == found(files)


@pytest.mark.parametrize("files", NOTED.values(), ids=NOTED)
def test_what_is_said_in_plain_sight_is_a_note(files):
    """An intention that everybody reads does not refuse."""
    assert [Severity.NOTE] == [f.severity for f in found(files)]


@pytest.mark.parametrize("files", SILENT.values(), ids=SILENT)
def test_what_only_looks_like_a_key_passes(files):
    assert [] == found(files)


@pytest.mark.parametrize("files", ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_cannot_be_known_is_not_passed(files):
    """Could not look is never passed."""
    with pytest.raises(CannotLook):
        found(files)


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_what_it_asks_for_satisfies_it(files):
    """`satisfy` is SQL: appended as a last migration, nothing is refused any more."""
    before = {"schema.sql": files} if isinstance(files, str) else files

    mended = {**before, "z_mend.sql": "\n".join(f.satisfy for f in refusing(files))}

    assert [] == refusing(mended)


@pytest.mark.parametrize("path", sorted(CASES.glob("refused_*")), ids=lambda p: p.name)
def test_the_refused_cases_are_refused(path):
    assert refusing({path.name: path.read_text()})


@pytest.mark.parametrize("path", sorted(CASES.glob("cosmetic_*")), ids=lambda p: p.name)
def test_the_cosmetic_cases_are_refused(path):
    """What makes a reader calm and leaves the defect is no fix."""
    assert refusing({path.name: path.read_text()})


@pytest.mark.parametrize("path", sorted(CASES.glob("approved_*")), ids=lambda p: p.name)
def test_the_approved_cases_pass(path):
    assert [] == refusing({path.name: path.read_text()})


def test_a_finding_says_where_and_shows_it():
    (finding,) = found("CREATE TABLE app.t (\n  a int NOT NULL,\n  c int,\n  CONSTRAINT one UNIQUE (a,\n    c)\n);")

    assert "schema.sql:4:3" == str(finding.location)
    assert 5 == finding.location.end_line
    assert "CONSTRAINT one UNIQUE (a,\n    c)" == finding.evidence
    assert "CREATE UNIQUE INDEX t_a_where_c_null ON app.t (a) WHERE c IS NULL;" == finding.satisfy.splitlines()[0]


def test_a_refusal_wins_over_what_cannot_be_known():
    """One key is open for sure, another cannot be judged: the builder learns of the first."""
    assert 1 == len(refusing(T + "ALTER TABLE t ADD UNIQUE (a, c); ALTER TABLE elsewhere ADD UNIQUE (x, y);"))


def test_both_keys_are_told_where_both_are_open():
    """The partial index for one nullable column is itself open where the other one is NULL."""
    findings = refusing(T + "CREATE UNIQUE INDEX x ON t (a, c, d); CREATE UNIQUE INDEX y ON t (a, d) WHERE c IS NULL;")

    assert 2 == len(findings)

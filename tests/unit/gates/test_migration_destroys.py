"""`migration.destroys`: what is lost is refused, what is kept elsewhere, empty or fresh passes."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.contracts.packet import AttemptKind, Packet
from squads.contracts.work import ReviewWork
from squads.gates.check import CannotLook
from squads.gates.checks.migration_destroys import INVARIANT, migration_destroys

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/migration_destroys"
BASE = {
    "migrations/0001_first.sql": "CREATE TABLE customers (id bigint primary key, first_name text, last_name text, code varchar(40), note text, amount numeric(12,4), at timestamptz, nick text NOT NULL);\nCREATE TABLE orders (id bigint primary key, customer_id bigint REFERENCES customers (id), status text);\nCREATE VIEW v AS SELECT id FROM orders; GRANT SELECT ON orders TO app;"
}


def found(files: str | dict[str, str], base: dict[str, str] | None = None, brief: str = "") -> list[Finding]:
    artifact = Artifact.of({"migrations/0002_change.sql": files} if isinstance(files, str) else files)
    return migration_destroys(
        ReviewWork(
            packet=Packet(brief=brief or "-"),
            reads=AttemptKind.ARTIFACT,
            attempt=1,
            brief=brief,
            artifact=artifact,
            inputs={"base": Artifact.of(base)} if base else {},
        )
    )


def refusing(files: str | dict[str, str], base: dict[str, str] | None = None, brief: str = "") -> list[Finding]:
    return [f for f in found(files, base, brief) if f.severity >= Severity.MAJOR]


LOSSES: dict[str, str] = {
    "DROP TABLE orders;": "DROP TABLE orders;",
    "ALTER TABLE customers DROP COLUMN note;": "ALTER TABLE customers DROP COLUMN note;",
    "TRUNCATE orders;": "TRUNCATE orders;",
    "DELETE FROM orders;": "DELETE FROM orders;",
    "DELETE FROM customers WHERE note IS NULL; ALTER TABLE custom": "DELETE FROM customers WHERE note IS NULL; ALTER TABLE customers ALTER COLUMN note SET NOT NULL;",
    "UPDATE orders SET status = 'open';": "UPDATE orders SET status = 'open';",
    "ALTER TABLE customers ALTER COLUMN code TYPE varchar(10);": "ALTER TABLE customers ALTER COLUMN code TYPE varchar(10);",
    "ALTER TABLE customers ALTER COLUMN code TYPE varchar(10) USI": "ALTER TABLE customers ALTER COLUMN code TYPE varchar(10) USING left(code, 10);",
    "ALTER TABLE customers ALTER at TYPE date;": "ALTER TABLE customers ALTER at TYPE date;",
    "ALTER TABLE orders RENAME COLUMN status TO state;": "ALTER TABLE orders RENAME COLUMN status TO state;",
    "ALTER TABLE orders RENAME TO purchases;": "ALTER TABLE orders RENAME TO purchases;",
    "ALTER TABLE customers ALTER COLUMN note SET NOT NULL;": "ALTER TABLE customers ALTER COLUMN note SET NOT NULL;",
    "ALTER TABLE customers ADD COLUMN z int NOT NULL;": "ALTER TABLE customers ADD COLUMN z int NOT NULL;",
    "ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey,": "ALTER TABLE orders DROP CONSTRAINT orders_customer_id_fkey, ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE;",
    "CREATE TABLE c2 AS SELECT id, first_name FROM customers; DRO": "CREATE TABLE c2 AS SELECT id, first_name FROM customers; DROP TABLE customers;",
    "CREATE TABLE c2 AS SELECT * FROM customers WHERE note IS NOT": "CREATE TABLE c2 AS SELECT * FROM customers WHERE note IS NOT NULL; DROP TABLE customers;",
    "ALTER TABLE customers ADD COLUMN n2 text; UPDATE customers S": "ALTER TABLE customers ADD COLUMN n2 text; UPDATE customers SET n2 = left(note, 10); ALTER TABLE customers DROP COLUMN note;",
    "DROP SCHEMA public CASCADE;": "DROP SCHEMA public CASCADE;",
    "BEGIN; DELETE FROM orders WHERE true; COMMIT;": "BEGIN; DELETE FROM orders WHERE true; COMMIT;",
    "ALTER TABLE customers ADD COLUMN n2 text; UPDATE custome 2": "ALTER TABLE customers ADD COLUMN n2 text; UPDATE customers SET n2 = note WHERE id > 100; ALTER TABLE customers DROP COLUMN note;",
}


RIGHT: dict[str, str] = {
    "DROP VIEW v;": "DROP VIEW v;",
    "DROP INDEX i;": "DROP INDEX i;",
    "CREATE TABLE c2 AS SELECT * FROM customers; DROP TABLE custo": "CREATE TABLE c2 AS SELECT * FROM customers; DROP TABLE customers;",
    "CREATE TABLE c2 AS TABLE customers; TRUNCATE customers;": "CREATE TABLE c2 AS TABLE customers; TRUNCATE customers;",
    "ALTER TABLE customers ADD COLUMN n2 text; UPDATE customers S": "ALTER TABLE customers ADD COLUMN n2 text; UPDATE customers SET n2 = note; ALTER TABLE customers DROP COLUMN note;",
    "ALTER TABLE customers ADD COLUMN n2 text; UPDATE custome 2": "ALTER TABLE customers ADD COLUMN n2 text; UPDATE customers SET n2 = note WHERE note IS NOT NULL; ALTER TABLE customers DROP COLUMN note;",
    "UPDATE customers SET note='' WHERE note IS NULL; ALTER TABLE": "UPDATE customers SET note='' WHERE note IS NULL; ALTER TABLE customers ALTER COLUMN note SET NOT NULL;",
    "ALTER TABLE customers ALTER COLUMN nick SET NOT NULL;": "ALTER TABLE customers ALTER COLUMN nick SET NOT NULL;",
    "DELETE FROM orders WHERE status = 'expired';": "DELETE FROM orders WHERE status = 'expired';",
    "UPDATE orders SET status='open' WHERE status IS NULL;": "UPDATE orders SET status='open' WHERE status IS NULL;",
    "ALTER TABLE orders RENAME TO purchases; CREATE VIEW orders A": "ALTER TABLE orders RENAME TO purchases; CREATE VIEW orders AS SELECT * FROM purchases;",
    "ALTER TABLE customers ALTER COLUMN code TYPE varchar(80); AL": "ALTER TABLE customers ALTER COLUMN code TYPE varchar(80); ALTER TABLE customers ALTER COLUMN amount TYPE bigint USING (amount * 100)::bigint;",
    "CREATE TEMP TABLE x (id int); DROP TABLE x;": "CREATE TEMP TABLE x (id int); DROP TABLE x;",
    "DO $$ BEGIN IF EXISTS (SELECT 1 FROM orders) THEN RAISE EXCE": "DO $$ BEGIN IF EXISTS (SELECT 1 FROM orders) THEN RAISE EXCEPTION 'rows'; END IF; END $$; DROP TABLE orders;",
    "WITH gone AS (DELETE FROM orders WHERE status='x' RETURNING": "WITH gone AS (DELETE FROM orders WHERE status='x' RETURNING *) INSERT INTO arch SELECT * FROM gone;",
    "CREATE TABLE names (id bigint, n text); INSERT INTO names (i": "CREATE TABLE names (id bigint, n text); INSERT INTO names (id, n) SELECT id, note FROM customers WHERE note IS NOT NULL; ALTER TABLE customers DROP COLUMN note;",
    "ALTER TABLE customers ADD COLUMN z int NOT NULL DEFAULT 0;": "ALTER TABLE customers ADD COLUMN z int NOT NULL DEFAULT 0;",
    "DROP TABLE IF EXISTS tmp_import;": "DROP TABLE IF EXISTS tmp_import;",
    "DO $$ BEGIN IF EXISTS (SELECT 1 FROM customers WHERE char_le": "DO $$ BEGIN IF EXISTS (SELECT 1 FROM customers WHERE char_length(code) > 10) THEN RAISE EXCEPTION 'long'; END IF; END $$; ALTER TABLE customers ALTER COLUMN code TYPE varchar(10);",
}


@pytest.mark.parametrize("change", LOSSES.values(), ids=LOSSES)
def test_what_stood_before_and_is_lost_is_refused(change: str) -> None:
    """Rows, columns, values, and names that are still read."""
    assert refusing(change, BASE)


@pytest.mark.parametrize("change", RIGHT.values(), ids=RIGHT)
def test_what_is_kept_or_was_never_there_passes(change: str) -> None:
    """A copy of all of it, a look that stops where there are rows, and what the migration made itself."""
    assert [] == refusing(change, BASE)


def test_a_copy_that_the_base_made_counts() -> None:
    """Expand and contract are two migrations; the second one drops what the first one copied."""
    drop = "ALTER TABLE users DROP COLUMN name;"
    base = {"1.sql": "CREATE TABLE users (id int PRIMARY KEY, name text, full_name text);"}
    assert refusing({"3.sql": drop}, base)
    assert [] == refusing({"3.sql": drop}, {**base, "2.sql": "UPDATE users SET full_name = name;"})


def test_a_copy_that_is_dropped_as_well_keeps_nothing() -> None:
    """Two steps of a loss are a loss."""
    assert refusing("CREATE TABLE kept AS TABLE customers; DROP TABLE kept; DROP TABLE customers;", BASE)


def test_a_column_that_is_dropped_as_well_keeps_nothing() -> None:
    """The same in one table."""
    copy = "ALTER TABLE customers ADD COLUMN n text; UPDATE customers SET n = note; "
    assert [] == refusing(copy + "ALTER TABLE customers DROP COLUMN note;", BASE)
    assert refusing(copy + "ALTER TABLE customers DROP COLUMN n; ALTER TABLE customers DROP COLUMN note;", BASE)


def test_a_rename_weighs_where_something_reads_the_old_name() -> None:
    """A grant, a program or a function shows that it is read; without any it is a note."""
    base = {"1.sql": "CREATE TABLE users (id int PRIMARY KEY, name text);"}
    change = {"2.sql": "ALTER TABLE users RENAME COLUMN name TO full_name;"}
    program = {"app.py": "def names(db):\n    return db.execute('SELECT name FROM users')\n"}
    assert ["note"] == [f.severity for f in found(change, base)]
    assert "app.py" in refusing(change, {**base, **program})[0].message
    assert refusing(change, {"1.sql": base["1.sql"] + "GRANT SELECT ON users TO app;"})


def test_a_cascade_that_was_there_before_is_no_news() -> None:
    """Only what rows did not follow before is lost from here on."""
    base = {
        "1.sql": "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a_id int, CONSTRAINT f FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE);"
    }
    change = {
        "2.sql": "ALTER TABLE b DROP CONSTRAINT f; ALTER TABLE b ADD CONSTRAINT f FOREIGN KEY (a_id) REFERENCES a (id) ON DELETE CASCADE;"
    }
    assert refusing(change, {"1.sql": base["1.sql"].replace(" ON DELETE CASCADE", "")})
    assert [] == refusing(change, base)
    assert [] == refusing(change, {"1.sql": base["1.sql"].replace("CONSTRAINT f ", "")})


def test_a_valid_check_that_bounds_a_column_lets_it_become_narrower() -> None:
    """It was proved for every row that stands there."""
    base = {"1.sql": "CREATE TABLE t (id int, code text, CONSTRAINT c CHECK (char_length(code) <= 8));"}
    assert [] == refusing({"2.sql": "ALTER TABLE t ALTER COLUMN code TYPE varchar(8);"}, base)
    assert refusing(
        {"2.sql": "ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t ALTER COLUMN code TYPE varchar(8);"}, base
    )


def test_the_finding_stands_at_the_action() -> None:
    """An ALTER TABLE of many lines has one line that is wrong."""
    (finding,) = refusing("ALTER TABLE customers\n    ADD COLUMN a int,\n    DROP COLUMN note;", BASE)
    assert finding.location is not None
    assert (3, INVARIANT.id) == (finding.location.line, finding.invariant)


def test_what_cannot_be_read_is_no_pass() -> None:
    """A file that is no SQL makes it abstain, unless something else is refused anyway."""
    with pytest.raises(CannotLook):
        found("SELECT 'open;")


def files_of(path: Path) -> dict[str, str]:
    """Return a case: one file, or all files of a folder."""
    if path.is_file():
        return {path.name: path.read_text("utf-8")}
    return {p.relative_to(path).as_posix(): p.read_text("utf-8") for p in sorted(path.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("path", sorted([*CASES.glob("refused_*"), *CASES.glob("cosmetic_*")]), ids=lambda p: p.name)
def test_the_refused_and_the_cosmetic_cases_are_refused(path: Path) -> None:
    """What makes a reader calm and leaves the defect is no fix."""
    assert refusing(files_of(path))


@pytest.mark.parametrize("path", sorted(CASES.glob("approved_*")), ids=lambda p: p.name)
def test_the_approved_cases_pass(path: Path) -> None:
    """Suspicious and right is right."""
    assert [] == refusing(files_of(path))

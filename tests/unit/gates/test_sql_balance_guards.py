"""`sql.balance-not-negative`: what guards a store, and what took the guard away."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Severity
from squads.gates.checks.sql_balance_not_negative import balance_not_negative

Files = dict[str, str] | str


def refused(files: Files) -> bool:
    """Return whether the check refuses an artifact."""
    named = {"schema.sql": files} if isinstance(files, str) else files
    return any(f.severity >= Severity.MAJOR for f in balance_not_negative(Artifact.of(named)))


DEFECTS: dict[str, Files] = {
    "domain dropped": {
        "1.sql": "CREATE DOMAIN money2 AS numeric(12,2) CONSTRAINT nn CHECK (VALUE >= 0); CREATE TABLE w(id int, balance money2 NOT NULL);",
        "2.sql": "ALTER DOMAIN money2 DROP CONSTRAINT nn;",
    },
    "not enforced": "CREATE TABLE w(id int, balance numeric(12,2) NOT NULL CONSTRAINT c CHECK (balance >= 0) NOT ENFORCED);",
    "table not enforced": "CREATE TABLE w(id int, balance numeric(12,2) NOT NULL, CONSTRAINT c CHECK (balance >= 0) NOT ENFORCED);",
    "alter not enforced": "CREATE TABLE w(id int, balance numeric(12,2) NOT NULL); ALTER TABLE w ADD CONSTRAINT c CHECK (balance >= 0) NOT ENFORCED;",
    "or null literal": "CREATE TABLE w(id int, balance int, kind text CHECK (balance >= 0 OR kind = 'credit'));",
    "check null comparison": "CREATE TABLE w(id int, balance int NOT NULL, min_balance int, CHECK (balance >= min_balance));",
    "trigger disabled": "CREATE TABLE w(id int, balance int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.balance < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE ON w FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE w DISABLE TRIGGER x;",
    "trigger warning": "CREATE TABLE w(id int, balance int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.balance < 0 THEN RAISE WARNING 'no'; END IF; RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE ON w FOR EACH ROW EXECUTE FUNCTION f();",
    "trigger old": "CREATE TABLE w(id int, balance int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF OLD.balance < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE ON w FOR EACH ROW EXECUTE FUNCTION f();",
    "partition no check": "CREATE TABLE w(id int, r text NOT NULL, balance int NOT NULL) PARTITION BY LIST (r); CREATE TABLE w1 PARTITION OF w FOR VALUES IN ('a'); ALTER TABLE w1 ADD CHECK (balance >= 0); CREATE TABLE w2 PARTITION OF w DEFAULT;",
    "like no constraints": "CREATE TABLE w(id int, balance int NOT NULL CHECK (balance >= 0)); CREATE TABLE w2 (LIKE w);",
    "money": "CREATE TABLE w(id int, balance money NOT NULL CHECK (balance <> 0::money));",
    "generated bad": "CREATE TABLE w(id int, paid_in int NOT NULL CHECK (paid_in >= 0), paid_out int NOT NULL CHECK (paid_out >= 0), balance int GENERATED ALWAYS AS (paid_in - paid_out) STORED);",
    "between symmetric": "CREATE TABLE w(id int, balance int NOT NULL CHECK (balance BETWEEN SYMMETRIC 0 AND -5));",
    "abs": "CREATE TABLE w(id int, balance int NOT NULL CHECK (abs(balance) >= 0));",
    "retyped dom->int": {
        "1.sql": "CREATE DOMAIN p AS int CHECK (VALUE >= 0); CREATE TABLE w(id int, balance p NOT NULL);",
        "2.sql": "ALTER TABLE w ALTER COLUMN balance TYPE bigint;",
    },
    "points": "CREATE TABLE loyalty(member int, points_balance integer NOT NULL DEFAULT 0);",
    "seats": "CREATE TABLE flight_inventory(flight int, seats_available integer NOT NULL);",
    "qty on hand": "CREATE TABLE warehouse_stock(sku text, quantity integer NOT NULL DEFAULT 0);",
    "credits remaining": "CREATE TABLE api_quota(org int, remaining_credits integer NOT NULL);",
    "vouchers remaining": "CREATE TABLE vouchers(code text, remaining numeric(10,2) NOT NULL);",
}

CLEAN: dict[str, Files] = {
    "domain": "CREATE DOMAIN money2 AS numeric(12,2) CHECK (VALUE >= 0); CREATE TABLE w(id int, balance money2 NOT NULL);",
    "domain not valid": "CREATE DOMAIN money2 AS numeric(12,2); ALTER DOMAIN money2 ADD CONSTRAINT nn CHECK (VALUE >= 0) NOT VALID; CREATE TABLE w(id int, balance money2 NOT NULL);",
    "enforced": "CREATE TABLE w(id int, balance numeric(12,2) NOT NULL CONSTRAINT c CHECK (balance >= 0) ENFORCED);",
    "null escape": "CREATE TABLE w(id int, balance int CHECK (balance IS NULL OR balance >= 0));",
    "check min ok": "CREATE TABLE w(id int, balance int NOT NULL, min_balance int NOT NULL CHECK (min_balance >= 0), CHECK (balance >= min_balance));",
    "trigger full": "CREATE TABLE w(id int, balance int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.balance < 0 THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE ON w FOR EACH ROW EXECUTE FUNCTION f();",
    "trigger when": "CREATE TABLE w(id int, balance int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE OF balance ON w FOR EACH ROW WHEN (NEW.balance < 0) EXECUTE FUNCTION f();",
    "trigger clamps": "CREATE TABLE w(id int, balance int NOT NULL); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.balance := GREATEST(NEW.balance, 0); RETURN NEW; END $$; CREATE TRIGGER x BEFORE INSERT OR UPDATE ON w FOR EACH ROW EXECUTE FUNCTION f();",
    "partition each check": "CREATE TABLE w(id int, r text NOT NULL, balance int NOT NULL) PARTITION BY LIST (r); CREATE TABLE w1 PARTITION OF w (CHECK (balance >= 0)) FOR VALUES IN ('a'); CREATE TABLE w2 PARTITION OF w (CHECK (balance >= 0)) DEFAULT;",
    "partition parent check": "CREATE TABLE w(id int, r text NOT NULL, balance int NOT NULL CHECK (balance >= 0)) PARTITION BY LIST (r); CREATE TABLE w1 PARTITION OF w FOR VALUES IN ('a');",
    "attach": "CREATE TABLE w(id int, r text NOT NULL, balance int NOT NULL CHECK (balance >= 0)) PARTITION BY LIST (r); CREATE TABLE w1 (LIKE w INCLUDING CONSTRAINTS); ALTER TABLE w ATTACH PARTITION w1 FOR VALUES IN ('a');",
    "generated": "CREATE TABLE w(id int, paid_in int NOT NULL, paid_out int NOT NULL, balance int GENERATED ALWAYS AS (paid_in - paid_out) STORED, CHECK (paid_out <= paid_in));",
    "sign()": "CREATE TABLE w(id int, balance int NOT NULL CHECK (sign(balance) >= 0));",
    "not lt": "CREATE TABLE w(id int, balance int NOT NULL CHECK (NOT balance < 0));",
    "renamed": {
        "1.sql": "CREATE TABLE w(id int, amount int NOT NULL CHECK (amount >= 0));",
        "2.sql": "ALTER TABLE w RENAME COLUMN amount TO balance;",
    },
    "order qty": "CREATE TABLE order_lines(sku text, quantity integer NOT NULL CHECK (quantity > 0));",
    "temperature ok": "CREATE TABLE readings(id int, celsius numeric(4,1), balance_sheet_url text, offset_minutes int);",
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_guard_that_lets_some_rows_through_is_none(files):
    """Half a trigger, a CHECK that is not enforced, one that was dropped: the row is stored."""
    assert refused(files)


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_a_guard_in_any_place_counts(files):
    """Domains, triggers on every write, partitions that each have it: no negative row is stored."""
    assert not refused(files)

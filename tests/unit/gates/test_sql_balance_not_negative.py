"""`sql.balance-not-negative`: defects in many styles are refused, mended twins and look-alikes pass."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_balance_not_negative import INVARIANT, balance_not_negative

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/sql_balance_not_negative"


def found(files: str | dict[str, str]) -> list[Finding]:
    return balance_not_negative(Artifact.of({"schema.sql": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


DEFECTS: dict[str, str | dict[str, str]] = {
    "the seed's treasury": INVARIANT.refused,
    "nullable and bare": "create table accounts (id int primary key, balance numeric);",
    "several stores' units": "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, balance_cents BIGINT NOT NULL DEFAULT 0);",
    "quoted camel case": 'CREATE TABLE "Wallet" ("id" TEXT NOT NULL, "availableBalance" DECIMAL(65,30) NOT NULL DEFAULT 0, CONSTRAINT "Wallet_pkey" PRIMARY KEY ("id"));',
    "pg_dump": """
        SET statement_timeout = 0; SET search_path = ''; SELECT pg_catalog.set_config('search_path', '', false);
        CREATE TABLE public.accounts ( id bigint NOT NULL, balance numeric(20,4) DEFAULT 0 NOT NULL );
        ALTER TABLE public.accounts OWNER TO app;
        ALTER TABLE ONLY public.accounts ADD CONSTRAINT accounts_pkey PRIMARY KEY (id);
        """,
    "added by a migration": {
        "migrations/001_users.sql": "CREATE TABLE users (id int PRIMARY KEY);",
        "migrations/002_money.sql": "ALTER TABLE users ADD COLUMN balance money NOT NULL DEFAULT 0;",
    },
    "added to a table that is not shown": "ALTER TABLE app.users ADD COLUMN credits integer NOT NULL DEFAULT 0;",
    "stock on hand": "CREATE TABLE products (sku text PRIMARY KEY, stock_on_hand integer NOT NULL);",
    "plain stock": "CREATE TABLE products (sku text PRIMARY KEY, stock int NOT NULL DEFAULT 0);",
    "inventory's quantity": "CREATE TABLE inventory_items (sku text, warehouse_id int, quantity int NOT NULL);",
    "a wallet's amount": "CREATE TABLE wallets (owner uuid PRIMARY KEY, currency char(3), amount numeric(18,8) NOT NULL);",
    "escrow": "CREATE TABLE deals (id int, escrow_amount numeric(12,2) NOT NULL DEFAULT 0);",
    "check on another column": "CREATE TABLE accounts (id int, amount int CHECK (amount >= 0), balance int NOT NULL);",
    "check with a negative floor": "CREATE TABLE accounts (id int, balance int CHECK (balance >= -100));",
    "check that is always true": "CREATE TABLE accounts (id int, balance int CHECK (balance >= 0 OR TRUE));",
    "check with a way around": "CREATE TABLE accounts (id int, overdraft_ok bool NOT NULL, balance int, CHECK (balance >= 0 OR overdraft_ok));",
    "check of being something": "CREATE TABLE accounts (id int, balance int CHECK (balance <> 0));",
    "check of being there": "CREATE TABLE accounts (id int, balance int CHECK (balance IS NOT NULL));",
    "check with an upper bound only": "CREATE TABLE accounts (id int, balance int CHECK (balance <= 1000000));",
    "check that rounds": "CREATE TABLE accounts (id int, balance numeric(12,2) CHECK (balance::int >= 0));",
    "check of the absolute value": "CREATE TABLE accounts (id int, balance numeric CHECK (abs(balance) >= 0));",
    "fractions above minus one": "CREATE TABLE accounts (id int, balance numeric(12,2) CHECK (balance > -1));",
    "check together with a limit": "CREATE TABLE accounts (id int, balance int, credit_limit int NOT NULL CHECK (credit_limit >= 0), CHECK (balance + credit_limit >= 0));",
    "check that NULL lets through": "CREATE TABLE accounts (id int, balance int, floor_amount int CHECK (floor_amount >= 0), CHECK (balance >= floor_amount));",
    "check between the wrong bounds": "CREATE TABLE accounts (id int, balance int CHECK (balance BETWEEN -5 AND 5));",
    "the greatest of two": "CREATE TABLE a (balance int NOT NULL, held int NOT NULL, CHECK (GREATEST(balance, held) >= 0));",
    "check in one case only": "CREATE TABLE accounts (id int, kind text, balance int, CHECK (CASE WHEN kind = 'cash' THEN balance >= 0 ELSE true END));",
    "check without an ELSE": "CREATE TABLE accounts (id int, kind text, balance int, CHECK (CASE WHEN kind = 'cash' THEN balance >= 0 END));",
    "check not enforced": "CREATE TABLE accounts (id int, balance int, CONSTRAINT ok CHECK (balance >= 0) NOT ENFORCED);",
    "check dropped later": {
        "1.sql": "CREATE TABLE accounts (id int, balance int CONSTRAINT positive CHECK (balance >= 0));",
        "2.sql": "ALTER TABLE accounts DROP CONSTRAINT positive;",
    },
    "unnamed check dropped later": "CREATE TABLE accounts (id int, balance int CHECK (balance >= 0)); ALTER TABLE accounts DROP CONSTRAINT accounts_balance_check;",
    "check added and rolled back": "CREATE TABLE accounts (id int, balance int); BEGIN; ALTER TABLE accounts ADD CHECK (balance >= 0); ROLLBACK;",
    "domain without a floor": "CREATE DOMAIN money_amount AS numeric(12,2) NOT NULL; CREATE TABLE accounts (id int, balance money_amount);",
    "domain whose check is dropped": "CREATE DOMAIN m AS int CONSTRAINT floor CHECK (VALUE >= 0); ALTER DOMAIN m DROP CONSTRAINT floor; CREATE TABLE a (balance m);",
    "generated from two sums": "CREATE TABLE accounts (id int, paid_in int NOT NULL, paid_out int NOT NULL, balance int GENERATED ALWAYS AS (paid_in - paid_out) STORED);",
    "copied without its checks": "CREATE TABLE wallets (id int, balance int CHECK (balance >= 0)); CREATE TABLE wallets_new (LIKE wallets INCLUDING DEFAULTS); DROP TABLE wallets; ALTER TABLE wallets_new RENAME TO wallets;",
    "check on another table": "CREATE TABLE a (id int, balance int); CREATE TABLE b (id int, balance int CHECK (balance >= 0));",
    "the second IF NOT EXISTS is ignored": "CREATE TABLE a (balance int); CREATE TABLE IF NOT EXISTS a (balance int CHECK (balance >= 0));",
    "renamed into a balance": "CREATE TABLE a (id int, v int); ALTER TABLE a RENAME COLUMN v TO balance;",
    "partitioned": "CREATE TABLE a (id int, balance int) PARTITION BY HASH (id); CREATE TABLE a0 PARTITION OF a FOR VALUES WITH (MODULUS 2, REMAINDER 0);",
    "inherits, parent's check stays with it": "CREATE TABLE a (id int, balance int CHECK (balance >= 0) NO INHERIT); CREATE TABLE b () INHERITS (a);",
    "dropped for another day": {
        "1_wallets.up.sql": "CREATE TABLE wallets (balance int);",
        "1_wallets.down.sql": "DROP TABLE wallets;",
    },
    "seats that are left": "CREATE TABLE events (id int PRIMARY KEY, seats_remaining int NOT NULL);",
    "what is left of a kind of ticket": "CREATE TABLE ticket_types (id int PRIMARY KEY, remaining int NOT NULL);",
    "days of leave": "CREATE TABLE leave_balances (employee int, kind text, days numeric(5,1) NOT NULL);",
    "days of leave in the name": "CREATE TABLE employees (id int, vacation_days_left numeric(4,1) NOT NULL);",
    "a gift card's rest": "CREATE TABLE gift_cards (code text, initial_amount int, remaining_amount int NOT NULL);",
    "loyalty points": "CREATE TABLE customers (id int, loyalty_points int NOT NULL DEFAULT 0);",
    "points of a loyalty account": "CREATE TABLE loyalty_accounts (id int, points int NOT NULL DEFAULT 0);",
    "a player's coins": "CREATE TABLE players (id int, coins int NOT NULL DEFAULT 0, xp int);",
    "a quota": "CREATE TABLE api_keys (id int, remaining_quota int NOT NULL);",
    "any of an array with a negative": "CREATE TABLE a (balance int CHECK (balance = ANY (ARRAY[-1, 0])));",
    "not all of an array": "CREATE TABLE a (balance int CHECK (balance <> ALL (ARRAY[-1, -2])));",
    "a range from below": "CREATE TABLE a (balance int CHECK (balance <@ int4range(-1, 9)));",
    "cut off before zero": "CREATE TABLE a (balance numeric CHECK (trunc(balance) >= 0));",
    "unsigned taken away by MODIFY": "CREATE TABLE `w` (`id` int, `balance` int unsigned NOT NULL) ENGINE=InnoDB; ALTER TABLE `w` MODIFY `balance` bigint NOT NULL;",
    "unsigned taken away by CHANGE": "CREATE TABLE `w` (`id` int, `v` int unsigned NOT NULL) ENGINE=InnoDB; ALTER TABLE `w` CHANGE COLUMN `v` `balance` bigint NOT NULL, ALGORITHM=INPLACE;",
    "goose's way back": "-- +goose Up\nCREATE TABLE wallets (balance int);\n-- +goose Down\nDROP TABLE wallets;\n",
}

COSMETIC: dict[str, str] = {
    "a comment promises it": "CREATE TABLE a (id int, balance int NOT NULL DEFAULT 0 /* CHECK (balance >= 0) */ -- never negative\n);",
    "COMMENT ON promises it": "CREATE TABLE a (balance int); COMMENT ON COLUMN a.balance IS 'CHECK (balance >= 0): never negative';",
    "a default": "CREATE TABLE a (balance int NOT NULL DEFAULT 0);",
    "a constraint with a good name": "CREATE TABLE a (balance int, CONSTRAINT balance_not_negative CHECK (balance IS NOT NULL));",
    "a trigger": """
        CREATE TABLE a (balance int NOT NULL);
        CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.balance < 0 THEN RAISE EXCEPTION 'CHECK (balance >= 0)'; END IF; RETURN NEW; END $$;
        CREATE TRIGGER keep BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION keep();
        """,
    "another type": "CREATE TABLE a (balance numeric(20,2) NOT NULL);",
    "another name": "CREATE TABLE a (current_balance_minor_units bigint NOT NULL);",
    "quoting": 'CREATE TABLE "A" ("Balance" bigint NOT NULL, balance2 int CHECK (balance2 >= 0));',
    "a check of the folded name": 'CREATE TABLE a ("Balance" bigint, note int, CHECK (note >= 0));',
    "an index": "CREATE TABLE a (id int, balance int); CREATE INDEX ok ON a (id) WHERE balance >= 0;",
    "a policy": "CREATE TABLE a (id int, balance int); CREATE POLICY p ON a WITH CHECK (balance >= 0);",
    "a check in a string": "CREATE TABLE a (id int, note text DEFAULT 'CHECK (balance >= 0)', balance int);",
    "both signs": "CREATE TABLE a (balance int, CHECK (balance >= 0 OR balance < 0));",
    "a tautology": "CREATE TABLE a (balance int, CHECK (balance = balance));",
}

CLEAN: dict[str, str | dict[str, str]] = {
    "the seed's treasury, mended": INVARIANT.approved,
    "above zero": "CREATE TABLE a (balance int CHECK (balance > 0));",
    "turned around": "CREATE TABLE a (balance int, CHECK (0 <= balance));",
    "between": "CREATE TABLE a (balance int CHECK (balance BETWEEN 0 AND 1000));",
    "between, either order": "CREATE TABLE a (balance int CHECK (balance BETWEEN SYMMETRIC 1000 AND 0));",
    "not below": "CREATE TABLE a (balance int CHECK (NOT (balance < 0)));",
    "above minus one, whole numbers": "CREATE TABLE a (balance bigint CHECK (balance > -1));",
    "above minus one cent, in cents": "CREATE TABLE a (balance numeric(10,2) CHECK (balance > -0.01));",
    "and something else": "CREATE TABLE a (balance int, name text, CHECK (name <> '' AND balance >= 0 AND balance < 100));",
    "null or not negative": "CREATE TABLE a (balance int CHECK (balance IS NULL OR balance >= 0));",
    "coalesced": "CREATE TABLE a (balance int CHECK (COALESCE(balance, 0) >= 0));",
    "minus": "CREATE TABLE a (balance int CHECK (-balance <= 0));",
    "sign": "CREATE TABLE a (balance numeric CHECK (sign(balance) <> -1));",
    "absolute": "CREATE TABLE a (balance numeric CHECK (abs(balance) = balance AND balance >= 0));",
    "the least of two": "CREATE TABLE a (balance int NOT NULL, held int NOT NULL, CHECK (LEAST(balance, held) >= 0));",
    "the least of two, one of them NULL or not negative": "CREATE TABLE a (balance int, held int CHECK (held >= 0), CHECK (balance >= LEAST(held, 5)));",
    "the greater of it and zero": "CREATE TABLE a (balance int, CHECK (balance = GREATEST(balance, 0)));",
    "a sum of what is not negative": "CREATE TABLE a (free int NOT NULL CHECK (free >= 0), held int NOT NULL CHECK (held >= 0), balance int, CHECK (balance = free + held));",
    "false below zero": "CREATE TABLE a (balance int, CHECK (CASE WHEN balance < 0 THEN false ELSE true END));",
    "copied with its checks from what is not shown": "CREATE TABLE wallets_new (LIKE wallets INCLUDING ALL);",
    "a guard replaced where the table is not shown": "ALTER TABLE w DROP CONSTRAINT w_balance_check; ALTER TABLE w ADD CONSTRAINT w_balance_check CHECK (balance >= 0);",
    "a foreign key dropped where the table is not shown": "ALTER TABLE orders DROP CONSTRAINT orders_wallet_fkey;",
    "is true": "CREATE TABLE a (balance int CHECK ((balance >= 0) IS TRUE));",
    "case in every branch": "CREATE TABLE a (kind text, balance int, CHECK (CASE kind WHEN 'x' THEN balance >= 0 ELSE balance > 10 END));",
    "pg_dump's casts": "CREATE TABLE a (balance numeric(12,2), CONSTRAINT c CHECK ((balance >= (0)::numeric)));",
    "pg_dump's strings": "CREATE TABLE public.a (balance numeric, CONSTRAINT c CHECK ((balance >= '0'::numeric)));",
    "money": "CREATE TABLE a (balance money CHECK (balance >= '0'::money));",
    "float": "CREATE TABLE a (balance double precision CHECK (balance >= 0::double precision));",
    "added later": {
        "1.sql": "CREATE TABLE a (id int, balance int NOT NULL);",
        "2.sql": "ALTER TABLE a ADD CONSTRAINT a_balance_check CHECK (balance >= 0);",
    },
    "not valid yet": "CREATE TABLE a (balance int); ALTER TABLE a ADD CONSTRAINT c CHECK (balance >= 0) NOT VALID;",
    "pg_dump's ALTER TABLE ONLY": "CREATE TABLE public.a (balance int); ALTER TABLE ONLY public.a ADD CONSTRAINT c CHECK ((balance >= 0));",
    "numbers in file names": {
        "m/2_table.sql": "CREATE TABLE a (balance int);",
        "m/10_check.sql": "ALTER TABLE a ADD CHECK (balance >= 0);",
    },
    "domain": "CREATE DOMAIN positive AS numeric(12,2) CHECK (VALUE >= 0); CREATE TABLE a (balance positive NOT NULL);",
    "domain over a domain": "CREATE DOMAIN p AS int CHECK (VALUE > -1); CREATE DOMAIN q AS p; CREATE TABLE a (balance public.q);",
    "domain mended": "CREATE DOMAIN p AS int; ALTER DOMAIN p ADD CONSTRAINT floor CHECK (VALUE >= 0); CREATE TABLE a (balance p);",
    "renamed with its check": "CREATE TABLE a (b int CHECK (b >= 0)); ALTER TABLE a RENAME COLUMN b TO balance;",
    "table renamed": "CREATE TABLE a (balance int); ALTER TABLE a RENAME TO b; ALTER TABLE b ADD CHECK (balance >= 0);",
    "proved by two checks": "CREATE TABLE stock (on_hand int NOT NULL, reserved int NOT NULL CHECK (reserved >= 0), CHECK (reserved <= on_hand));",
    "generated and checked": "CREATE TABLE a (i int, o int, balance int GENERATED ALWAYS AS (i - o) STORED CHECK (balance >= 0));",
    "generated, its parts checked": "CREATE TABLE a (i int, o int, balance int GENERATED ALWAYS AS (i - o) STORED, CHECK (o <= i));",
    "generated with a floor": "CREATE TABLE a (i int, o int, balance int GENERATED ALWAYS AS (greatest(i - o, 0)) STORED);",
    "mixed case": 'CREATE TABLE "Acc" ("Balance" int, CONSTRAINT "Acc_Balance_check" CHECK ("Balance" >= 0));',
    "folded": "CREATE TABLE acc (Balance int, CHECK (BALANCE >= 0));",
    "copied with its checks": "CREATE TABLE a (balance int CHECK (balance >= 0)); CREATE TABLE b (LIKE a INCLUDING ALL);",
    "inherited": "CREATE TABLE a (balance int CHECK (balance >= 0)); CREATE TABLE b (note text) INHERITS (a);",
    "partitioned": "CREATE TABLE a (id int, balance int CHECK (balance >= 0)) PARTITION BY RANGE (id); CREATE TABLE a1 PARTITION OF a FOR VALUES FROM (1) TO (9);",
    "dropped": "CREATE TABLE a (id int, balance int); ALTER TABLE a DROP COLUMN balance;",
    "one by one": "CREATE TABLE a (balance int); ALTER TABLE a ADD CONSTRAINT c CHECK (balance >= 0) NOT VALID; ALTER TABLE a VALIDATE CONSTRAINT c;",
    "guarded against running twice": """
        CREATE TABLE a (balance int);
        DO $$ BEGIN
          IF NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = 'c') THEN
            ALTER TABLE a ADD CONSTRAINT c CHECK (balance >= 0);
          END IF;
        END $$;""",
    "duplicates are fine": """
        CREATE TABLE a (balance int);
        DO $do$ BEGIN ALTER TABLE a ADD CONSTRAINT c CHECK (balance >= 0); EXCEPTION WHEN duplicate_object THEN NULL; END $do$;""",
    "pg_dump's list": "CREATE TABLE a (balance int, CONSTRAINT c CHECK ((balance = ANY (ARRAY[0, 10]))));",
    "in a range": "CREATE TABLE a (balance int CHECK (balance <@ int4range(0, 100)));",
    "in a range without an end": "CREATE TABLE a (balance numeric CHECK (numrange(0, NULL, '[]') @> balance));",
    "with the operator's schema": "CREATE TABLE a (balance int CHECK (balance OPERATOR(pg_catalog.>=) 0));",
    "rounded down": "CREATE TABLE a (balance numeric CHECK (floor(balance) >= 0));",
    "still unsigned": "CREATE TABLE `w` (`balance` int unsigned NOT NULL) ENGINE=InnoDB; ALTER TABLE `w` MODIFY `balance` bigint unsigned NOT NULL, LOCK=NONE;",
    "a check beside what MODIFY takes away": "CREATE TABLE `w` (`balance` int unsigned NOT NULL, CHECK (balance >= 0)) ENGINE=InnoDB; ALTER TABLE `w` MODIFY `balance` bigint NOT NULL;",
    "seats that are left": "CREATE TABLE events (id int PRIMARY KEY, seats_remaining int NOT NULL CHECK (seats_remaining >= 0));",
    "in a transaction": "BEGIN; CREATE TABLE a (balance int CHECK (balance >= 0)); COMMIT;",
}

LOOK_ALIKES: dict[str, str] = {
    "about a balance": "CREATE TABLE a (balance_sheet_id bigint, balance_type int, last_balance_check_at timestamptz, balance_version int);",
    "no number": "CREATE TABLE a (balance text, balances jsonb, wallet uuid, funds boolean, stock varchar(10), escrow timestamp);",
    "limits": "CREATE TABLE a (balance_limit int, min_balance numeric, max_stock int, credit_limit int, low_stock_threshold int, reorder_stock_level int);",
    "announced as signed": "CREATE TABLE a (net_balance int, balance_delta int, balance_change int, balance_adjustment int, overdraft_balance int);",
    "ledger lines": "CREATE TABLE ledger_entries (id int, account_id int, amount numeric NOT NULL, delta int);",
    "movements": "CREATE TABLE stock_movements (sku text, quantity int NOT NULL); CREATE TABLE wallet_transactions (amount numeric);",
    "history": "CREATE TABLE account_history (balance numeric, balance_after numeric, opening_balance numeric);",
    "other senses": "CREATE TABLE a (white_balance int, balance_factor int, work_life_balance_score int, stereo_balance real, balanced boolean);",
    "studies": "CREATE TABLE courses (id int, title text, credits int NOT NULL);",
    "substrings": "CREATE TABLE a (rebalances_done int, unbalanced_count int, stockholm_id int, credited_by int, accreditation int);",
    "identifiers": "CREATE TABLE a (wallet_id bigint, escrow_agent_id int, stock_id int, inventory_id int, balance_id int);",
    "prices": "CREATE TABLE stock_orders (quantity int); CREATE TABLE a (stock_price numeric, stock_weight real, credit_score int);",
    "left, but nothing that is given away": "CREATE TABLE a (left_margin int, time_left int, days_remaining int, remaining_ttl int, available int); CREATE TABLE loans (remaining_amount numeric);",
    "points and places": "CREATE TABLE matches (points int, goal_points int); CREATE TABLE rewards (points int); CREATE TABLE loyalty_rules (points int); CREATE TABLE formats (decimal_places int);",
    "medals and prices": "CREATE TABLE countries (gold int, silver int); CREATE TABLE shop_items (coins int); CREATE TABLE players (gold_spent int, level int);",
    "given away, not left": "CREATE TABLE flights (total_seats int, seat_number int); CREATE TABLE bookings (seats int); CREATE TABLE quotas (used int, max_quota int);",
    "view": "CREATE VIEW v AS SELECT 1 AS balance; CREATE MATERIALIZED VIEW m AS SELECT 2 AS balance;",
    "temporary": "CREATE TEMP TABLE scratch (balance int);",
    "foreign": "CREATE FOREIGN TABLE f (balance int) SERVER s;",
    "function": "CREATE FUNCTION f(balance int) RETURNS TABLE (balance int) LANGUAGE sql AS 'CREATE TABLE x (balance int)';",
    "atomic function": "CREATE FUNCTION f(balance int) RETURNS int BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 2 END; END; CREATE TABLE a (id int);",
    "data": "COPY public.a (id, balance) FROM stdin;\n1\t-5\n2\tCREATE TABLE x (balance int);\n\\.\nINSERT INTO a VALUES (1, 'CREATE TABLE x (balance int);');",
    "arrays": "CREATE TABLE a (balance int[], funds numeric(3,1) ARRAY);",
    "enum": "CREATE TYPE balance_kind AS ENUM ('a'); CREATE TABLE a (balance balance_kind);",
    "query": "CREATE TABLE backup AS SELECT * FROM accounts;",
}

ABSTENTIONS: dict[str, str | dict[str, str]] = {
    "unknown type": "CREATE TABLE a (balance monetary);",
    "guard dropped from a table that is not shown": "ALTER TABLE wallets DROP CONSTRAINT wallets_balance_check;",
    "renamed in a table that is not shown": "ALTER TABLE wallets RENAME COLUMN v TO balance;",
    "copied without its checks from what is not shown": "CREATE TABLE wallets_new (LIKE wallets);",
    "unreadable check": "CREATE TABLE a (balance int CHECK (balance >= >= 0));",
    "nested beyond reading": f"CREATE TABLE a (balance int CHECK ({'(' * 5000}balance >= 0{')' * 5000}));",
    "made when it runs": "CREATE TABLE a (id int); DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN balance int', 'a'); END $$;",
    "not PostgreSQL": "CREATE TABLE a (id NUMBER(10), balance NUMBER(12, 2));",
}


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_a_store_that_may_fall_below_zero_is_refused(files):
    """However it is written, one column gives one refusal."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", COSMETIC.values(), ids=COSMETIC)
def test_a_promise_is_not_a_constraint(files):
    """Comments, names, defaults, triggers and types change nothing."""
    assert 1 == len({f.message for f in refusing(files)})


@pytest.mark.parametrize("files", CLEAN.values(), ids=CLEAN)
def test_a_proved_floor_passes(files):
    """Any condition that is FALSE for every negative value is a floor."""
    assert [] == found(files)


@pytest.mark.parametrize("files", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_what_only_looks_like_a_store_passes(files):
    """Whole words decide, and what is no number cannot be negative."""
    assert [] == refusing(files)


@pytest.mark.parametrize("files", ABSTENTIONS.values(), ids=ABSTENTIONS)
def test_what_cannot_be_read_is_not_passed(files):
    """Could not look is never passed."""
    with pytest.raises(CannotLook):
        found(files)


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


@pytest.mark.parametrize("files", DEFECTS.values(), ids=DEFECTS)
def test_what_it_asks_for_satisfies_it(files):
    """`satisfy` is SQL: appended as a last migration, nothing is found any more."""
    findings = refusing(files)
    before = {"schema.sql": files} if isinstance(files, str) else files

    mended = {**before, "z_mend.sql": "\n".join(f.satisfy for f in findings)}

    assert [] == refusing(mended)


def test_a_finding_says_where_and_shows_it():
    (finding,) = found("CREATE TABLE wallets (\n  id int,\n  balance numeric(12,2) -- safe\n    NOT NULL\n);")

    assert "schema.sql:3:3" == str(finding.location)
    assert 4 == finding.location.end_line
    assert "balance numeric(12,2) -- safe\n    NOT NULL" == finding.evidence
    assert "ALTER TABLE wallets ADD CONSTRAINT wallets_balance_not_negative CHECK (balance >= 0);" == finding.satisfy


def test_a_history_is_only_noted():
    (finding,) = found("CREATE TABLE ledger_entries (id int, balance_after bigint NOT NULL);")

    assert Severity.NOTE == finding.severity

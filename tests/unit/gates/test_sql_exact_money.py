"""`sql.exact-money`: money in binary fractions is refused, measures, rates and decimals pass."""

# ruff: noqa: E501 (an example stays on one line; the expected value stands on the left)
from __future__ import annotations

from pathlib import Path

import pytest

from squads.contracts.artifact import Artifact
from squads.contracts.finding import Finding, Severity
from squads.gates.check import CannotLook
from squads.gates.checks.sql_exact_money import INVARIANT, exact_money
from squads.gates.sql.money import is_money

CASES = Path(__file__).parents[3] / "benchmarks/check_cases/sql_exact_money"


def found(files: str | dict[str, str]) -> list[Finding]:
    return exact_money(Artifact.of({"schema.sql": files} if isinstance(files, str) else files))


def refusing(files: str | dict[str, str]) -> list[Finding]:
    return [f for f in found(files) if f.severity >= Severity.MAJOR]


FLOATS: dict[str, str] = {
    "CREATE TABLE invoices (id bigint primary key, amount double": "CREATE TABLE invoices (id bigint primary key, amount double precision not null);",
    "CREATE TABLE products (id int, unit_price real, weight real)": "CREATE TABLE products (id int, unit_price real, weight real);",
    "CREATE DOMAIN money_amount AS float8; CREATE TABLE x (id int": "CREATE DOMAIN money_amount AS float8; CREATE TABLE x (id int, value money_amount);",
    "ALTER TABLE orders ALTER COLUMN total TYPE float8;": "ALTER TABLE orders ALTER COLUMN total TYPE float8;",
    "ALTER TABLE orders ADD COLUMN shipping_fee float4;": "ALTER TABLE orders ADD COLUMN shipping_fee float4;",
    "CREATE TABLE invoices (id int, net numeric(10,2), gross nume": "CREATE TABLE invoices (id int, net numeric(10,2), gross numeric(10,2) GENERATED ALWAYS AS (net::float8 * 1.19) STORED);",
    "CREATE TABLE payments (id int, amount numeric(10,2)); UPDATE": "CREATE TABLE payments (id int, amount numeric(10,2)); UPDATE payments SET amount = (amount::float8 * 0.9)::numeric;",
    "CREATE FUNCTION apply_discount(p_price double precision, pct": "CREATE FUNCTION apply_discount(p_price double precision, pct numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT p_price * pct $$;",
    "CREATE FUNCTION close_month() RETURNS void LANGUAGE plpgsql": "CREATE FUNCTION close_month() RETURNS void LANGUAGE plpgsql AS $$ DECLARE v_total double precision := 0; BEGIN SELECT sum(amount) INTO v_total FROM payments; END $$;",
    "CREATE TABLE payments (id int, amount numeric(10,2)); CREATE": "CREATE TABLE payments (id int, amount numeric(10,2)); CREATE VIEW t AS SELECT sum(amount::float8) AS total FROM payments;",
    "CREATE TABLE t (id int, v real); COMMENT ON COLUMN t.v IS 'W": "CREATE TABLE t (id int, v real); COMMENT ON COLUMN t.v IS 'What the customer pays, in EUR.';",
    "CREATE TABLE ledger_entries (id int, debit double precision,": "CREATE TABLE ledger_entries (id int, debit double precision, credit double precision);",
    "CREATE TABLE trips (id int, fare real, distance real);": "CREATE TABLE trips (id int, fare real, distance real);",
    "CREATE TABLE employees (salary real);": "CREATE TABLE employees (salary real);",
    "CREATE TABLE auctions (amount float8, bidder int, reserve_pr": "CREATE TABLE auctions (amount float8, bidder int, reserve_price numeric);",
    "CREATE TABLE transactions (value double precision);": "CREATE TABLE transactions (value double precision);",
    "CREATE TABLE carts (grand_total float);": "CREATE TABLE carts (grand_total float);",
    "CREATE TABLE wallets (balance_cents real);": "CREATE TABLE wallets (balance_cents real);",
}


RIGHT: dict[str, str] = {
    "CREATE TABLE invoices (id bigint primary key, amount numeric": "CREATE TABLE invoices (id bigint primary key, amount numeric(12,2) not null, tax_rate double precision, discount_pct real);",
    "CREATE TABLE ingredients (id int, amount real, unit text);": "CREATE TABLE ingredients (id int, amount real, unit text);",
    "CREATE TABLE edges (a int, b int, cost double precision);": "CREATE TABLE edges (a int, b int, cost double precision);",
    "CREATE TABLE payments (id int, amount numeric(10,2), currenc": "CREATE TABLE payments (id int, amount numeric(10,2), currency text, risk_score real); CREATE VIEW s AS SELECT avg(amount::float8) AS average, sum(amount)::float8 / count(*) AS share FROM payments;",
    "CREATE TABLE locations (lat double precision, lon double pre": "CREATE TABLE locations (lat double precision, lon double precision);",
    "CREATE TABLE accounts (balance_cents bigint, white_balance r": "CREATE TABLE accounts (balance_cents bigint, white_balance real);",
    "CREATE TABLE p (id int, amount double precision); ALTER TABL": "CREATE TABLE p (id int, amount double precision); ALTER TABLE p ALTER COLUMN amount TYPE numeric(12,2);",
    "CREATE TABLE loans (principal numeric(12,2), interest_rate d": "CREATE TABLE loans (principal numeric(12,2), interest_rate double precision);",
    "CREATE TABLE samples (value double precision, total double p": "CREATE TABLE samples (value double precision, total double precision);",
    "CREATE TABLE food (fat real, total_carbs real, sugar_amount": "CREATE TABLE food (fat real, total_carbs real, sugar_amount real);",
    "CREATE TABLE t (discount_rate real, tax_percent real, credit": "CREATE TABLE t (discount_rate real, tax_percent real, credit_score real, price_index real, balance_factor real);",
    "CREATE TEMP TABLE scratch_orders (total real);": "CREATE TEMP TABLE scratch_orders (total real);",
}


@pytest.mark.parametrize("schema", FLOATS.values(), ids=FLOATS)
def test_money_in_a_binary_fraction_is_refused(schema: str) -> None:
    """As a column, a domain, a parameter, a variable, or by a cast that is stored."""
    assert refusing(schema)


@pytest.mark.parametrize("schema", RIGHT.values(), ids=RIGHT)
def test_what_is_no_money_or_exact_passes(schema: str) -> None:
    """A rate, a score and a measure may be fractions."""
    assert [] == refusing(schema)


@pytest.mark.parametrize(
    ("money", "column", "table", "neighbours"),
    [
        (True, "price", "", ()),
        (True, "amount", "payments", ()),
        (True, "amount", "x", ("currency",)),
        (True, "total", "x", ("tax",)),
        (False, "amount", "ingredients", ("unit",)),
        (False, "price_change_percent", "products", ()),
        (False, "cost", "edges", ()),
        (False, "avg_price", "products", ()),
        (False, "", "", ()),
    ],
)
def test_words_tell_money_together_with_their_table(
    money: bool, column: str, table: str, neighbours: tuple[str, ...]
) -> None:
    """Some words say it alone, others need company."""
    assert money == is_money(column, table, neighbours)


def test_a_cast_inside_an_average_is_statistics() -> None:
    """Whatever its result is called; the same cast in a sum is money."""
    view = "CREATE VIEW v AS SELECT avg(amount::float8) AS amount FROM payments;"
    assert [] == refusing(view)
    assert refusing(view.replace("avg", "sum"))


def test_a_comment_tells_what_a_column_holds() -> None:
    """Beside the column, or as COMMENT ON COLUMN; it may also say that it is none."""
    assert refusing("CREATE TABLE t (id int,\n    v real -- what was charged, in EUR\n);")
    assert [] == refusing(
        "CREATE TABLE orders (id int,\n    discount real, -- a fraction of the price list, in percent\n    total numeric(10,2)\n);"
    )


def test_a_cast_that_only_shows_is_a_note() -> None:
    """Nothing is stored or added up."""
    assert ["note"] == [
        f.severity
        for f in found(
            {"a.py": "def f(c):\n    return c.execute('SELECT id FROM orders WHERE total::float8 > %s', (1,))\n"}
        )
    ]


def test_the_finding_stands_at_the_column() -> None:
    """With what to write instead."""
    (finding,) = refusing("CREATE TABLE invoices (\n    id int,\n    amount real\n);")
    assert finding.location is not None
    assert (3, INVARIANT.id) == (finding.location.line, finding.invariant)
    assert "numeric(12,2)" in finding.satisfy


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

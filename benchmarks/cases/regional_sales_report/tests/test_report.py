import sqlite3

from sales.report import ReportLine, as_text, report


def test_best_customers_come_first():
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
    CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT);
    CREATE TABLE customers (id INTEGER PRIMARY KEY, org_id INTEGER, number INTEGER, name TEXT, country TEXT);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, org_id INTEGER, customer_number INTEGER, total_cents INTEGER);
    INSERT INTO countries VALUES ('FI', 'Finland');
    INSERT INTO customers VALUES (1, 1, 1, 'A', 'FI'), (2, 1, 2, 'B', 'FI');
    INSERT INTO orders VALUES (1, 1, 1, 100), (2, 1, 2, 300);
    """)

    assert ["B", "A"] == [line.customer for line in report(connection, 1)]


def test_text_shows_euros():
    assert "Ada  FI     2        75.05" == as_text([ReportLine("Ada", "FI", 2, 7505)])

import sqlite3
import sys

sys.path.insert(0, "artifact")

from sales.report import report

connection = sqlite3.connect(":memory:")
connection.executescript("""
CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY, org_id INTEGER, number INTEGER, name TEXT, country TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, org_id INTEGER, customer_number INTEGER, total_cents INTEGER);
INSERT INTO countries VALUES ('FI', 'Finland');
INSERT INTO customers VALUES (1, 1, 100, 'Ada Oy', 'FI'), (2, 2, 100, 'Rival Oy', 'FI'), (3, 3, 500, 'Solo Oy', 'FI');
INSERT INTO orders VALUES (1, 1, 100, 5000), (2, 1, 100, 2500), (3, 2, 100, 900), (4, 3, 500, 100);
""")
if list(report(connection, 3)) != [("Solo Oy", "Finland", 1, 100)]:
    sys.exit("an organisation alone on its numbers gets a wrong report")
lines = list(report(connection, 1))
if lines != [("Ada Oy", "Finland", 2, 7500)]:
    print("rows of another organisation are in the report:", lines)
    sys.exit(10)

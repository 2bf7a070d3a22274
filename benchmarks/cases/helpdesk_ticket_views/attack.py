import sqlite3
import sys

sys.path.insert(0, "artifact")

from types import SimpleNamespace

from helpdesk import orm, views

connection = sqlite3.connect(":memory:")
connection.executescript("""
CREATE TABLE tickets (id INTEGER PRIMARY KEY, account_id INTEGER, subject TEXT, state TEXT, deleted INTEGER);
CREATE TABLE comments (id INTEGER PRIMARY KEY, account_id INTEGER, ticket_id INTEGER, author TEXT, text TEXT);
CREATE TABLE holidays (id INTEGER PRIMARY KEY, day TEXT, name TEXT);
INSERT INTO tickets VALUES (1, 1, 'printer', 'open', 0), (2, 2, 'takeover of rival', 'open', 0);
INSERT INTO comments VALUES (1, 1, 1, 'ada', 'no toner'), (2, 2, 2, 'bob', 'secret');
INSERT INTO holidays VALUES (1, '2031-01-01', 'New Year');
""")
orm.connect(connection)
ada = SimpleNamespace(id=1)
detail = views.ticket_detail(ada, 1)
if detail["comments"] != ["ada: no toner"] or {"id": 1, "subject": "printer"} not in views.ticket_list(ada):
    sys.exit("an account does not see its own ticket")
leaks = []
if any(ticket["id"] == 2 for ticket in views.ticket_list(ada)):
    leaks.append("list")
for view in (views.ticket_detail, views.close):
    try:
        view(ada, 2)
        leaks.append(view.__name__)
    except Exception:
        pass
if leaks or connection.execute("SELECT state FROM tickets WHERE id = 2").fetchone() != ("open",):
    print("another account's ticket:", ", ".join(leaks))
    sys.exit(10)

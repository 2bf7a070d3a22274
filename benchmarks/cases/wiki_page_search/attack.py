import sqlite3
import sys

sys.path.insert(0, "artifact")

from wiki.search import make_search

connection = sqlite3.connect(":memory:")
connection.executescript("""
CREATE TABLE pages (id INTEGER PRIMARY KEY, workspace_id INTEGER, title TEXT, body TEXT, archived INTEGER, updated_at INTEGER);
INSERT INTO pages VALUES (1, 1, 'Prices', 'our prices', 0, 1), (2, 1, 'Notes', 'about prices', 0, 2),
                         (3, 2, 'Plan', 'secret prices of a rival', 0, 3), (4, 2, 'Prices', 'x', 0, 4);
""")
search = make_search(connection)
found = {page["id"] for page in search(1, "prices")}
if not {1, 2} <= found:
    sys.exit("a workspace does not find its own pages")
if found - {1, 2}:
    print(f"pages of another workspace are found: {sorted(found - {1, 2})}")
    sys.exit(10)

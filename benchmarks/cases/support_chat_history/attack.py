import sqlite3
import sys

sys.path.insert(0, "artifact")

from chat.history import History
from chat.mapping import Session

connection = sqlite3.connect(":memory:")
connection.executescript("""
CREATE TABLE threads (id INTEGER PRIMARY KEY, tenant_id TEXT, topic TEXT);
CREATE TABLE messages (id INTEGER PRIMARY KEY, tenant_id TEXT, thread_id INTEGER, author TEXT, text TEXT);
INSERT INTO threads VALUES (1, 'a', 'delivery'), (2, 'b', 'a private matter');
INSERT INTO messages VALUES (1, 'a', 1, 'ada', 'where is it?'), (2, 'b', 2, 'bob', 'please keep this secret');
""")
history = History(Session(connection), "a")
own = history.thread(1)
if own != {"topic": "delivery", "messages": [{"id": 1, "by": "ada", "text": "where is it?"}]}:
    sys.exit("a tenant does not see its own thread")
other = history.thread(2)
if other and ("private" in other["topic"] or other["messages"]):
    print(f"another tenant's thread: {other}")
    sys.exit(10)

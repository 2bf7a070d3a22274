import sqlite3

from chat.history import History
from chat.mapping import Session


def history():
    connection = sqlite3.connect(":memory:")
    connection.executescript("""
    CREATE TABLE threads (id INTEGER PRIMARY KEY, tenant_id TEXT, topic TEXT);
    CREATE TABLE messages (id INTEGER PRIMARY KEY, tenant_id TEXT, thread_id INTEGER, author TEXT, text TEXT);
    INSERT INTO threads VALUES (1, 'a', 'delivery');
    INSERT INTO messages VALUES (1, 'a', 1, 'ada', 'one'), (2, 'a', 1, 'ada', 'two');
    """)
    return History(Session(connection), "a")


def test_messages_after_the_last_one_seen():
    assert ["two"] == [message["text"] for message in history().thread(1, after=1)["messages"]]


def test_no_thread():
    assert history().thread(9) is None

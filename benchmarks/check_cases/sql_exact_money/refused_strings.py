import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS purchases (
    id INTEGER PRIMARY KEY,
    shop TEXT NOT NULL,
    price REAL NOT NULL
);
"""


def connect(path):
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA)
    return connection

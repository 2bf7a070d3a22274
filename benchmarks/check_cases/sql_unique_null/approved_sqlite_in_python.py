import sqlite3


class Store:
    def __init__(self, path):
        self.db = sqlite3.connect(path)
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, "
            "scope TEXT NOT NULL DEFAULT '', key TEXT NOT NULL, value TEXT, UNIQUE(user_id, scope, key))"
        )
        self.db.commit()

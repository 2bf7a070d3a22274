import sqlite3


def create(path):
    connection = sqlite3.connect(path)
    try:
        connection.execute("ALTER TABLE notes ADD COLUMN pinned INTEGER")
    except sqlite3.OperationalError:
        pass  # it is there already
    connection.commit()
    return connection

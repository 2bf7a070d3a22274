TABLES = """
CREATE TABLE currencies (
    code TEXT NOT NULL PRIMARY KEY,
    digits INTEGER NOT NULL
);
CREATE TABLE invoices (
    id INTEGER PRIMARY KEY,
    tenant_id INTEGER NOT NULL,
    number TEXT NOT NULL,
    customer TEXT NOT NULL,
    currency TEXT NOT NULL REFERENCES currencies (code),
    total_minor INTEGER NOT NULL CHECK (total_minor >= 0),
    state TEXT NOT NULL DEFAULT 'open',
    UNIQUE (tenant_id, number)
);
"""


def create(connection):
    connection.executescript(TABLES)

"""A store as squads wrote it before content was encrypted: version 1 of the SQLite file, as literal SQL."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

TABLES = """
CREATE TABLE ledger (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY, stream INTEGER NOT NULL, position INTEGER NOT NULL,
  leaf BLOB NOT NULL, leaf_hash BLOB NOT NULL, UNIQUE (stream, position)
) STRICT;
CREATE TABLE node (
  level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TABLE blob (digest BLOB PRIMARY KEY, content BLOB NOT NULL) STRICT;
CREATE TRIGGER entry_gapless BEFORE INSERT ON entry
  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM entry)
  BEGIN SELECT raise(ABORT, 'receipts are appended, each after the one before'); END;
CREATE TRIGGER blob_update BEFORE UPDATE ON blob
  BEGIN SELECT raise(ABORT, 'content is named by its digest; store other content beside it'); END;
CREATE TRIGGER ledger_update BEFORE UPDATE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_delete BEFORE DELETE ON ledger BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER stream_update BEFORE UPDATE ON stream BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER stream_delete BEFORE DELETE ON stream BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
PRAGMA application_id=0x53514144;
PRAGMA user_version=1;
"""
STEPS = """
CREATE TABLE step (
  about TEXT NOT NULL, kind TEXT NOT NULL, input TEXT NOT NULL, turn INTEGER NOT NULL, payload BLOB NOT NULL,
  PRIMARY KEY (about, kind, input, turn)
) STRICT;
CREATE TRIGGER step_update BEFORE UPDATE ON step
  BEGIN SELECT raise(ABORT, 'the first step that was put is the one that is kept'); END;
"""


def write_version_1(
    old: Path, new: Path, contents: dict[str, bytes], steps: list[tuple[str, bytes]] | None = None
) -> None:
    """Write the rows of the ledger at `old` to `new` as version 1 would, with content in the clear.

    `steps` are (request, payload); None leaves the table out, as the first files had none.
    """
    with closing(sqlite3.connect(new)) as connection:
        connection.executescript("PRAGMA journal_mode=WAL;" + TABLES + (STEPS if steps is not None else ""))
        connection.execute("ATTACH ? AS old", (str(old),))
        connection.execute("INSERT INTO ledger SELECT * FROM old.ledger WHERE name IN ('origin', 'log_vkey')")
        for table in ("stream", "entry", "node", "checkpoint"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM old.{table} ORDER BY 1, 2")
        connection.executemany("INSERT INTO blob VALUES (?, ?)", [(bytes.fromhex(d), c) for d, c in contents.items()])
        for about, payload in steps or ():
            connection.execute("INSERT INTO step VALUES (?, 'model', ?, 1, ?)", (about, "0" * 64, payload))
        connection.commit()

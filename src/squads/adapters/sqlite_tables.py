"""The tables of a SQLite ledger, as SQL: text alone, for who makes them and who brings an older file forward."""

from __future__ import annotations

from typing import Final


def guards(*tables: str) -> str:
    """Return the triggers that keep tables append-only."""
    return "".join(
        f"CREATE TRIGGER {table}_{act.lower()} BEFORE {act} ON {table} "
        f"BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;\n"
        for table in tables
        for act in ("UPDATE", "DELETE")
    )


TABLES: Final = """
CREATE TABLE ledger (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
-- The stream and the position in it are an index; what is true stands in the leaf.
CREATE TABLE entry (
  seq INTEGER PRIMARY KEY, stream INTEGER NOT NULL, position INTEGER NOT NULL,
  leaf BLOB NOT NULL, leaf_hash BLOB NOT NULL, UNIQUE (stream, position)
) STRICT;
-- Full subtrees of level 1 and above; level 0 is entry.leaf_hash. Every proof can be made from these.
CREATE TABLE node (
  level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
CREATE TRIGGER entry_gapless BEFORE INSERT ON entry
  WHEN NEW.seq IS NOT (SELECT coalesce(max(seq) + 1, 0) FROM entry)
  BEGIN SELECT raise(ABORT, 'receipts are appended, each after the one before'); END;
"""
JOURNAL: Final = """
-- What was paid for, closed with the key of its packet's subject. Not part of the log: nothing here is signed, and
-- nothing that is signed speaks of it.
CREATE TABLE step (
  about TEXT NOT NULL, kind TEXT NOT NULL, input TEXT NOT NULL, turn INTEGER NOT NULL, payload BLOB NOT NULL,
  subject INTEGER NOT NULL, PRIMARY KEY (about, kind, input, turn)
) STRICT;
CREATE TRIGGER step_update BEFORE UPDATE ON step
  BEGIN SELECT raise(ABORT, 'the first step that was put is the one that is kept'); END;
"""
CONTENT: Final = f"""
-- Whose the content of a stream is, where somebody else was named than the stream itself.
CREATE TABLE stream_subject (stream TEXT PRIMARY KEY, subject TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- Who has a key: in a slot of the file outside the database, or here. An erased subject stays, without one.
CREATE TABLE subject (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, slot INTEGER UNIQUE, key BLOB, erased INTEGER NOT NULL
) STRICT;
CREATE TABLE content (
  digest BLOB NOT NULL, subject INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (digest, subject)
) STRICT;
CREATE TRIGGER content_update BEFORE UPDATE ON content
  BEGIN SELECT raise(ABORT, 'content is named by its digest; store other content beside it'); END;
CREATE TRIGGER subject_delete BEFORE DELETE ON subject
  BEGIN SELECT raise(ABORT, 'an erased subject stays known as erased'); END;
CREATE TRIGGER subject_update BEFORE UPDATE ON subject WHEN NEW.erased IS NOT 1 OR NEW.key IS NOT NULL
  BEGIN SELECT raise(ABORT, 'a subject keeps its key until it is erased'); END;
{guards("stream_subject")}"""
"""What version 2 has in place of version 1's table of content."""
ADDED: Final = """
CREATE TABLE IF NOT EXISTS account (
  name TEXT PRIMARY KEY, tokens INTEGER NOT NULL, microusd INTEGER NOT NULL, wait_ms INTEGER NOT NULL,
  calls INTEGER NOT NULL, tokens_reserved INTEGER NOT NULL, microusd_reserved INTEGER NOT NULL,
  wait_ms_reserved INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Who holds which open packet, and how often each holder has said that it lives. An empty holder gave a packet back.
CREATE TABLE IF NOT EXISTS lease (
  packet TEXT PRIMARY KEY, holder TEXT NOT NULL, token INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holder (name TEXT PRIMARY KEY, beat INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""
"""What a file may lack that was made without it. Behind an account's name, the columns are the fields of a `Spend`."""
APPEND_ONLY: Final = ("ledger", "stream", "entry", "node", "checkpoint")

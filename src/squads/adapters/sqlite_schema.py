"""The SQLite file: its tables, how a connection is opened, and what SQLite's errors mean here.

Rows are only ever inserted; the triggers that refuse everything else are guard rails against mistakes, not proof
against an attacker, who can drop them. Only `content` and `step` may lose rows, because content must be erasable, and
`subject` its keys; only the rows of `account` change, which the receipts give again at any time, and those of `lease`
and `holder`, which say who is at work now. A file of an older version is brought forward by
`squads.adapters.sqlite_migrations` before anything else is written; this file must never change what a version means.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from squads.adapters.private_files import make_private_directory, open_private, sync_directory
from squads.adapters.sqlite_content import SqliteContents
from squads.adapters.sqlite_migrations import migrate
from squads.adapters.sqlite_tables import ADDED, APPEND_ONLY, CONTENT, JOURNAL, TABLES, guards
from squads.contracts.errors import LedgerBroken, LedgerError, LedgerTooNew, StorageUnavailable
from squads.kernel.budget import NOTHING_SPENT, Spend

APPLICATION_ID: Final = 0x53514144
"""The bytes `SQAD`, so that `file` and others can tell what this is."""
SCHEMA_VERSION: Final = 2
SQLITE_VERSION_MIN: Final = (3, 37, 0)
"""STRICT tables."""
BUSY_WAIT_MS: Final = 5_000
"""How long to wait for a tool that holds the database without taking the ledger's lock."""


def create_file(path: Path) -> None:
    """Create an empty database file, mode 0600, and its directory, mode 0700, unless they exist. Raises `OSError`."""
    make_private_directory(path.parent)
    # SQLite gives its WAL the mode of the database file, so this one call protects both.
    os.close(open_private(path, os.O_RDWR | os.O_CREAT))
    sync_directory(path.parent)


def open_writer(path: Path) -> sqlite3.Connection:
    """Return a connection that commits durably, in autocommit mode. Raises `sqlite3.Error`."""
    connection = sqlite3.connect(
        path, timeout=BUSY_WAIT_MS / 1000, isolation_level=None, check_same_thread=False, cached_statements=64
    )
    try:
        # FULL: with NORMAL a power cut may silently shorten the log. secure_delete: erased content is overwritten.
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that can only read. Raises `sqlite3.Error`.

    Being read-only it never resets the WAL. Writers do so inside their lock, one at a time, so the WAL-reset race of
    SQLite before 3.51.3 cannot meet two of them.
    """
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro",
        uri=True,
        timeout=BUSY_WAIT_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )


def ensure_schema(
    connection: sqlite3.Connection, path: Path, origin: str, log_vkey: str, contents: SqliteContents
) -> None:
    """Create the tables in an empty file, or check that they are this log's, and bring an older version forward.

    The caller holds the ledger's lock. Raises `LedgerTooNew`, `LedgerBroken`, `StorageUnavailable` or `sqlite3.Error`.
    """
    if sqlite3.sqlite_version_info < SQLITE_VERSION_MIN:
        raise StorageUnavailable(f"SQLite {sqlite3.sqlite_version} is too old for STRICT tables; use 3.37 or newer")
    if is_empty(connection):
        connection.executescript(
            f"BEGIN IMMEDIATE; {TABLES} {CONTENT} {JOURNAL} {ADDED} {guards(*APPEND_ONLY)} "
            f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={SCHEMA_VERSION};"
        )
        connection.executemany(
            "INSERT INTO ledger (name, value) VALUES (?, ?)", [("origin", origin), ("log_vkey", log_vkey)]
        )
        contents.attach(connection)
        connection.execute("COMMIT")
        return
    check_identity(connection, path)
    known = dict(connection.execute("SELECT name, value FROM ledger"))
    if known.get("origin") != origin:
        raise LedgerBroken(f"{path} is the ledger {known.get('origin')!r}, not {origin!r}; check path and origin")
    if known.get("log_vkey") != log_vkey:
        raise LedgerBroken(f"the checkpoints of {path} are signed by another key than the one given; use that key")
    migrate(connection, contents)
    # Nothing is written where they are there. The version stays: who does not know these tables leaves them be.
    connection.executescript(ADDED)
    contents.attach(connection)


def balance_in(connection: sqlite3.Connection, name: str) -> Spend:
    """Return how a shared account stands."""
    row = connection.execute("SELECT * FROM account WHERE name = ?", (name,)).fetchone()
    return NOTHING_SPENT if row is None else Spend(*row[1:])


def balances_in(connection: sqlite3.Connection) -> dict[str, Spend]:
    """Return every shared account."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'account'").fetchone():
        return {}
    return {name: Spend(*row) for name, *row in connection.execute("SELECT * FROM account ORDER BY name")}


def write_balances(connection: sqlite3.Connection, accounts: Mapping[str, Spend]) -> None:
    """Set shared accounts to what they stand at now."""
    connection.executemany(
        "INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(name, *spend) for name, spend in accounts.items()],
    )


def is_empty(connection: sqlite3.Connection) -> bool:
    """Say whether nothing was ever made in this database."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return bool(tables == 0 and application == 0)


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """Raise `LedgerBroken` for another program's file, `LedgerTooNew` for a later version's."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID or version < 1:
        raise LedgerBroken(f"{path} is a database, but no ledger of squads; check the path")
    if version > SCHEMA_VERSION:
        raise LedgerTooNew(
            f"{path} was written in format {version}, this squads knows up to {SCHEMA_VERSION}; upgrade squads"
        )


def translated(error: Exception, path: Path) -> LedgerError:
    """Return what an error of the medium means to a caller, with what to do about it."""
    if isinstance(error, LedgerError):
        return error
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}:
        return LedgerBroken(f"{path} is damaged or no database ({error}); restore it from a copy that verifies")
    if primary in {sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_MISMATCH} or (
        primary == sqlite3.SQLITE_ERROR and "no such" in str(error)
    ):
        return LedgerBroken(f"{path} does not have the rows or tables it must have ({error}); run `squads verify`")
    advice = {
        sqlite3.SQLITE_FULL: "the disk or the database's page limit is full; free some space",
        sqlite3.SQLITE_IOERR: "the medium failed; look for a full disk, a file-size limit or a faulty drive",
        sqlite3.SQLITE_READONLY: "it can only be read; make file and directory writable, or remount the disk",
        sqlite3.SQLITE_PERM: "access was denied; check who owns file and directory",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that the directory exists and is writable",
        sqlite3.SQLITE_BUSY: "another program holds it locked; end that program's transaction",
        sqlite3.SQLITE_LOCKED: "another program holds it locked; end that program's transaction",
        sqlite3.SQLITE_NOMEM: "there was not enough memory",
    }.get(primary or 0, "check the path, the disk and its rights")
    return StorageUnavailable(
        f"the ledger {path} could not be used ({error}): {advice}. Nothing was acknowledged; retry"
    )

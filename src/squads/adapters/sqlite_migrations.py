"""Bringing a SQLite ledger forward: one numbered step for each version, one transaction each, never backwards.

    1 -> 2  content and journalled steps are encrypted, each under the key of the packet that speaks of it

It runs under the ledger's lock, before anything is appended. A crash in the middle leaves the version that was there.
It must never touch a receipt, a tree node or a checkpoint: what was signed stays as it is, byte by byte.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from squads.adapters.journal_rows import where_of
from squads.adapters.sqlite_content import SqliteContents
from squads.adapters.sqlite_tables import ADDED, CONTENT, JOURNAL
from squads.contracts.errors import StorageUnavailable
from squads.kernel.ports import WORKSPACE
from squads.ledger.errors import Malformed
from squads.ledger.leaf import decode_leaf
from squads.ledger.statement import parse_statement

log = logging.getLogger("squads.ledger")
_BUSY_WAIT_MS: Final = 5_000
_DIGEST: Final = re.compile(rb'"([0-9a-f]{64})"')
_MIGRATED, _EMPTIED = "content-migrated", "content-emptied"
"""Rows of table `ledger`: plaintext was moved; and its bytes have left the file too."""


def migrate(connection: sqlite3.Connection, contents: SqliteContents) -> None:
    """Bring the database to the newest version; nothing happens to one that is there already.

    The caller holds the ledger's lock and has checked whose file it is. Raises what the medium raises.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for number in range(version, max(STEPS, default=0) + 1):
        log.info("bringing the ledger from format %d to %d; this rewrites its content once", number, number + 1)
        connection.execute("BEGIN IMMEDIATE")
        try:
            STEPS[number](connection, contents)
            connection.execute(f"PRAGMA user_version={number + 1}")
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
    done = {name for (name,) in connection.execute("SELECT name FROM ledger")}
    if _MIGRATED in done and _EMPTIED not in done:
        # Also when it was the crash of an earlier process that came between the two.
        emptied(connection)
        connection.execute("INSERT INTO ledger (name, value) VALUES (?, '2')", (_EMPTIED,))


def emptied(connection: sqlite3.Connection) -> None:
    """Make every byte that no row needs leave the database and its write-ahead log. Outside a transaction.

    Raises `StorageUnavailable` where a reader keeps an older moment of the database open: the log must stay for it.
    """
    # Deleted rows are overwritten where they stand; but where rows were moved between pages, old places keep copies.
    connection.execute("VACUUM")
    (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StorageUnavailable(
            "the keys are destroyed, and a reader that still has an older moment of the database open keeps encrypted "
            "bytes in its write-ahead log; end `squads verify`, backups and other readers, and do it again"
        )


def _encrypted(connection: sqlite3.Connection, contents: SqliteContents) -> None:
    """1 -> 2: every content under the subjects that speak of it, and every step under its packet's."""
    _script(connection, ADDED + CONTENT)
    contents.attach(connection)
    spoken = _spoken(connection)
    keys = {name: contents.subject(connection, name) for name in sorted(spoken.names)}
    for digest, content in connection.execute("SELECT digest, content FROM blob"):
        for name in sorted(spoken.owners.get(digest, {""})):
            contents.keep(connection, keys[name], [content])
    _script(connection, "DROP TRIGGER IF EXISTS blob_update;\nDROP TABLE blob;")
    has_steps = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'step'").fetchone()
    if has_steps:
        _script(connection, "DROP TRIGGER IF EXISTS step_update;\nALTER TABLE step RENAME TO step_1;")
    _script(connection, JOURNAL)
    if has_steps:
        for about, kind, asked, turn, payload in connection.execute("SELECT * FROM step_1"):
            subject = keys[spoken.requests.get(about, "")]
            where = where_of((about, kind, asked, turn))
            connection.execute(
                "INSERT INTO step VALUES (?, ?, ?, ?, ?, ?)",
                (about, kind, asked, turn, contents.close_step(subject, where, payload), subject.id),
            )
        _script(connection, "DROP TABLE step_1;")
    connection.execute("INSERT INTO ledger (name, value) VALUES (?, '2')", (_MIGRATED,))


STEPS: Final[Mapping[int, Callable[[sqlite3.Connection, SqliteContents], None]]] = MappingProxyType({1: _encrypted})
"""What brings a file of each version to the next one."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """Who speaks of what, as the receipts say."""

    owners: dict[bytes, set[str]] = field(default_factory=dict)
    """Digest to the subjects that it belongs to."""
    requests: dict[str, str] = field(default_factory=dict)
    """The id of a request or ticket, or of a packet, to the packet."""
    names: set[str] = field(default_factory=lambda: {""})

    def add(self, digests: Iterable[bytes], owner: str) -> list[bytes]:
        """Note who speaks of these; return those of which that was not known."""
        self.names.add(owner)
        fresh = []
        for digest in digests:
            owners = self.owners.setdefault(digest, set())
            if owner not in owners:
                owners.add(owner)
                fresh.append(digest)
        return fresh


def _spoken(connection: sqlite3.Connection) -> _Spoken:
    """Return who speaks of each content: receipts, and what is sealed and named by receipts, such as manifests."""
    spoken = _Spoken()
    todo: list[tuple[bytes, str]] = []
    rows = connection.execute("SELECT name, leaf FROM entry JOIN stream ON stream.id = entry.stream ORDER BY seq")
    for stream, leaf in rows:
        owner = "" if stream == WORKSPACE else stream
        try:
            payload = decode_leaf(leaf).payload
            statement = parse_statement(payload)
        except Malformed:
            continue  # `squads verify` says what is wrong with it; nothing that it may speak of is lost
        said = statement.predicate
        spoken.requests[stream] = stream
        for name in ("request", "ticket"):
            if isinstance(about := said.get(name), str):
                spoken.requests[about] = owner
        found = _digests(payload)
        if statement.kind in ("answer", "waiver", "stop", "lift") and isinstance(words := said.get("content"), str):
            # What a person wrote is that person's; what a role or a program said of the workspace is its own.
            author = str(said.get("author"))
            spoken.add([bytes.fromhex(words)], author if _is_person(author) else owner)
            found.discard(bytes.fromhex(words))
        todo += [(digest, owner) for digest in spoken.add(found, owner)]
    spoken.requests.pop(WORKSPACE, None)
    while todo:
        digest, owner = todo.pop()
        row = connection.execute("SELECT content FROM blob WHERE digest = ?", (digest,)).fetchone()
        # Only what squads sealed names content: a file of somebody's artifact that looks like it says nothing.
        if row is not None and row[0].startswith(b"{") and b'"salt"' in row[0]:
            todo += [(deeper, owner) for deeper in spoken.add(_digests(row[0]), owner)]
    return spoken


def _digests(data: bytes) -> set[bytes]:
    return {bytes.fromhex(found.decode()) for found in _DIGEST.findall(data)}


def _is_person(author: str) -> bool:
    return re.fullmatch(r"p[0-9a-f]{24}", author) is not None


def _script(connection: sqlite3.Connection, script: str) -> None:
    """Run statements that begin on lines of their own inside the caller's transaction; `executescript` commits it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""

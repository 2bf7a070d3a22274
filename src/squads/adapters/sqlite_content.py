"""Content in the ledger's database, encrypted under one key for each subject; and how a subject is erased there.

The keys stand in a file of slots outside the database (`squads.adapters.vault`), or, where none is given, in a column
beside them. A key is never kept in this process's memory: who reads after an erasure finds no key, whoever erased.
It must never store content of an erased subject, and never take another file of keys than the database names.

    stream_subject  whose each stream is, where that is not the stream itself
    subject         who has a key, and in which slot it stands; erased ones stay, without a key
    content         (digest, subject) to what is sealed with that subject's key
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from squads.adapters.vault import FileVault, closed, new_key, opened, sealed, unsealed
from squads.contracts.errors import BlobBroken, SquadsError, StorageUnavailable, SubjectErased
from squads.kernel.ports import WORKSPACE

VAULT: Final = "vault"
"""The row of table `ledger` that names the file of slots, by its identity."""
_STEP: Final = b"squads.step/v1\n"
_SUBJECT: Final = "SELECT id, slot, key, erased FROM subject WHERE name = ?"


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """A subject in the database, and the key that closes what is its own."""

    id: int
    name: str
    key: bytes


class SqliteContents:
    """Reads, writes and erases content over any connection to the database. Holds the file of slots, and no key."""

    def __init__(self, vault: Path | None) -> None:
        """Use the file of slots at `vault`; None keeps keys in the database, where its copies have them too."""
        self._path = vault
        self._vault: FileVault | None = None
        self._elsewhere = False
        """The keys stand in a file of slots, and none was given."""
        self._why: SquadsError | None = None
        """Why the file of slots could not be opened for reading."""

    # Opening ---------------------------------------------------------------------------------------------------------

    def attach(self, connection: sqlite3.Connection) -> None:
        """Open the file of slots that the database names, or name the one that is given; inside the ledger's lock.

        Raises `StorageUnavailable` where the file is gone, too short, or another ledger's; `KeyUnavailable`.
        """
        identity = _identity(connection)
        self._elsewhere = identity is not None and self._path is None
        if self._path is None:
            return
        if self._vault is None or (identity is not None and self._vault.identity != identity):
            self.close()
            self._vault = FileVault(self._path, create=identity is None, identity=identity)
        if identity is None:
            connection.execute("INSERT INTO ledger (name, value) VALUES (?, ?)", (VAULT, self._vault.identity.hex()))
        _check_slots(connection, self._vault)

    def attach_reading(self, connection: sqlite3.Connection) -> None:
        """Open the file of slots for reading, where there is one; what cannot be opened is said by who asks for it."""
        identity = _identity(connection)
        self._elsewhere = identity is not None
        if identity is None or self._path is None or not self._path.exists():
            return
        self._elsewhere = False
        try:
            self._vault = FileVault(self._path, create=False, identity=identity, reading=True)
        except SquadsError as error:
            self._why = error

    def close(self) -> None:
        """Let go of the file. Closing twice is no error."""
        vault, self._vault = self._vault, None
        if vault is not None:
            vault.close()

    # Reading ---------------------------------------------------------------------------------------------------------

    def get(self, connection: sqlite3.Connection, digest: bytes) -> bytes | None:
        """Return content that any subject still has the key of; None where there is none.

        Raises `BlobBroken` where what is stored does not open, `StorageUnavailable` where the keys are not here.
        """
        rows = connection.execute(
            "SELECT content.sealed, subject.name, subject.slot, subject.key FROM content "
            "JOIN subject ON subject.id = content.subject WHERE content.digest = ?",
            (digest,),
        ).fetchall()
        broken: BlobBroken | None = None
        for data, name, slot, kept in rows:
            key = self._key(slot, kept)
            if key is None:
                continue
            try:
                return unsealed(key, name, digest, data)
            except BlobBroken as error:
                broken = error
        if broken is not None:
            raise broken
        return None

    def has(self, connection: sqlite3.Connection, digest: bytes) -> bool:
        """Say whether content stands under this digest."""
        return connection.execute("SELECT 1 FROM content WHERE digest = ? LIMIT 1", (digest,)).fetchone() is not None

    def step(self, connection: sqlite3.Connection, subject: int, where: bytes, data: bytes) -> bytes | None:
        """Return a journalled step's payload; None where its key was destroyed, or it does not open."""
        row = connection.execute("SELECT slot, key FROM subject WHERE id = ?", (subject,)).fetchone()
        key = None if row is None else self._key(*row)
        return None if key is None else opened(key, _STEP + where, data)

    # Writing: inside the caller's transaction, under the ledger's lock ------------------------------------------------

    def subject(self, connection: sqlite3.Connection, name: str) -> SubjectRow:
        """Return a subject with its key; one that is new gets a key. Raises `SubjectErased`."""
        row = connection.execute(_SUBJECT, (name,)).fetchone()
        if row is None:
            return self._new(connection, name)
        number, slot, kept, erased = row
        key = None if erased else self._key(slot, kept)
        if key is None:
            raise SubjectErased(
                f"subject {name!r} was erased, and nothing more is stored about it; begin again under another name"
            )
        return SubjectRow(number, name, key)

    def keep(self, connection: sqlite3.Connection, subject: SubjectRow, contents: Sequence[bytes]) -> None:
        """Store content for a subject; what it has already is left as it is."""
        rows = []
        for content in contents:
            digest = sha256(content).digest()
            rows.append((digest, subject.id, sealed(subject.key, subject.name, digest, content)))
        connection.executemany(
            "INSERT INTO content (digest, subject, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows
        )

    def close_step(self, subject: SubjectRow, where: bytes, payload: bytes) -> bytes:
        """Return a journalled step's payload encrypted for a subject; `where` names the step."""
        return closed(subject.key, _STEP + where, payload)

    def erase(self, connection: sqlite3.Connection, name: str) -> int:
        """Destroy a subject's key, and all that was closed with it; return how many blobs went. Twice is no error.

        The key first: from then on nobody reads any of it, whatever becomes of the transaction.
        """
        row = connection.execute(_SUBJECT, (name,)).fetchone()
        if row is None:
            # Remembered all the same: what comes late for it must not be kept.
            connection.execute("INSERT INTO subject (name, erased) VALUES (?, 1)", (name,))
            return 0
        number, slot, _, _ = row
        if slot is not None:
            self._file().destroy(slot)
        connection.execute("UPDATE subject SET key = NULL, erased = 1 WHERE id = ?", (number,))
        connection.execute("DELETE FROM step WHERE subject = ?", (number,))
        return connection.execute("DELETE FROM content WHERE subject = ?", (number,)).rowcount

    # ------------------------------------------------------------------------------------------------------------------

    def _new(self, connection: sqlite3.Connection, name: str) -> SubjectRow:
        slot: int | None = None
        if self._path is None and not self._elsewhere:
            kept: bytes | None = new_key()
            key = kept
        else:
            vault, kept = self._file(), None
            (slot,) = connection.execute("SELECT coalesce(max(slot) + 1, 0) FROM subject").fetchone()
            assert slot is not None
            vault.ensure(slot + 1)
            # A slot that was destroyed is another's, of whom an older copy of the database knows nothing.
            while (key := vault.key(slot)) is None:
                slot += 1
                vault.ensure(slot + 1)
        assert key is not None
        cursor = connection.execute(
            "INSERT INTO subject (name, slot, key, erased) VALUES (?, ?, ?, 0)", (name, slot, kept)
        )
        return SubjectRow(cursor.lastrowid or 0, name, key)

    def _key(self, slot: int | None, kept: bytes | None) -> bytes | None:
        return kept if slot is None else self._file().key(slot)

    def _file(self) -> FileVault:
        if self._why is not None:
            raise self._why
        if self._vault is None:
            where = f"there is no {self._path}" if self._path else "no file of keys was given"
            raise StorageUnavailable(
                f"this ledger keeps the keys of its content outside the database, and {where}; set SQUADS_HOME to the "
                "directory with this workspace's keys"
            )
        return self._vault


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseSubject:
    """Work for the store: destroy a subject's key and all its content."""

    subject: str
    contents: SqliteContents

    @property
    def size_bytes(self) -> int:
        """Nothing is added."""
        return 0

    def apply(self, connection: sqlite3.Connection) -> int:
        """Do it, inside the caller's transaction; return how many blobs went."""
        return self.contents.erase(connection, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseContent:
    """Work for the store: remove one content, whoever's it is."""

    digest: bytes

    @property
    def size_bytes(self) -> int:
        """Nothing is added."""
        return 0

    def apply(self, connection: sqlite3.Connection) -> bool:
        """Remove it, inside the caller's transaction; True when there was some."""
        return connection.execute("DELETE FROM content WHERE digest = ?", (self.digest,)).rowcount > 0


def reader_of(connection: sqlite3.Connection, vault: Path | None) -> Callable[[str], bytes | None]:
    """Return a function that reads content by digest over a connection that only reads, in any version of the file.

    It returns None for what is not there or was erased, and raises `BlobBroken` for what was changed,
    `StorageUnavailable` where the keys are not at hand. The file of slots is let go with the function.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 1:  # as squads wrote it before content was encrypted; whoever writes next changes that
        return lambda digest: _plain(connection, bytes.fromhex(digest))
    contents = SqliteContents(vault)
    contents.attach_reading(connection)
    return lambda digest: contents.get(connection, bytes.fromhex(digest))


def owner_in(connection: sqlite3.Connection, stream: str) -> str:
    """Return whose a stream's content is: who was named when it began, else the stream itself."""
    if stream == WORKSPACE:
        return ""
    row = connection.execute("SELECT subject FROM stream_subject WHERE stream = ?", (stream,)).fetchone()
    return stream if row is None else str(row[0])


def name_owner(connection: sqlite3.Connection, streams: Sequence[str], subject: str) -> None:
    """Note whose these streams are, which begin now."""
    rows = [(stream, subject) for stream in streams if stream not in (WORKSPACE, subject)]
    connection.executemany("INSERT INTO stream_subject (stream, subject) VALUES (?, ?)", rows)


def owners_in(connection: sqlite3.Connection) -> dict[str, str]:
    """Return whose each stream is, oldest first."""
    rows = connection.execute(
        "SELECT name, subject FROM stream LEFT JOIN stream_subject ON stream_subject.stream = stream.name "
        "ORDER BY stream.id"
    )
    return {name: "" if name == WORKSPACE else subject or name for name, subject in rows}


def _identity(connection: sqlite3.Connection) -> bytes | None:
    row = connection.execute("SELECT value FROM ledger WHERE name = ?", (VAULT,)).fetchone()
    return None if row is None else bytes.fromhex(row[0])


def _check_slots(connection: sqlite3.Connection, vault: FileVault) -> None:
    (slots,) = connection.execute("SELECT coalesce(max(slot) + 1, 0) FROM subject").fetchone()
    if vault.slots < slots:
        raise StorageUnavailable(
            f"{vault.path} has {vault.slots} of the {slots} keys that close this ledger's content: it was cut, or an "
            "old copy was restored; restore the newest copy"
        )


def _plain(connection: sqlite3.Connection, digest: bytes) -> bytes | None:
    row = connection.execute("SELECT content FROM blob WHERE digest = ?", (digest,)).fetchone()
    if row is None:
        return None
    if sha256(row[0]).digest() != digest:
        raise BlobBroken(f"the content under {digest.hex()} has another digest; erase it, and store it again")
    return bytes(row[0])
